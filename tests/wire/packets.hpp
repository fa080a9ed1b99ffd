#pragma once

#include <cstdint>
#include <string_view>

// Datagrams that Linux 6 sent through a TUN device, octet by octet, checksums and all. Each line of octets is a header,
// its options, or its text.
namespace tunic::wire::packets {

struct tcp_packet {
  const char* name;
  std::string_view octets;
  std::uint32_t seq_base;  // what the printed numbers count from
  std::uint32_t ack_base;
  const char* printed;
};

inline constexpr tcp_packet tcp[] = {
    {"a SYN",
     "45 00 00 3c 77 f6 40 00 40 06 6e 5b c6 33 64 01 c6 33 64 02 "
     "a6 04 00 50 59 6d 18 03 00 00 00 00 a0 02 fa f0 b5 e2 00 00 "
     "02 04 05 b4 04 02 08 0a 8a c2 a0 37 00 00 00 00 01 03 03 0a",
     0x596d1803, 0x00000000, "S 0:0(0) win 64240 <mss 1460,sackOK,TS val 2328010807 ecr 0,nop,wscale 10>"},
    {"a SYN without timestamps",
     "45 00 00 34 30 e6 40 00 40 06 b5 73 c6 33 64 01 c6 33 64 02 "
     "a6 14 00 50 e5 67 be 12 00 00 00 00 80 02 fa f0 d5 d3 00 00 "
     "02 04 05 b4 01 01 04 02 01 03 03 0a",
     0xe567be12, 0x00000000, "S 0:0(0) win 64240 <mss 1460,nop,nop,sackOK,nop,wscale 10>"},
    {"a SYN that offers ECN",
     "45 00 00 3c 92 e1 40 00 40 06 53 70 c6 33 64 01 c6 33 64 02 "
     "a6 16 00 50 63 3e 61 f3 00 00 00 00 a0 c2 fa f0 6a f5 00 00 "
     "02 04 05 b4 04 02 08 0a 53 e6 cd 6d 00 00 00 00 01 03 03 0a",
     0x633e61f3, 0x00000000, "SEW 0:0(0) win 64240 <mss 1460,sackOK,TS val 1407634797 ecr 0,nop,wscale 10>"},
    {"a SYN without SACK",
     "45 00 00 3c 7f ec 40 00 40 06 66 65 c6 33 64 01 c6 33 64 02 "
     "a6 22 00 50 62 51 33 d9 00 00 00 00 a0 02 fa f0 51 25 00 00 "
     "02 04 05 b4 01 01 08 0a 7c f8 f0 e7 00 00 00 00 01 03 03 0a",
     0x625133d9, 0x00000000, "S 0:0(0) win 64240 <mss 1460,nop,nop,TS val 2096689383 ecr 0,nop,wscale 10>"},
    {"a SYN over IPv6",
     "60 00 41 43 00 28 06 40 "
     "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 "
     "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
     "cf 64 00 50 f4 de 12 28 00 00 00 00 a0 02 fd 20 86 bc 00 00 "
     "02 04 05 a0 04 02 08 0a 75 af 1c 54 00 00 00 00 01 03 03 0a",
     0xf4de1228, 0x00000000, "S 0:0(0) win 64800 <mss 1440,sackOK,TS val 1974410324 ecr 0,nop,wscale 10>"},
    {"a SYN-ACK",
     "45 00 00 3c 00 00 40 00 40 06 e6 51 c6 33 64 01 c6 33 64 02 "
     "1f 91 9c 40 cb 08 ea 78 ff ff ff f1 a0 12 fe 88 b7 91 00 00 "
     "02 04 05 b4 04 02 08 0a 7a 62 51 bf 00 00 00 01 01 03 03 0a",
     0xcb08ea78, 0xfffffff0, "S. 0:0(0) ack 1 win 65160 <mss 1460,sackOK,TS val 2053263807 ecr 1,nop,wscale 10>"},
    {"text",
     "45 00 00 38 40 d3 40 00 40 06 a5 82 c6 33 64 01 c6 33 64 02 "
     "1f 91 9c 40 cb 08 ea 79 ff ff ff f1 80 18 00 40 47 f8 00 00 "
     "01 01 08 0a 7a 62 51 bf 00 00 00 02 "
     "48 54 54 50",
     0xcb08ea78, 0xfffffff0, "P. 1:5(4) ack 1 win 64 <nop,nop,TS val 2053263807 ecr 2>"},
    {"an acknowledgement",
     "45 00 00 34 40 d4 40 00 40 06 a5 85 c6 33 64 01 c6 33 64 02 "
     "1f 91 9c 40 cb 08 ea 7d ff ff ff f6 80 10 00 40 e4 9e 00 00 "
     "01 01 08 0a 7a 62 51 bf 00 00 00 03",
     0xcb08ea78, 0xfffffff0, ". 5:5(0) ack 6 win 64 <nop,nop,TS val 2053263807 ecr 3>"},
    {"one SACK block",
     "45 00 00 40 40 d5 40 00 40 06 a5 78 c6 33 64 01 c6 33 64 02 "
     "1f 91 9c 40 cb 08 ea 7d ff ff ff f6 b0 10 00 40 ad c9 00 00 "
     "01 01 08 0a 7a 62 51 bf 00 00 00 03 01 01 05 0a 00 00 00 5a 00 00 00 64",
     0xcb08ea78, 0xfffffff0, ". 5:5(0) ack 6 win 64 <nop,nop,TS val 2053263807 ecr 3,nop,nop,sack 106:116>"},
    {"as many SACK blocks as fit behind timestamps",
     "45 00 00 50 40 d8 40 00 40 06 a5 65 c6 33 64 01 c6 33 64 02 "
     "1f 91 9c 40 cb 08 ea 7d ff ff ff f6 f0 10 00 40 67 7c 00 00 "
     "01 01 08 0a 7a 62 51 c0 00 00 00 03 01 01 05 1a 00 00 01 86 00 00 01 90 00 00 01 22 00 00 01 2c 00 00 00 be 00 "
     "00 00 c8",
     0xcb08ea78, 0xfffffff0,
     ". 5:5(0) ack 6 win 64 <nop,nop,TS val 2053263808 ecr 3,nop,nop,sack 406:416 306:316 206:216>"},
    {"urgent text",
     "45 00 00 51 40 da 40 00 40 06 a5 62 c6 33 64 01 c6 33 64 02 "
     "1f 91 9c 40 cb 08 ea 7d ff ff ff f6 f0 38 00 40 43 fa 00 01 "
     "01 01 08 0a 7a 62 51 c0 00 00 00 03 01 01 05 1a 00 00 01 ea 00 00 01 f4 00 00 01 86 00 00 01 90 00 00 01 22 00 "
     "00 01 2c "
     "21",
     0xcb08ea78, 0xfffffff0,
     "P.U 5:6(1) ack 6 win 64 urg 1 <nop,nop,TS val 2053263808 ecr 3,nop,nop,sack 506:516 406:416 306:316>"},
    {"a reset with SACK blocks",
     "45 00 00 50 40 db 40 00 40 06 a5 62 c6 33 64 01 c6 33 64 02 "
     "1f 91 9c 40 cb 08 ea 7e ff ff ff f6 f0 14 00 40 65 1f 00 00 "
     "01 01 08 0a 7a 62 51 c0 00 00 00 03 01 01 05 1a 00 00 01 ea 00 00 01 f4 00 00 01 86 00 00 01 90 00 00 01 22 00 "
     "00 01 2c",
     0xcb08ea78, 0xfffffff0,
     "R. 6:6(0) ack 6 win 64 <nop,nop,TS val 2053263808 ecr 3,nop,nop,sack 506:516 406:416 306:316>"},
    {"a SYN-ACK without timestamps",
     "45 00 00 34 00 00 40 00 40 06 e6 59 c6 33 64 01 c6 33 64 02 "
     "1f 90 9c 40 73 b4 a8 1e ff ff ff f1 80 12 fa f0 48 0d 00 00 "
     "02 04 05 b4 01 01 04 02 01 03 03 0a",
     0x73b4a81e, 0xfffffff0, "S. 0:0(0) ack 1 win 64240 <mss 1460,nop,nop,sackOK,nop,wscale 10>"},
    {"text with no options",
     "45 00 00 2c 4e c8 40 00 40 06 97 99 c6 33 64 01 c6 33 64 02 "
     "1f 90 9c 40 73 b4 a8 1f ff ff ff f1 50 18 00 3f e6 e3 00 00 "
     "48 54 54 50",
     0x73b4a81e, 0xfffffff0, "P. 1:5(4) ack 1 win 63"},
    {"four SACK blocks",
     "45 00 00 4c 4e cd 40 00 40 06 97 74 c6 33 64 01 c6 33 64 02 "
     "1f 90 9c 40 73 b4 a8 23 ff ff ff f6 e0 10 00 3f e5 9b 00 00 "
     "01 01 05 22 00 00 01 86 00 00 01 90 00 00 01 22 00 00 01 2c 00 00 00 be 00 00 00 c8 00 00 00 5a 00 00 00 64",
     0x73b4a81e, 0xfffffff0, ". 5:5(0) ack 6 win 63 <nop,nop,sack 406:416 306:316 206:216 106:116>"},
    {"a SYN-ACK with an MSS only",
     "45 00 00 2c 00 00 40 00 40 06 e6 61 c6 33 64 01 c6 33 64 02 "
     "1f 9a 9c 41 f2 5d 84 9a ff ff ff f1 60 12 fa f0 15 f5 00 00 "
     "02 04 05 b4",
     0xf25d849a, 0xfffffff0, "S. 0:0(0) ack 1 win 64240 <mss 1460>"},
    {"a FIN",
     "45 00 00 28 d5 5e 40 00 40 06 11 07 c6 33 64 01 c6 33 64 02 "
     "1f 9a 9c 41 f2 5d 84 9b ff ff ff f1 50 11 fa f0 2d b1 00 00",
     0xf25d849a, 0xfffffff0, "F. 1:1(0) ack 1 win 64240"},
    {"a reset from a closed port",
     "45 00 00 28 00 00 40 00 40 06 e6 65 c6 33 64 01 c6 33 64 02 "
     "00 09 9c 42 00 00 00 00 00 00 00 08 50 14 00 00 bf 12 00 00",
     0x00000000, 0x00000007, "R. 0:0(0) ack 1 win 0"},
};

inline constexpr std::string_view udp_v4 =
    "45 00 00 21 6f 69 40 00 40 11 76 f8 c6 33 64 01 c6 33 64 02 "
    "14 e9 00 35 00 0d 52 79 "
    "68 65 6c 6c 6f";
inline constexpr std::string_view udp_v4_without_checksum =
    "45 00 00 21 6f 6a 40 00 40 11 76 f7 c6 33 64 01 c6 33 64 02 "
    "14 e9 00 35 00 0d 00 00 "
    "68 65 6c 6c 6f";
inline constexpr std::string_view udp_v6 =
    "60 02 08 43 00 0d 11 40 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
    "14 e9 00 35 00 0d 4b 6f "
    "68 65 6c 6c 6f";
inline constexpr std::string_view first_fragment_v4 =
    "45 00 05 dc 6f 6b 20 00 40 11 91 3b c6 33 64 01 c6 33 64 02 "
    "14 e9 00 35 05 d0 f6 4f 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13";
inline constexpr std::string_view last_fragment_v4 =
    "45 00 00 1c 6f 6b 00 b9 40 11 b6 42 c6 33 64 01 c6 33 64 02 "
    "c0 c1 c2 c3 c4 c5 c6 c7";
inline constexpr std::string_view first_fragment_v6 =
    "60 02 08 43 05 b0 2c 40 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
    "11 00 00 01 36 56 35 96 "
    "14 e9 00 35 05 d0 ef 45 00 01 02 03 04 05 06 07";
inline constexpr std::string_view last_fragment_v6 =
    "60 02 08 43 00 30 2c 40 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
    "11 00 05 a8 36 56 35 96 "
    "a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 aa ab ac ad ae af b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 ba bb bc bd be bf c0 c1 c2 c3 c4 c5 "
    "c6 c7";
inline constexpr std::string_view echo_reply_v4 =
    "45 00 00 20 47 6a 00 00 40 01 df 08 c6 33 64 01 c6 33 64 02 "
    "00 00 0e fa 12 34 00 01 "
    "70 69 6e 67";
inline constexpr std::string_view port_unreachable_v4 =
    "45 c0 00 3c 47 6b 00 00 40 01 de 2b c6 33 64 01 c6 33 64 02 "
    "03 03 51 85 00 00 00 00 "
    "45 00 00 20 00 01 40 00 40 11 e6 61 c6 33 64 02 c6 33 64 01 "
    "03 e8 00 09 00 0c ba a0 74 65 78 74";
inline constexpr std::string_view protocol_unreachable_v4 =
    "45 c0 00 38 47 6c 00 00 40 01 de 2e c6 33 64 01 c6 33 64 02 "
    "03 02 2c 29 00 00 00 00 "
    "45 00 00 1c 00 01 40 00 40 c8 e5 ae c6 33 64 02 c6 33 64 01 "
    "31 32 33 34 35 36 37 38";
inline constexpr std::string_view echo_reply_v6 =
    "60 07 2e 97 00 0c 3a 40 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
    "81 00 32 3e 12 34 00 01 "
    "70 69 6e 67";
inline constexpr std::string_view port_unreachable_v6 =
    "60 08 74 a0 00 3c 3a 40 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
    "01 04 31 e1 00 00 00 00 "
    "60 00 00 00 00 0c 11 40 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 "
    "03 e8 00 09 00 0c b3 96 74 65 78 74";
inline constexpr std::string_view parameter_problem_v6 =
    "60 09 db 9c 00 38 3a 40 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
    "04 01 4b 7e 00 00 00 06 "
    "60 00 00 00 00 08 c8 40 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 "
    "31 32 33 34 35 36 37 38";
inline constexpr std::string_view hop_by_hop_v6 =
    "60 00 00 00 00 24 00 01 "
    "fe 80 00 00 00 00 00 00 e2 0b f9 9e cc 50 96 58 "
    "ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 16 "
    "3a 00 05 02 00 00 01 00 "
    "8f 00 23 ff 00 00 00 01 04 00 00 00 ff 02 00 00 00 00 00 00 00 00 00 00 00 00 0d b8";
inline constexpr std::string_view destination_options_v6 =
    "60 02 08 43 00 15 3c 40 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 "
    "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 "
    "11 00 01 04 00 00 00 00 "
    "14 e9 00 35 00 0d 4b 6f "
    "68 65 6c 6c 6f";

}  // namespace tunic::wire::packets
