#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// TIME-WAIT: RFC 9293 §3.6.1 and §3.10.7.4, RFC 1337. How it ends early is in time_wait_reuse_test.

namespace tunic::test {
namespace {

using tcp::state;
constexpr duration msl = tcp::config{}.msl;

TEST(rfc9293_time_wait, answers_the_peers_fin_again_and_waits_anew) {  // RFC 9293 §3.10.7.4: our last ACK was lost
  auto t = script::in(state::time_wait);
  t.silent_for(2 * msl - 1us);
  t.arrives("F. 1:1(0) ack 2");
  t.sends(". 2:2(0) ack 2");
  t.silent_for(2 * msl - 1us);
  t.in_state(state::time_wait);
  t.silent_for(1us);
  t.closed_with({});
  EXPECT_EQ(t.connections(), 0u);
}

TEST(rfc9293_time_wait, answers_the_peers_fin_with_its_text_again) {
  auto t = script::in(state::fin_wait_2);
  t.arrives("FP. 1:11(10) ack 2");
  t.sends(". 2:2(0) ack 12");
  t.silent_for(msl);
  t.arrives("FP. 1:11(10) ack 2");
  t.sends(". 2:2(0) ack 12");
  t.silent_for(2 * msl - 1us);
  t.in_state(state::time_wait);
  t.user_receives(10);
  t.at_end();
}

TEST(rfc9293_time_wait, other_segments_do_not_prolong_it) {
  auto t = script::in(state::time_wait);
  t.silent_for(msl);
  t.arrives(". 2:2(0) ack 2");
  t.arrives("P. 2:12(10) ack 2");
  t.sends(". 2:2(0) ack 2");
  t.silent_for(msl);
  t.in_state(state::closed);
}

TEST(rfc9293_time_wait, lasts_as_long_as_configured) {
  script_options o;
  o.stack.tcp.msl = 1s;
  auto t = script::in(state::time_wait, o);
  t.silent_for(2s - 1us);
  t.in_state(state::time_wait);
  t.silent_for(1us);
  t.in_state(state::closed);
}

TEST(rfc9293_time_wait, outlives_its_user) {
  auto t = script::in(state::time_wait);
  t.user_releases();
  EXPECT_EQ(t.connections(), 1u);
  t.arrives("F. 1:1(0) ack 2");
  t.sends(". 2:2(0) ack 2");
  t.silent_for(2 * msl);
  EXPECT_EQ(t.connections(), 0u);
  t.arrives("F. 1:1(0) ack 2");
  t.sends("R 2:2(0)");  // nobody remembers now
}

TEST(rfc9293_time_wait, is_reached_by_a_connection_without_a_user) {
  auto t = script::established();
  t.user_releases();
  t.sends("F. 1:1(0) ack 1");
  t.arrives("F. 1:1(0) ack 2");
  t.sends(". 2:2(0) ack 2");
  EXPECT_EQ(t.connections(), 1u);
  t.silent_for(2 * msl);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(rfc9293_time_wait, without_a_listener_takes_no_syn) {
  auto t = script::in(state::time_wait);
  t.user_stops_listening();
  t.arrives("S 100:100(0) win 65535 <mss 1460>");
  t.sends(". 2:2(0) ack 2");
  t.in_state(state::time_wait);
}

TEST(rfc9293_time_wait, acknowledges_with_timestamps_where_they_are_on) {  // RFC 7323 §3.2
  auto t = script::in(state::syn_received, {.syn_options = "mss 1460,TS val 100 ecr 0"});
  t.arrives(". 1:1(0) ack 1 <TS val 101 ecr 0>");
  t.user_accepts();
  t.user_closes();
  t.sends("F. 1:1(0) ack 1");
  t.arrives("F. 1:1(0) ack 2 <TS val 102 ecr 0>");
  t.sends(". 2:2(0) ack 2 <TS val 0 ecr 102>");
  t.silent_for(1s);
  t.arrives("F. 1:1(0) ack 2 <TS val 102 ecr 0>");
  t.sends(". 2:2(0) ack 2 <TS val 1000 ecr 102>");
}

TEST(rfc9293_time_wait, records_are_bounded) {
  script_options o;
  o.stack.tcp.time_wait_records = 0;
  auto t = script::in(state::fin_wait_2, o);
  t.arrives("F. 1:1(0) ack 2");
  t.sends(". 2:2(0) ack 2");  // the peer's FIN is acknowledged all the same
  t.closed_with({});
  EXPECT_EQ(t.connections(), 0u);
}

TEST(rfc9293_time_wait, ends_when_its_user_aborts) {  // RFC 9293 §3.10.5: no reset
  auto t = script::in(state::time_wait);
  t.user_aborts();
  t.in_state(state::closed);
  t.silent();
  EXPECT_EQ(t.connections(), 0u);
}

// The IP header of the next frame: its octets of service and of hops.
std::pair<int, int> service_and_hops(script& t) {
  frame f;
  EXPECT_TRUE(t.stack().poll_transmit(f, t.now()));
  return {std::to_integer<int>(f.header()[1]), std::to_integer<int>(f.header()[8])};
}

TEST(rfc9293_type_of_service, stands_in_each_segment_and_can_be_changed) {  // RFC 9293 §3.9.1.9
  auto t = script::established({.no_delay = true});
  for (const int tos : {0x28, 0xb8}) {
    t.connection().tos = static_cast<std::uint8_t>(tos);
    t.user_sends(10);
    EXPECT_EQ(service_and_hops(t).first, tos);
  }
  t.passes_unheard(1us);
}

TEST(rfc9293_hop_limit, stands_in_each_segment) {  // RFC 9293 §3.9.2
  script t;
  tcp::open_options o;
  o.remote = {*address::parse("198.51.100.1"), 40000};
  o.local_port = 80;
  o.hop_limit = 9;
  o.tos = 0x28;
  struct nobody final : tcp::user {
    void on_events(tcp::events) override {}
  } user;
  const auto opened = t.tcp().open(o, user, t.now());
  ASSERT_TRUE(opened);
  EXPECT_EQ(service_and_hops(t), std::pair(0x28, 9));  // the SYN
  t.datagram_arrives(t.datagram("S. 0:0(0) ack 1 win 65535 <mss 1460>"));
  EXPECT_EQ(service_and_hops(t), std::pair(0x28, 9));
  t.tcp().release(**opened, t.now());
  t.passes_unheard(1us);
}

TEST(rfc9293_time_wait, answers_with_the_connections_service_and_hop_limit) {
  auto t = script::in(state::fin_wait_2);
  t.connection().tos = 0x28;
  t.connection().hop_limit = 9;
  t.datagram_arrives(t.datagram("F. 1:1(0) ack 2"));
  EXPECT_EQ(service_and_hops(t), std::pair(0x28, 9));
  t.datagram_arrives(t.datagram("F. 1:1(0) ack 2"));
  EXPECT_EQ(service_and_hops(t), std::pair(0x28, 9));
}

TEST(rfc9293_reset, of_ours_has_the_connections_service_and_hop_limit) {
  auto t = script::established();
  t.connection().tos = 0x28;
  t.connection().hop_limit = 9;
  t.user_aborts();
  EXPECT_EQ(service_and_hops(t), std::pair(0x28, 9));
}

}  // namespace
}  // namespace tunic::test
