#pragma once

#include <string>

#include "stack/wire/tcp.hpp"

namespace tunic::wire {

/// What a printed segment's numbers count from: the first sequence number of each direction, so that SYN is 0.
struct print_base {
  seq seq_number;
  seq ack_number;
};

/// A segment in packetdrill's notation: "S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,nop,wscale 7>",
/// "P. 1:101(100) ack 1 win 502". `text` is the number of octets of text.
std::string print(const tcp_header& h, std::uint32_t text, print_base base = {});
/// The flags alone: "S", "S.", ".", "P.", "F.", "R", "R.", with U, E, W and A (accurate ECN) where set; "-" for none.
std::string print(tcp_flags f);

}  // namespace tunic::wire
