#pragma once

#include <string>
#include <string_view>

#include "tests/tcp/segments.hpp"

// Connections that use RFC 3168's ECN.

namespace tunic::test {

inline script_options with(tcp::ecn_use use, tcp::congestion_algorithm a = tcp::congestion_algorithm::reno) {
  script_options o;
  o.stack.tcp.ecn = use;
  o.stack.tcp.congestion = a;
  o.no_delay = true;
  return o;
}

/// A passive open of a peer that asks for ECN.
inline script accepted(script_options o = with(tcp::ecn_use::passive), std::string_view options = "<mss 1000,sackOK>") {
  auto t = script::listening(o);
  t.arrives("SEW 0:0(0) win 65535 " + std::string{options});
  t.sends("[noecn] S.E 0:0(0) ack 1");
  t.silent_for(100ms);
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  EXPECT_EQ(t.status().ecn, tcp::ecn_feedback::classic);
  return t;
}

/// An active open that both sides want ECN for.
inline script opened(script_options o = with(tcp::ecn_use::on)) {
  script t{o};
  t.user_opens();
  t.sends("[noecn] SEW 0:0(0)");
  t.arrives("S.E 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");
  t.sends("[noecn] . 1:1(0) ack 1");
  EXPECT_EQ(t.status().ecn, tcp::ecn_feedback::classic);
  return t;
}

/// Text in segments of 1,000 octets, all with ECT(0).
inline void sends_capable(script& t, std::uint32_t begin, std::uint32_t end, bool push = true) {
  for (; begin < end; begin += 1000)
    t.sends("[ect0] " + line_of(push && begin + 1000 == end ? "P." : ".", begin, 1000, 1));
}

}  // namespace tunic::test
