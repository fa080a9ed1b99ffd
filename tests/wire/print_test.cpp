#include "stack/wire/print.hpp"

#include <gtest/gtest.h>

namespace tunic::wire {
namespace {

TEST(print, flags) {
  struct flags_case {
    tcp_flags flags;
    const char* printed;
  };
  const flags_case cases[] = {
      {{}, "-"},
      {{.syn = true}, "S"},
      {{.syn = true, .ack = true}, "S."},
      {{.ack = true}, "."},
      {{.psh = true, .ack = true}, "P."},
      {{.fin = true, .ack = true}, "F."},
      {{.fin = true, .psh = true, .ack = true}, "FP."},
      {{.fin = true}, "F"},
      {{.rst = true}, "R"},
      {{.rst = true, .ack = true}, "R."},
      {{.ack = true, .urg = true}, ".U"},
      {{.syn = true, .ece = true, .cwr = true}, "SEW"},
      {{.syn = true, .ack = true, .ece = true}, "S.E"},
      {{.ack = true, .cwr = true}, ".W"},
      {{.syn = true, .ece = true, .cwr = true, .ae = true}, "SEWA"},
      {{true, true, true, true, true, true, true, true, true}, "FSRP.UEWA"},
  };
  for (const auto& c : cases) EXPECT_EQ(print(c.flags), c.printed);
}

TEST(print, a_handshake_in_packetdrills_notation) {
  constexpr seq iss{0xfffffff0};
  constexpr seq irs{1000};

  tcp_header syn{.seq_number = iss, .flags = {.syn = true}, .window = {65535}};
  syn.options = {
      .mss = 1460, .window_scale = window_shift{7}, .sack_permitted = true, .timestamps = tcp_timestamps{1, 0}};
  EXPECT_EQ(print(syn, 0, {iss, irs}), "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>");
  syn.options.timestamps.reset();
  EXPECT_EQ(print(syn, 0, {iss, irs}), "S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 7>");

  tcp_header syn_ack{.seq_number = irs, .ack_number = iss + 1, .flags = {.syn = true, .ack = true}, .window = {28960}};
  syn_ack.options.mss = 1460;
  EXPECT_EQ(print(syn_ack, 0, {irs, iss}), "S. 0:0(0) ack 1 win 28960 <mss 1460>");

  tcp_header ack{.seq_number = iss + 1, .ack_number = irs + 1, .flags = {.ack = true}, .window = {502}};
  ack.options.timestamps = tcp_timestamps{2, 1};
  EXPECT_EQ(print(ack, 0, {iss, irs}), ". 1:1(0) ack 1 win 502 <nop,nop,TS val 2 ecr 1>");
}

TEST(print, text_that_crosses_the_wrap) {
  constexpr seq iss{0xfffffff0};
  const tcp_header h{
      .seq_number = iss + 1, .ack_number = seq{501}, .flags = {.psh = true, .ack = true}, .window = {502}};
  EXPECT_EQ(print(h, 100, {iss, seq{500}}), "P. 1:101(100) ack 1 win 502");
}

TEST(print, counts_from_zero_where_no_base_is_given) {
  const tcp_header h{.seq_number = seq{4294967295}, .ack_number = seq{7}, .flags = {.ack = true}, .window = {1}};
  EXPECT_EQ(print(h, 0), ". 4294967295:4294967295(0) ack 7 win 1");
}

TEST(print, the_cookie_of_fast_open) {
  tcp_header h{.seq_number = seq{1}, .flags = {.syn = true}, .window = {502}};
  h.options.mss = 1460;
  h.options.fast_open = fast_open{};
  EXPECT_EQ(print(h, 0, {seq{1}, {}}), "S 0:0(0) win 502 <mss 1460,FO,nop,nop>");
  h.options.fast_open = fast_open{6, false, {0x01, 0x23, 0x45, 0x67, 0x89, 0xab}};
  EXPECT_EQ(print(h, 0, {seq{1}, {}}), "S 0:0(0) win 502 <mss 1460,FO 0123456789ab>");
  h.options.fast_open = fast_open{4, true, {0xab, 0xcd, 0, 1}};
  EXPECT_EQ(print(h, 0, {seq{1}, {}}), "S 0:0(0) win 502 <mss 1460,FOEXP abcd0001>");
  h.flags = {.ack = true};
  EXPECT_EQ(print(h, 0, {seq{1}, {}}), ". 0:0(0) ack 0 win 502") << "the option is a SYN's";
}

TEST(print, the_counters_of_accurate_ecn) {
  tcp_header h{.seq_number = seq{1}, .ack_number = seq{1}, .flags = {.ack = true}, .window = {502}};
  h.options.accurate_ecn = accurate_ecn{false, 2, {1, 1461, 0}};
  EXPECT_EQ(print(h, 0), ". 1:1(0) ack 1 win 502 <ECN e0b 1 ceb 1461>");
  h.options.accurate_ecn = accurate_ecn{true, 3, {1, 0, 70000}};
  EXPECT_EQ(print(h, 0), ". 1:1(0) ack 1 win 502 <ECN e1b 1 ceb 0 e0b 70000,nop>");
  h.options.accurate_ecn = accurate_ecn{};
  EXPECT_EQ(print(h, 0), ". 1:1(0) ack 1 win 502 <ECN,nop,nop>");
}

TEST(print, sack_blocks_count_from_what_is_acknowledged) {
  tcp_header h{.seq_number = seq{101}, .ack_number = seq{0xffffffff}, .flags = {.ack = true}, .window = {502}};
  h.options.sack.push_back({seq{999}, seq{1999}});
  EXPECT_EQ(print(h, 0, {seq{100}, seq{0xfffffffe}}), ". 1:1(0) ack 1 win 502 <nop,nop,sack 1001:2001>");
  h.options.sack.push_back({seq{2999}, seq{3999}});
  h.options.timestamps = tcp_timestamps{2, 1};
  EXPECT_EQ(print(h, 0, {seq{100}, seq{0xfffffffe}}),
            ". 1:1(0) ack 1 win 502 <nop,nop,TS val 2 ecr 1,nop,nop,sack 1001:2001 3001:4001>");
}

TEST(print, a_reset_has_no_acknowledgement_number) {
  const tcp_header h{.seq_number = seq{5}, .ack_number = seq{9}, .flags = {.rst = true}};
  EXPECT_EQ(print(h, 0), "R 5:5(0) win 0");
}

TEST(print, the_urgent_pointer_where_it_counts) {
  tcp_header h{.flags = {.ack = true, .urg = true}, .window = {1}, .urgent_pointer = 3};
  EXPECT_EQ(print(h, 4), ".U 0:4(4) ack 0 win 1 urg 3");
  h.flags.urg = false;
  EXPECT_EQ(print(h, 4), ". 0:4(4) ack 0 win 1");
}

}  // namespace
}  // namespace tunic::wire
