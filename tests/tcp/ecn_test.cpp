#include <gtest/gtest.h>

#include "tests/tcp/classic_ecn.hpp"

// Explicit congestion notification as RFC 3168 has it, and RFC 8511's milder answer. How it is agreed on is in
// ecn_handshake_test, RFC 9768 in accurate_ecn_test.

namespace tunic::test {
namespace {

using tcp::ecn_use;
using tcp::recovery_phase;

// --- What leaves with ECT(0)

TEST(rfc3168_ecn, marks_new_text_and_nothing_else) {  // §6.1.4, §6.1.5
  auto t = accepted();
  t.arrives("P. 1:11(10) ack 1");
  t.passes(40ms);
  t.sends("[noecn] . 1:1(0) ack 11");  // a pure ACK
  t.user_sends(2000);
  t.sends("[ect0] . 1:1001(1000) ack 11");
  t.sends("[ect0] P. 1001:2001(1000) ack 11");
  t.passes(10s);
  t.sends("[noecn] P. 1001:2001(1000) ack 11");  // a loss probe is a retransmission here
  t.passes(10s);
  t.sends("[noecn] . 1:1001(1000) ack 11");
  t.arrives(". 11:11(0) ack 2001");
  t.user_closes();
  t.sends("[noecn] F. 2001:2001(0) ack 11");
}

TEST(rfc3168_ecn, does_not_mark_window_probes) {  // §6.1.6
  auto t = accepted();
  t.user_sends(1000);
  t.sends("[ect0] P. 1:1001(1000) ack 1");
  t.arrives(". 1:1(0) ack 1001 win 0");
  t.user_sends(1000);
  t.passes(10s);
  t.sends("[noecn] . 1000:1000(0) ack 1");
  t.arrives(". 1:1(0) ack 1001");
  t.sends("[ect0] P. 1001:2001(1000) ack 1");
}

TEST(rfc3168_ecn, leaves_the_users_dscp_alone) {
  auto o = with(ecn_use::passive);
  auto t = accepted(o);
  t.connection().tos = 0xb8 | 3;  // expedited forwarding; the two bits of ECN are the stack's
  t.user_sends(1000);
  frame f;
  ASSERT_TRUE(t.stack().poll_transmit(f, t.now()));
  EXPECT_EQ(std::to_integer<int>(f.header()[1]), 0xb8 | 2);
  t.arrives("P. 1:3001(3000) ack 1001");
  ASSERT_TRUE(t.stack().poll_transmit(f, t.now()));
  EXPECT_EQ(std::to_integer<int>(f.header()[1]), 0xb8);
}

TEST(rfc3168_ecn, marks_the_traffic_class_of_version_6) {
  auto o = with(ecn_use::passive);
  o.ipv6 = true;
  auto t = accepted(o);
  t.user_sends(1000);
  t.sends("[ect0] P. 1:1001(1000) ack 1");
  t.arrives("[ce] P. 1:11(10) ack 1001");
  t.sends("[noecn] .E 1001:1001(0) ack 11");
}

// --- The receiver

TEST(rfc3168_ecn, echoes_ce_until_cwr_comes) {  // §6.1.3
  auto t = accepted();
  t.arrives("[ect0] P. 1:11(10) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
  t.arrives("[ce] P. 11:21(10) ack 1");
  t.sends(".E 1:1(0) ack 21");  // at once: the first of a row
  t.arrives("[ect0] P. 21:31(10) ack 1");
  t.passes(40ms);
  t.sends(".E 1:1(0) ack 31");
  t.user_sends(1000);
  t.sends("[ect0] P.E 1:1001(1000) ack 31");
  t.arrives("[ect0] P.W 31:41(10) ack 1001");
  t.sends(". 1001:1001(0) ack 41");
  t.arrives("[ce] P.W 41:51(10) ack 1001");  // it met congestion itself
  t.sends(".E 1001:1001(0) ack 51");
}

TEST(rfc3168_ecn, an_acknowledgement_of_several_tells_of_a_mark_on_any) {  // §6.1.3
  auto t = accepted();
  t.datagram_arrives(t.datagram("[ce] P. 1:11(10) ack 1"));
  t.datagram_arrives(t.datagram("[ect0] P. 11:21(10) ack 1"));
  t.sends(".E 1:1(0) ack 21");
}

TEST(rfc3168_ecn, ignores_marks_outside_of_the_window_and_on_pure_acks) {  // §6.1.5, §6.1.4
  auto t = accepted();
  t.arrives("P. 1:11(10) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
  t.arrives("[ce] P. 1:11(10) ack 1");
  t.sends(". 1:1(0) ack 11");
  t.arrives("[ce] . 11:11(0) ack 1");
  t.arrives("P. 11:21(10) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 21");
}

// --- The sender

TEST(rfc3168_ecn, answers_an_echo_once_a_window) {  // §6.1.2
  auto t = accepted();
  t.user_sends(20000);
  sends_capable(t, 1, 10001, false);
  t.arrives(".E 1:1(0) ack 1001");
  EXPECT_EQ(t.status().phase, recovery_phase::cwr);
  const auto ssthresh = t.status().ssthresh;
  EXPECT_LT(ssthresh, 10000u);
  while (t.takes_sent()) {
  }
  for (std::uint32_t ack = 2001; ack <= 10001; ack += 1000) {
    t.arrives(line_of(".E", 1, 0, ack));
    EXPECT_EQ(t.status().ssthresh, ssthresh) << ack;
    while (t.takes_sent()) {
    }
  }
  t.arrives(".E 1:1(0) ack 11001");  // sent after the reduction: congestion anew
  EXPECT_LT(t.status().ssthresh, ssthresh);
  EXPECT_EQ(t.status().retransmits, 0u);
  while (t.takes_sent()) {
  }
}

TEST(rfc3168_ecn, says_cwr_on_the_first_new_text_after_a_reduction) {  // §6.1.2
  auto t = accepted();
  t.user_sends(30000);
  sends_capable(t, 1, 10001, false);
  t.arrives(".E 1:1(0) ack 4001");
  t.sends("[ect0] .W 10001:11001(1000) ack 1");
  while (const auto h = t.takes_sent()) EXPECT_FALSE(h->flags.cwr);
  EXPECT_EQ(t.status().phase, recovery_phase::cwr);
  t.arrives(". 1:1(0) ack 11001");
  EXPECT_EQ(t.status().phase, recovery_phase::open);
  EXPECT_EQ(t.status().cwnd, t.status().ssthresh);
  while (const auto h = t.takes_sent()) EXPECT_FALSE(h->flags.cwr);
}

TEST(rfc3168_ecn, says_cwr_after_a_loss_too_and_not_on_what_is_sent_again) {  // §6.1.2
  auto t = accepted();
  t.user_sends(30000);
  sends_capable(t, 1, 10001, false);
  t.silent_for(100ms);
  t.arrives(". 1:1(0) ack 1 <sack 1001:6001>");
  t.sends("[noecn] . 1:1001(1000) ack 1");
  t.arrives(".E 1:1(0) ack 1 <sack 1001:9001>");  // answered already
  EXPECT_EQ(t.status().phase, recovery_phase::recovery);
  const auto ssthresh = t.status().ssthresh;
  t.sends("[ect0] .W 10001:11001(1000) ack 1");
  t.passes_unheard(1us);
  t.arrives(".E 1:1(0) ack 10001");
  EXPECT_EQ(t.status().ssthresh, ssthresh);
  while (t.takes_sent()) {
  }
}

TEST(rfc3168_ecn, says_cwr_after_a_timeout) {  // §6.1.2
  auto t = accepted();
  t.user_sends(1000);
  t.sends("[ect0] P. 1:1001(1000) ack 1");
  for (int i = 0; i < 2; ++i) {
    t.passes(10s);
    t.sends("[noecn] P. 1:1001(1000) ack 1");
  }
  t.arrives(". 1:1(0) ack 1001");
  t.user_sends(1000);
  t.sends("[ect0] P.W 1001:2001(1000) ack 1");
}

TEST(rfc3168_ecn, an_echo_on_a_syn_or_with_nothing_under_way_reduces_nothing) {  // §6.1.1
  auto t = opened();
  EXPECT_EQ(t.status().phase, recovery_phase::open);
  t.arrives(".E 1:1(0) ack 1");
  EXPECT_EQ(t.status().phase, recovery_phase::open);
  EXPECT_EQ(t.status().ssthresh, tcp::no_threshold);
}

TEST(rfc3168_ecn, an_echo_means_nothing_where_ecn_is_not_used) {
  auto t = script::established();
  t.user_sends(1000);
  t.sends("[noecn] P. 1:1001(1000) ack 1");
  t.arrives(".E 1:1(0) ack 1001");
  EXPECT_EQ(t.status().phase, recovery_phase::open);
}

TEST(rfc3168_ecn, a_super_segment_carries_cwr_for_the_device_to_leave_on_the_first) {  // device_capabilities
  auto o = with(ecn_use::passive);
  o.stack.device = {.checksum = false, .segmentation_v4 = true, .segmentation_v6 = true};
  auto t = accepted(o);
  t.user_sends(30000);
  for (std::uint32_t at = 1; at < 10'000; at += 2000) t.sends("[ect0] " + line_of("P.", at, 2000, 1));
  t.arrives(".E 1:1(0) ack 6001");
  t.sends("[ect0] P.W 10001:12001(2000) ack 1");
  t.sends("[ect0] P. 12001:14001(2000) ack 1");
}

// What packetdrill's public script of this name shows of Linux, with its numbers.
TEST(rfc3168_ecn, cwnd_moderation_ecn_enter_cwr_no_moderation_700) {
  auto o = with(ecn_use::passive, tcp::congestion_algorithm::cubic);
  auto t = accepted(o, "<mss 1000,nop,nop,sackOK,nop,wscale 7>");
  t.user_sends(4000);
  sends_capable(t, 1, 4001);
  EXPECT_EQ(t.status().cwnd, 10000u);
  t.silent_for(100ms);
  t.arrives("[noecn] .E 1:1(0) ack 1001 win 320");
  EXPECT_EQ(t.status().phase, recovery_phase::cwr);
  EXPECT_EQ(t.status().cwnd, 4000u);
}

// --- RFC 8511

TEST(rfc8511_abe, a_mark_takes_less_than_a_loss) {  // §3: 0.8 for Reno, where a loss takes 0.5
  auto t = accepted();
  t.user_sends(10000);
  sends_capable(t, 1, 10001);
  t.arrives(".E 1:1(0) ack 1001");
  EXPECT_EQ(t.status().ssthresh, 8000u);
}

TEST(rfc8511_abe, a_loss_in_the_same_window_takes_the_rest) {
  auto t = accepted();
  t.user_sends(10000);
  sends_capable(t, 1, 10001);
  t.arrives(".E 1:1(0) ack 1001");
  t.arrives(".E 1:1(0) ack 1001 <sack 2001:7001>");
  EXPECT_EQ(t.status().phase, recovery_phase::recovery);
  EXPECT_EQ(t.status().ssthresh, 5000u);
  t.sends("[noecn] . 1001:2001(1000) ack 1");
}

TEST(rfc8511_abe, a_loss_that_was_none_gives_back_its_own_part_only) {
  auto t = accepted();
  t.user_sends(10000);
  sends_capable(t, 1, 10001);
  t.silent_for(100ms);
  t.arrives(".E 1:1(0) ack 1001");
  t.arrives(". 1:1(0) ack 1001 <sack 2001:7001>");
  t.sends("[noecn] . 1001:2001(1000) ack 1");
  EXPECT_EQ(t.status().ssthresh, 5000u);
  t.silent_for(1ms);
  t.arrives(". 1:1(0) ack 10001 <sack 1001:2001>");  // RFC 2883: it had arrived after all
  EXPECT_EQ(t.status().phase, recovery_phase::open);
  EXPECT_EQ(t.status().ssthresh, 8000u);
}

}  // namespace
}  // namespace tunic::test
