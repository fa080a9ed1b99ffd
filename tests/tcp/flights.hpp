#pragma once

#include <algorithm>
#include <string>

#include "tests/tcp/segments.hpp"

// Text under way: segments of 1,000 octets, round trips of 100 ms.

namespace tunic::test {

inline constexpr duration rtt = 100ms;
inline constexpr duration rto = rtt + 200ms;

/// Established after one round trip, with SACK.
inline script with_rtt(script_options o = {}, const std::string& options = "mss 1000,sackOK") {
  o.stack.tcp.timestamps = options.find("TS") != std::string::npos;
  auto t = script::listening(o);
  t.arrives("S 0:0(0) win 65535 <" + options + ">");
  t.takes_sent();
  t.silent_for(rtt);
  t.arrives(o.stack.tcp.timestamps ? ". 1:1(0) ack 1 <TS val 101 ecr 0>" : ". 1:1(0) ack 1");
  t.user_accepts();
  return t;
}

/// Ten segments under way.
inline script with_flight(std::size_t octets = 10'000, script_options o = {}) {
  auto t = with_rtt(o);
  t.user_sends(octets);
  for (std::uint32_t at = 1; at < std::min<std::size_t>(octets, 10'000); at += 1000) t.takes_sent();
  return t;
}

}  // namespace tunic::test
