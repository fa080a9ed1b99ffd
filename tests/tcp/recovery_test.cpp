#include <gtest/gtest.h>

#include "tests/tcp/flights.hpp"

// Loss recovery with SACK: RFC 2018 and 6675 (what is sent again), RFC 8985 (when it is lost, and the probe). What was
// no loss is in spurious_loss_test.

namespace tunic::test {
namespace {

using tcp::recovery_phase;

// --- RFC 6675

TEST(rfc6675_sack, three_segments_behind_a_hole_prove_it_lost) {
  auto t = with_flight();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 1001:2001>");
  t.arrives(". 1:1(0) ack 1 <sack 1001:3001>");
  t.silent();
  t.arrives(". 1:1(0) ack 1 <sack 1001:4001>");
  t.sends(". 1:1001(1000) ack 1");
  EXPECT_EQ(t.status().phase, recovery_phase::recovery);
  EXPECT_EQ(t.status().lost, 1000u);
  EXPECT_EQ(t.status().sacked, 3000u);
}

TEST(rfc6675_sack, what_nothing_proves_lost_does_not_go_again) {  // §4, NextSeg (5)
  auto t = with_flight();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 1001:4001>");
  t.sends(". 1:1001(1000) ack 1");
  t.arrives(". 1:1(0) ack 1 <sack 1001:9001>");
  t.silent();
}

TEST(rfc6675_sack, only_the_holes_are_sent_again) {
  auto t = with_flight();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 8001:10001 4001:7001 1001:2001>");
  t.sends(". 1:1001(1000) ack 1");
  t.sends(". 2001:3001(1000) ack 1");
  t.sends(". 3001:4001(1000) ack 1");
  t.sends(". 7001:8001(1000) ack 1");
  t.silent();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 10001");
  EXPECT_EQ(t.status().phase, recovery_phase::open);
  EXPECT_EQ(t.status().retransmits, 4u);
}

TEST(rfc6675_sack, a_block_stands_for_the_segments_that_it_holds_whole) {
  auto t = with_flight();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 1501:9501>");
  t.sends(". 1:1001(1000) ack 1");
  t.sends(". 1001:2001(1000) ack 1");
  t.silent();
  t.arrives(". 1:1(0) ack 9501");
  t.silent();
}

TEST(rfc6675_sack, an_acknowledgement_below_the_window_still_brings_its_blocks) {
  auto t = with_flight();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 5001");
  t.arrives(". 1:1(0) ack 4001 <sack 6001:9001>");
  t.sends(". 5001:6001(1000) ack 1");
}

TEST(rfc2018_reneging, what_the_peer_dropped_after_all_is_sent_again) {  // §8
  auto t = with_flight();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 1001:5001>");
  t.sends(". 1:1001(1000) ack 1");
  t.arrives(". 1:1(0) ack 1001 <sack 3001:5001>");  // 1001:3001 was promised
  t.passes(rto);
  t.sends(". 1001:2001(1000) ack 1");
  t.arrives(". 1:1(0) ack 2001");
  t.sends(". 2001:3001(1000) ack 1");
  t.sends(". 3001:4001(1000) ack 1");  // no promise of its holds any more
}

TEST(rfc3042_limited_transmit, needs_news_where_there_is_sack) {  // RFC 3042 §2
  auto t = with_flight(20'000);
  t.silent_for(rtt);
  for (int i = 0; i < 2; ++i) t.arrives(". 1:1(0) ack 1");  // duplicates that report nothing
  t.silent();
  t.arrives(". 1:1(0) ack 1 <sack 1001:2001>");
  t.sends(". 10001:11001(1000) ack 1");
  t.arrives(". 1:1(0) ack 1 <sack 1001:2001>");
  t.silent();
}

// --- RFC 8985: RACK

TEST(rfc8985_rack, a_lone_sacked_segment_waits_a_quarter_of_the_round_trip_for_what_was_overtaken) {  // §6.2, step 4
  auto t = with_flight();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 1001:2001>");
  t.silent_for(rtt / 4);
  t.passes(3ms);
  t.sends(". 1:1001(1000) ack 1");
}

TEST(rfc8985_rack, what_arrives_in_that_time_was_only_overtaken) {
  auto t = with_flight();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 1001:2001>");
  t.silent_for(rtt / 5);
  t.arrives(". 1:1(0) ack 2001");
  t.arrives(". 1:1(0) ack 10001");
  t.silent_for(10s);
  EXPECT_EQ(t.status().retransmits, 0u);
  EXPECT_EQ(t.status().cwnd, 19'000u);  // what was sacked before reordering was known opens nothing
}

TEST(rfc8985_rack, once_reordering_was_seen_three_segments_prove_nothing) {  // §6.2, step 4: DupThresh is off
  auto t = with_flight();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 1001:3001>");
  t.arrives(". 1:1(0) ack 10001");  // the first had only been overtaken
  t.user_sends(10'000);
  for (int i = 0; i < 10; ++i) t.takes_sent();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 10001 <sack 11001:17001>");
  t.silent_for(rtt / 4);
  t.passes(3ms);
  t.sends(". 10001:11001(1000) ack 1");
}

TEST(rfc8985_rack, a_lost_retransmission_is_found_by_what_was_sent_later) {  // §6.2, step 5
  auto t = with_flight(20'000);
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 1001:4001>");
  t.sends(". 1:1001(1000) ack 1");
  t.silent_for(1ms);
  t.arrives(". 1:1(0) ack 1 <sack 1001:10001>");
  const auto next = t.takes_sent();  // new text, sent a millisecond after the retransmission
  ASSERT_TRUE(next);
  while (t.takes_sent()) {
  }
  t.silent_for(rtt - 2ms);
  t.silent_for(1ms);
  t.arrives(". 1:1(0) ack 1 <sack 1001:11001>");
  t.sends(". 1:1001(1000) ack 1");
  t.sends(". 16001:17001(1000) ack 1");
}

TEST(rfc8985_rack, a_timeout_spares_what_was_sent_a_moment_ago) {  // §6.3
  auto t = with_flight(1000);
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1001");
  t.user_sends(1000);
  t.takes_sent();
  t.passes(rto);  // the probe
  t.takes_sent();
  t.silent_for(rto - 10ms);
  t.user_sends(1000);
  t.sends("P. 2001:3001(1000) ack 1");
  t.passes(10ms);
  t.sends("P. 1001:2001(1000) ack 1");
  EXPECT_EQ(t.status().lost, 1000u);
}

TEST(rfc8985_rack, a_needless_retransmission_widens_the_window_of_reordering) {  // §6.2, step 4: reo_wnd_mult
  auto t = with_flight();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 1001:2001>");
  t.passes(30ms);
  t.sends(". 1:1001(1000) ack 1");  // after a quarter of the round trip
  t.silent_for(5ms);
  t.arrives(". 1:1(0) ack 10001");
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 10001 <sack 1:1001>");
  t.user_sends(10'000);
  for (int i = 0; i < 10; ++i) t.takes_sent();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 10001 <sack 11001:12001>");
  t.silent_for(rtt / 2 - 1ms);  // two quarters now
  t.passes(5ms);
  t.sends(". 10001:11001(1000) ack 1");
}

// --- RFC 8985: TLP

TEST(rfc8985_tlp, the_last_segment_goes_again_after_two_round_trips) {  // §7.2, §7.3
  auto t = with_flight(2000);
  t.silent_for(2 * rtt);
  t.passes(3ms);
  t.sends("P. 1001:2001(1000) ack 1");
  EXPECT_EQ(t.status().cwnd, 10'000u);
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 1001:2001>");  // the probe brought the hole to light
  t.sends(". 1:1001(1000) ack 1");
}

TEST(rfc8985_tlp, one_segment_waits_for_a_delayed_acknowledgement) {  // §7.2: WCDelAckT
  auto t = with_flight(1000);
  t.silent_for(rto - 1us);
  t.passes(1us);
  t.sends("P. 1:1001(1000) ack 1");
}

TEST(rfc8985_tlp, new_text_is_the_better_probe) {  // §7.3, though the congestion window is full
  auto t = with_flight(20'000);
  t.passes(2 * rtt + 3ms);
  t.sends(". 10001:11001(1000) ack 1");
  EXPECT_EQ(t.status().retransmits, 0u);
}

TEST(rfc8985_tlp, without_a_sample_waits_a_second) {  // §7.2: the SYN that went again tells no round trip
  script_options o;
  o.stack.tcp.timestamps = false;
  auto t = script::listening(o);
  t.arrives("S 0:0(0) win 65535 <mss 1000,sackOK>");
  t.takes_sent();
  t.passes(10s);
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.user_sends(2000);
  t.takes_sent();
  t.takes_sent();
  t.silent_for(1s);
  t.passes(3ms);
  t.sends("P. 1001:2001(1000) ack 1");
}

TEST(rfc8985_tlp, is_tried_once_and_then_the_timeout_comes) {  // §7.3
  auto t = with_flight(2000);
  t.passes(2 * rtt + 3ms);
  t.sends("P. 1001:2001(1000) ack 1");
  t.silent_for(rto - 3ms);  // counted from the probe, whose answer may be under way
  t.passes(4ms);
  t.sends(". 1:1001(1000) ack 1");
  EXPECT_EQ(t.status().phase, recovery_phase::loss);
}

TEST(rfc8985_tlp, whose_probe_repaired_a_loss_slows_down) {  // §7.4.2
  auto t = with_flight(10'000);
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 9001");
  t.passes(rto);
  t.sends("P. 9001:10001(1000) ack 1");
  t.silent_for(rtt);
  const auto before = t.status().cwnd;
  t.arrives(". 1:1(0) ack 10001");
  t.user_sends(1000);
  t.sends("P. 10001:11001(1000) ack 1");
  t.arrives(". 1:1(0) ack 11001");
  EXPECT_LT(t.status().ssthresh, before);
}

TEST(rfc8985_tlp, whose_probe_was_needless_slows_nothing) {  // §7.4.2: the D-SACK tells
  auto t = with_flight(10'000);
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 9001");
  t.passes(rto);
  t.sends("P. 9001:10001(1000) ack 1");
  t.arrives(". 1:1(0) ack 10001");
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 10001 <sack 9001:10001>");
  t.user_sends(1000);
  t.sends("P. 10001:11001(1000) ack 1");
  t.arrives(". 1:1(0) ack 11001");
  EXPECT_EQ(t.status().phase, recovery_phase::open);
  EXPECT_GT(t.status().ssthresh, 1u << 20);
}

}  // namespace
}  // namespace tunic::test
