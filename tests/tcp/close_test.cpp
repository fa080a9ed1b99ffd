#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// Closing a connection: RFC 9293 §3.6.

namespace tunic::test {
namespace {

using tcp::state;
constexpr duration msl = tcp::config{}.msl;

TEST(rfc9293_active_close, waits_two_msl) {  // RFC 9293 §3.6.1, MUST-13
  auto t = script::established();
  t.user_closes();
  t.sends("F. 1:1(0) ack 1");
  t.arrives(". 1:1(0) ack 2");
  t.in_state(state::fin_wait_2);
  t.arrives("F. 1:1(0) ack 2");
  t.sends(". 2:2(0) ack 2");
  t.silent_for(2 * msl - 1us);
  t.in_state(state::time_wait);
  t.silent_for(1us);
  t.in_state(state::closed);
}

TEST(rfc9293_normal_close, figure_12_from_the_side_that_closes_first) {  // RFC 9293 §3.6, figure 12, TCP peer A
  auto t = script::established();
  t.user_closes();
  t.sends("F. 1:1(0) ack 1");
  t.in_state(state::fin_wait_1);
  t.arrives(". 1:1(0) ack 2");
  t.in_state(state::fin_wait_2);
  t.arrives("F. 1:1(0) ack 2");
  t.sends(". 2:2(0) ack 2");
  t.in_state(state::time_wait);
  t.at_end();
  t.silent_for(2 * msl);
  t.closed_with({});
  EXPECT_EQ(t.connections(), 0u);
}

TEST(rfc9293_normal_close, figure_12_from_the_other_side) {  // RFC 9293 §3.6, figure 12, TCP peer B
  auto t = script::established();
  t.arrives("F. 1:1(0) ack 1");
  t.sends(". 1:1(0) ack 2");
  t.in_state(state::close_wait);
  EXPECT_TRUE(t.told().readable);
  t.at_end();
  t.user_closes();
  t.sends("F. 1:1(0) ack 2");
  t.in_state(state::last_ack);
  t.arrives(". 2:2(0) ack 2");
  t.closed_with({});
  EXPECT_EQ(t.connections(), 0u);
}

TEST(rfc9293_simultaneous_close, figure_13) {  // RFC 9293 §3.6, figure 13
  auto t = script::established();
  t.user_closes();
  t.sends("F. 1:1(0) ack 1");
  t.arrives("F. 1:1(0) ack 1");
  t.sends(". 2:2(0) ack 2");
  t.in_state(state::closing);
  t.arrives(". 2:2(0) ack 2");
  t.in_state(state::time_wait);
  t.silent_for(2 * msl);
  t.closed_with({});
}

TEST(rfc9293_simultaneous_close, with_text_under_way_on_both_sides) {
  auto t = script::established();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  t.user_closes();
  t.sends("F. 101:101(0) ack 1");
  t.arrives("FP. 1:51(50) ack 1");
  t.sends(". 102:102(0) ack 52");
  t.in_state(state::closing);
  t.user_receives(50);
  t.at_end();
  t.arrives(". 52:52(0) ack 101");  // our text, not our FIN
  t.in_state(state::closing);
  t.arrives(". 52:52(0) ack 102");
  t.in_state(state::time_wait);
}

TEST(rfc9293_half_close, the_peers_text_still_arrives) {  // RFC 9293 §3.6: "CLOSE means I have no more data to send"
  auto t = script::established();
  t.user_closes();
  t.sends("F. 1:1(0) ack 1");
  t.arrives(". 1:1(0) ack 2");
  t.arrives("P. 1:101(100) ack 2");
  t.user_receives(100);
  t.passes(40ms);
  t.sends(". 2:2(0) ack 101");
  t.arrives("FP. 101:201(100) ack 2");
  t.sends(". 2:2(0) ack 202");
  t.in_state(state::time_wait);
  t.user_receives(100);
  t.at_end();
}

TEST(rfc9293_half_close, ours_still_leaves) {  // RFC 9293 §3.6, case 2
  auto t = script::established();
  t.arrives("F. 1:1(0) ack 1");
  t.sends(". 1:1(0) ack 2");
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 2");
  t.arrives(". 2:2(0) ack 101");
  t.in_state(state::close_wait);
  t.user_closes();
  t.sends("F. 101:101(0) ack 2");
  t.arrives(". 2:2(0) ack 102");
  t.closed_with({});
}

TEST(rfc9293_close, the_last_text_and_fin_leave_in_one_segment) {
  auto t = script::established();
  t.user_sends_and_closes(1460 + 100);
  t.sends(". 1:1461(1460) ack 1");
  t.sends("FP. 1461:1561(100) ack 1");
  t.in_state(state::fin_wait_1);
}

TEST(rfc9293_close, fin_waits_for_the_text_before_it) {
  // RFC 9293 §3.10.4: queued until all preceding SENDs are segmentized
  auto t = script::established();
  t.arrives(". 1:1(0) ack 1 win 1460");
  t.user_sends(2920);
  t.sends(". 1:1461(1460) ack 1");
  t.user_closes();
  t.silent();
  t.arrives(". 1:1(0) ack 1461 win 1460");
  t.sends("FP. 1461:2921(1460) ack 1");
  t.arrives(". 1:1(0) ack 2922 win 1460");
  t.in_state(state::fin_wait_2);
}

TEST(rfc9293_close, an_acknowledgement_short_of_the_fin_is_not_one_of_it) {
  // RFC 9293 §3.10.7.4, fifth step, FIN-WAIT-1
  auto t = script::established();
  t.user_sends_and_closes(100);
  t.sends("FP. 1:101(100) ack 1");
  t.arrives(". 1:1(0) ack 101");
  t.in_state(state::fin_wait_1);
  t.arrives(". 1:1(0) ack 102");
  t.in_state(state::fin_wait_2);
}

TEST(rfc9293_close, fin_with_an_acknowledgement_of_ours_goes_to_time_wait_at_once) {  // RFC 9293 §3.10.7.4, eighth step
  auto t = script::established();
  t.user_closes();
  t.sends("F. 1:1(0) ack 1");
  t.arrives("F. 1:1(0) ack 2");
  t.sends(". 2:2(0) ack 2");
  t.in_state(state::time_wait);
}

TEST(rfc9293_close, fin_that_overtook_text_counts_once_the_text_is_there) {  // RFC 9293 §3.10.7.4, SHLD-31
  auto t = script::established();
  t.arrives("FP. 11:21(10) ack 1");
  t.sends(". 1:1(0) ack 1");
  t.in_state(state::established);
  t.arrives("P. 1:11(10) ack 1");
  t.sends(". 1:1(0) ack 22");
  t.in_state(state::close_wait);
  t.user_receives(20);
  t.at_end();
}

TEST(rfc9293_close, over_version_6) {
  auto t = script::established({.ipv6 = true});
  t.user_closes();
  t.sends("F. 1:1(0) ack 1");
  t.arrives("F. 1:1(0) ack 2");
  t.sends(". 2:2(0) ack 2");
  t.silent_for(2 * msl - 1us);
  t.in_state(state::time_wait);
  t.silent_for(1us);
  t.closed_with({});
}

TEST(rfc9293_close, in_syn_received_waits_for_the_handshake) {  // RFC 9293 §3.10.4, SYN-RECEIVED
  auto t = script::opening();
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.user_closes();
  t.in_state(state::syn_received);
  t.arrives("S. 0:0(0) ack 1");
  t.sends("F. 1:1(0) ack 1");
  t.in_state(state::fin_wait_1);
}

TEST(rfc9293_close, sends_what_was_queued_before_the_handshake_was_complete) {
  // RFC 9293 §3.10.2, SYN-SENT: queue the data
  auto t = script::opening();
  EXPECT_EQ(t.user_sends(100), 100u);
  t.silent();
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  t.sends("P. 1:101(100) ack 1");
}

}  // namespace
}  // namespace tunic::test
