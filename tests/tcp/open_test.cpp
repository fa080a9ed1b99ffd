#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// Opening a connection: RFC 9293 §3.5.

namespace tunic::test {
namespace {

using tcp::state;

TEST(rfc9293_passive_open, three_way_handshake) {  // RFC 9293 §3.5, figure 6
  auto t = script::listening();
  t.arrives("S 0:0(0) win 65535 <mss 1460,sackOK,nop,wscale 7>");
  t.sends("S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 9>");
  t.in_state(state::syn_received);
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.in_state(state::established);
  EXPECT_EQ(t.told_acceptable(), 1);
}

TEST(rfc9293_active_open, three_way_handshake) {  // RFC 9293 §3.5, figure 6
  script t;
  t.user_opens();
  t.sends("S 0:0(0) win 65535 <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 9>");
  t.in_state(state::syn_sent);
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  t.sends(". 1:1(0) ack 1");
  t.in_state(state::established);
  EXPECT_TRUE(t.told().established);
}

TEST(rfc9293_active_open, three_way_handshake_over_version_6) {  // RFC 9293 §3.7.1: the MSS is the MTU less 60 octets
  script t{{.ipv6 = true}};
  t.user_opens();
  t.sends("S 0:0(0) win 65535 <mss 1440,sackOK,TS val 0 ecr 0,nop,wscale 9>");
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1440>");
  t.sends(". 1:1(0) ack 1");
  t.in_state(state::established);
}

TEST(rfc9293_passive_open, three_way_handshake_over_version_6) {
  auto t = script::listening({.ipv6 = true});
  t.arrives("S 0:0(0) win 65535 <mss 1440,sackOK,TS val 5 ecr 0,nop,wscale 7>");
  t.sends("S. 0:0(0) ack 1 win 65535 <mss 1440,sackOK,TS val 0 ecr 5,nop,wscale 9>");
  t.arrives(". 1:1(0) ack 1 <TS val 6 ecr 0>");
  t.user_accepts();
  t.in_state(state::established);
}

TEST(rfc9293_simultaneous_open, figure_7) {  // RFC 9293 §3.5, figure 7, MUST-10
  auto t = script::opening();
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.in_state(state::syn_received);
  t.arrives("S. 0:0(0) ack 1");
  t.in_state(state::established);
  EXPECT_TRUE(t.told().established);
}

TEST(rfc9293_simultaneous_open, is_complete_with_a_plain_acknowledgement) {  // RFC 9293 §3.10.7.4, fifth step
  auto t = script::opening();
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.in_state(state::established);
}

TEST(rfc9293_simultaneous_open, before_our_syn_has_left_sends_one_answer) {  // RFC 9293 §3.10.7.3, fourth step
  script t;
  t.user_opens();
  t.datagram_arrives(t.datagram("S 0:0(0) win 65535 <mss 1460>"));
  t.sends("S. 0:0(0) ack 1");
  t.in_state(state::syn_received);
  t.arrives("S. 0:0(0) ack 1");
  t.in_state(state::established);
}

TEST(rfc9293_simultaneous_open, does_not_scale_the_window_of_a_syn) {  // RFC 7323 §2.2
  auto t = script::opening();
  t.arrives("S 0:0(0) win 65535 <mss 1460,nop,wscale 7>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives("S. 0:0(0) ack 1 win 1000 <mss 1460,nop,wscale 7>");
  t.in_state(state::established);
  EXPECT_EQ(t.status().snd_wnd, 1000u);
}

TEST(rfc9293_simultaneous_open, that_is_reset_was_refused) {  // RFC 9293 §3.10.7.4, second step, active open
  auto t = script::opening();
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives("R 1:1(0)");
  t.closed_with(make_error_code(std::errc::connection_refused));
}

TEST(rfc9293_passive_open, recovers_from_an_old_duplicate_syn) {  // RFC 9293 §3.5, figure 8
  auto t = script::listening();
  t.arrives("S 4000:4000(0) win 65535 <mss 1460>");  // from an earlier connection
  t.sends("S. 0:0(0) ack 4001");
  t.arrives("R 4001:4001(0)");  // the peer knows nothing of it
  t.in_state(state::listen);
  EXPECT_EQ(t.connections(), 0u);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.in_state(state::established);
}

TEST(rfc9293_active_open, resets_the_answer_to_an_old_duplicate_of_its_syn) {  // RFC 9293 §3.5, figure 8, line 4
  auto t = script::opening();
  t.arrives("S. 300:300(0) ack 90 win 65535 <mss 1460>");  // acknowledges what was never sent now
  t.sends("R 90:90(0)");
  t.in_state(state::syn_sent);
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  t.sends(". 1:1(0) ack 1");
  t.in_state(state::established);
}

TEST(rfc9293_half_open, is_discovered_by_the_side_that_lost_its_memory) {  // RFC 9293 §3.5.1, figure 9, our side is A
  auto t = script::opening();
  t.arrives(". 300:300(0) ack 100");  // the peer is in ESTABLISHED still and answers our SYN with an ACK
  t.sends("R 100:100(0)");
  t.in_state(state::syn_sent);
  t.silent_for(1s - 1us);
  t.passes(1us);
  t.sends("S 0:0(0)");  // lost memory or not, our SYN goes again
}

TEST(rfc9293_half_open, is_discovered_by_the_side_that_kept_it) {  // RFC 9293 §3.5.1, figure 9, our side is B
  auto t = script::established();
  t.arrives("S 90000:90000(0) win 65535 <mss 1460>");  // the peer starts anew
  t.sends(". 1:1(0) ack 1");
  t.in_state(state::established);
  t.arrives("R 1:1(0)");
  t.closed_with(make_error_code(std::errc::connection_reset));
}

TEST(rfc9293_half_open, is_discovered_by_the_active_side) {  // RFC 9293 §3.5.1, figure 10
  auto t = script::established();
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1");
  t.arrives("R 1:1(0)");  // the peer knows no such connection
  t.closed_with(make_error_code(std::errc::connection_reset));
}

TEST(rfc9293_half_open, text_for_no_connection_is_reset) {  // RFC 9293 §3.5.1, figure 10, the other side
  auto t = script::listening();
  t.arrives("P. 300:310(10) ack 100");
  t.sends("R 100:100(0)");
  t.in_state(state::listen);
}

TEST(rfc9293_half_open, two_passive_sides_return_to_listen) {  // RFC 9293 §3.5.1, figure 11
  auto t = script::listening();
  t.arrives("S 0:0(0) win 65535 <mss 1460>");  // an old duplicate
  t.sends("S. 0:0(0) ack 1");
  t.arrives("R 1:1(0)");  // the other side is in LISTEN, too
  t.in_state(state::listen);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(rfc9293_active_open, takes_text_and_fin_that_come_with_the_answer) {  // RFC 9293 §3.10.7.3, fourth step
  auto t = script::opening();
  t.arrives("SF. 0:10(10) ack 1 win 65535 <mss 1460>");
  // The text of a SYN begins one octet behind it: 0 is the SYN.
  t.sends(". 1:1(0) ack 12");
  t.in_state(state::close_wait);
  EXPECT_EQ(t.status().receive_queued, 10u);
}

TEST(rfc9293_active_open, takes_no_more_text_with_the_answer_than_its_window) {  // RFC 9293 §3.10.7.4, first step
  script_options o;
  o.stack.tcp.receive_buffer = 1000;
  auto t = script::opening(o);
  t.arrives("S. 0:1400(1400) ack 1 win 65535 <mss 1460>");
  t.sends(". 1:1(0) ack 1001 win 0");
  EXPECT_EQ(t.status().receive_queued, 1000u);
  EXPECT_EQ(t.status().rcv_wnd, 0u);
}

TEST(rfc9293_passive_open, answers_a_repeated_syn_once_more) {  // RFC 9293 §3.10.7.4: our answer may have been lost
  auto t = script::in(state::syn_received);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.in_state(state::syn_received);
}

TEST(rfc9293_passive_open, answers_two_syns_of_one_batch_once) {  // RFC 9293 §3.10.7.4, MUST-58
  auto t = script::listening();
  const auto syn = t.datagram("S 0:0(0) win 65535 <mss 1460>");
  t.datagram_arrives(syn);
  t.datagram_arrives(syn);
  t.sends("S. 0:0(0) ack 1");
  t.in_state(state::syn_received);
}

TEST(rfc9293_passive_open, takes_text_that_comes_with_the_third_segment) {  // RFC 9293 §3.10.7.4, fifth to seventh step
  auto t = script::in(state::syn_received);
  t.arrives("P. 1:11(10) ack 1");
  t.user_accepts();
  t.user_receives(10);
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
}

TEST(rfc9293_passive_open, takes_a_fin_that_comes_with_the_third_segment) {  // RFC 9293 §3.10.7.4, eighth step
  auto t = script::in(state::syn_received);
  t.arrives("FP. 1:11(10) ack 1");
  t.sends(". 1:1(0) ack 12");
  t.user_accepts();
  t.in_state(state::close_wait);
  t.user_receives(10);
  t.at_end();
}

TEST(rfc9293_passive_open, text_alone_completes_it_where_the_third_segment_was_lost) {  // RFC 9293 §3.10.7.4
  auto t = script::in(state::syn_received);
  t.arrives("P. 11:21(10) ack 1");  // even out of order
  t.sends(". 1:1(0) ack 1");
  t.user_accepts();
  t.in_state(state::established);
  t.arrives("P. 1:11(10) ack 1");
  t.sends(". 1:1(0) ack 21");
  t.user_receives(20);
}

}  // namespace
}  // namespace tunic::test
