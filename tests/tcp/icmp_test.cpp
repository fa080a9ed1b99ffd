#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// What ICMP says of a connection: RFC 5461, RFC 5927, RFC 1191, RFC 8201; RFC 9293 §3.9.2.2.

namespace tunic::test {
namespace {

using tcp::state;
using wire::icmp_kind;
using wire::unreachable_code;

ip::icmp_error unreachable(unreachable_code code) {
  ip::icmp_error e;
  e.kind = icmp_kind::destination_unreachable;
  e.unreachable = code;
  return e;
}

ip::icmp_error too_big(std::uint32_t mtu) {
  ip::icmp_error e;
  e.kind = icmp_kind::packet_too_big;
  e.mtu = mtu;
  return e;
}

TEST(rfc5461_icmp, a_hard_error_refuses_an_active_open) {  // RFC 9293 §3.9.2.2; RFC 5461 §4.1: only there
  for (const auto code : {unreachable_code::port, unreachable_code::protocol, unreachable_code::prohibited}) {
    auto t = script::opening();
    t.icmp_arrives(unreachable(code), 0);
    t.closed_with(make_error_code(std::errc::connection_refused));
    EXPECT_EQ(t.connections(), 0u);
  }
}

TEST(rfc5461_icmp, a_soft_error_is_remembered_as_the_reason_of_a_time_out) {
  // RFC 9293 §3.9.2.2, MUST-56; RFC 5461 §2.2
  const std::pair<unreachable_code, std::errc> cases[] = {{unreachable_code::network, std::errc::network_unreachable},
                                                          {unreachable_code::host, std::errc::host_unreachable}};
  for (const auto& [code, reason] : cases) {
    auto t = script::opening();
    t.icmp_arrives(unreachable(code), 0);
    t.in_state(state::syn_sent);
    t.passes_unheard(10min);
    t.closed_with(make_error_code(reason));
  }
}

TEST(rfc5461_icmp, a_hard_error_does_not_end_a_synchronised_connection) {  // RFC 5461 §4.1, RFC 5927 §5.2
  for (const state s : {state::established, state::close_wait}) {
    SCOPED_TRACE(tcp::name(s));
    auto t = script::in(s);
    t.user_sends(10);
    (void)t.takes_sent();
    t.icmp_arrives(unreachable(unreachable_code::port), 1);
    t.in_state(s);
    t.passes_unheard(1h);
    t.closed_with(make_error_code(std::errc::host_unreachable));
  }
}

TEST(rfc5461_icmp, a_soft_error_that_passes_is_forgotten) {  // the reason of a time-out much later is another one
  auto t = script::established();
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1");
  t.icmp_arrives(unreachable(unreachable_code::host), 1);
  t.arrives(". 1:1(0) ack 11");
  t.user_sends(10);
  t.sends("P. 11:21(10) ack 1");
  t.passes_unheard(1h);
  t.closed_with(make_error_code(std::errc::timed_out));
}

TEST(rfc5461_icmp, about_what_is_not_under_way_is_ignored) {  // RFC 5927 §4.1
  auto t = script::opening();
  for (const std::uint32_t about : {1u, 1000u, 0xffffffffu}) t.icmp_arrives(unreachable(unreachable_code::port), about);
  t.in_state(state::syn_sent);
  t.dropped(drop::icmp_unrelated, 3);

  auto quiet = script::established();
  quiet.icmp_arrives(too_big(600), 1);
  EXPECT_EQ(quiet.status().mss, 1460u);
  quiet.dropped(drop::icmp_unrelated);
}

TEST(rfc5461_icmp, about_no_connection_is_ignored) {
  script t;
  t.icmp_arrives(unreachable(unreachable_code::port), 0);
  t.dropped(drop::icmp_unrelated);
}

TEST(rfc5461_icmp, about_time_wait_is_ignored) {
  auto t = script::in(state::time_wait);
  t.icmp_arrives(unreachable(unreachable_code::port), 1);
  t.in_state(state::time_wait);
}

TEST(rfc1191_packet_too_big, lowers_the_segment_size_and_sends_at_once_what_did_not_fit) {
  // RFC 8201 §5.5, RFC 1191 §6.4
  auto t = script::established();
  t.user_sends(2920);
  sends_text(t, 1, 2921);
  const auto before = t.status();
  t.icmp_arrives(too_big(1040), 1);
  EXPECT_EQ(t.status().mss, 1000u);
  EXPECT_EQ(t.status().ssthresh, before.ssthresh);  // no sign of congestion
  EXPECT_EQ(t.status().cwnd, before.cwnd);
  t.sends(". 1:1001(1000) ack 1");
  t.sends(". 1001:2001(1000) ack 1");
  t.sends("P. 2001:2921(920) ack 1");
}

TEST(rfc8201_packet_too_big, over_version_6_has_the_floor_of_its_least_mtu) {  // RFC 8201 §4
  auto t = script::established({.ipv6 = true, .syn_options = "mss 1440"});
  t.user_sends(1440);
  t.sends("P. 1:1441(1440) ack 1");
  t.icmp_arrives(too_big(600), 1);
  EXPECT_EQ(t.status().mss, 1220u);
  t.sends(". 1:1221(1220) ack 1");
  t.sends("P. 1221:1441(220) ack 1");
}

TEST(rfc1191_packet_too_big, cannot_raise_the_segment_size) {
  auto t = script::established();
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1");
  t.icmp_arrives(too_big(9000), 1);
  EXPECT_EQ(t.status().mss, 1460u);
  t.silent();
}

TEST(rfc1191_packet_too_big, is_heeded_by_the_next_connection_to_that_peer) {  // RFC 8201 §5.2
  auto t = script::established();
  t.user_sends(1460);
  t.sends("P. 1:1461(1460) ack 1");
  t.icmp_arrives(too_big(1040), 1);
  t.sends(". 1:1001(1000) ack 1");
  t.sends("P. 1001:1461(460) ack 1");
  t.arrives(". 1:1(0) ack 1461");
  t.user_releases();
  t.sends("F. 1461:1461(0) ack 1");
  t.arrives("R 1:1(0)");
  t.peer_port(40001);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1 <mss 1460>");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  EXPECT_EQ(t.status().mss, 1000u);
}

}  // namespace
}  // namespace tunic::test
