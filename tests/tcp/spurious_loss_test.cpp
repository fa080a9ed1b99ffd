#include <gtest/gtest.h>

#include "tests/tcp/flights.hpp"

// What was taken for lost and was not: RFC 5682 (after a timeout), RFC 3522, 4015 and 3708 (after a retransmission),
// and the duplicates that are reported (RFC 2883).

namespace tunic::test {
namespace {

using tcp::recovery_phase;

// --- RFC 5682: F-RTO

TEST(rfc5682_frto, an_acknowledgement_of_what_was_never_sent_again_shows_that_the_timeout_was_spurious) {  // §3.1, 3b
  auto t = with_flight();
  const auto before = t.status().cwnd;
  t.passes_unheard(rto + 250ms);  // the probe, then the timeout
  EXPECT_EQ(t.status().phase, recovery_phase::loss);
  t.arrives(". 1:1(0) ack 3001");
  EXPECT_EQ(t.status().phase, recovery_phase::open);
  EXPECT_GE(t.status().cwnd, before);
  t.silent();
}

TEST(rfc5682_frto, new_text_goes_before_what_is_taken_for_lost) {  // §3.1, step 2b
  auto t = with_flight(20'000);
  t.passes_unheard(2 * rtt + 10ms);  // the probe: 10001:11001
  t.passes(rto);
  t.sends(". 1:1001(1000) ack 1");
  t.arrives(". 1:1(0) ack 1001");
  t.sends(". 11001:12001(1000) ack 1");
  t.sends(". 12001:13001(1000) ack 1");
  t.silent();
  t.arrives(". 1:1(0) ack 1001 <sack 11001:12001>");  // step 3a: the rest was lost indeed
  t.sends(". 1001:2001(1000) ack 1");
  EXPECT_EQ(t.status().phase, recovery_phase::loss);
}

TEST(rfc5682_frto, without_sack_new_text_shows_that_the_timeout_was_spurious) {  // §2.1
  auto t = with_rtt({}, "mss 1000");
  t.user_sends(20'000);
  for (int i = 0; i < 10; ++i) t.takes_sent();
  const auto before = t.status().cwnd;
  t.passes(10s);
  t.sends(". 1:1001(1000) ack 1");
  EXPECT_EQ(t.status().phase, recovery_phase::loss);
  t.arrives(". 1:1(0) ack 1001");  // of either; step 2b: two new segments
  t.sends(". 10001:11001(1000) ack 1");
  t.sends(". 11001:12001(1000) ack 1");
  t.silent();
  t.arrives(". 1:1(0) ack 2001");  // step 3b: what was never sent again has arrived
  EXPECT_EQ(t.status().phase, recovery_phase::open);
  EXPECT_GE(t.status().cwnd, before);
  EXPECT_EQ(t.status().retransmits, 1u);
  t.passes_unheard(1us);
}

TEST(rfc5682_frto,
     without_sack_text_that_waited_behind_the_hole_shows_nothing) {  // §2.1: the first ACK decides nothing
  auto t = with_rtt({}, "mss 1000");
  t.user_sends(20'000);
  for (int i = 0; i < 10; ++i) t.takes_sent();
  t.passes(10s);
  t.sends(". 1:1001(1000) ack 1");
  t.arrives(". 1:1(0) ack 4001");  // 4001:5001 is missing as well
  EXPECT_EQ(t.status().phase, recovery_phase::loss);
  t.sends(". 10001:11001(1000) ack 1");
  t.passes_unheard(1us);
  t.arrives(". 1:1(0) ack 4001");
  t.sends(". 4001:5001(1000) ack 1");
  EXPECT_EQ(t.status().phase, recovery_phase::loss);
  t.passes_unheard(1us);
}

TEST(rfc5682_frto, is_not_tried_in_recovery) {  // §2.1, §3.1
  auto t = with_flight(20'000);
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 1001:4001>");
  t.sends(". 1:1001(1000) ack 1");
  EXPECT_EQ(t.status().phase, recovery_phase::recovery);
  while (t.takes_sent()) {
  }
  t.passes(10s);
  t.sends(". 1:1001(1000) ack 1");
  EXPECT_EQ(t.status().phase, recovery_phase::loss);
  t.arrives(". 1:1(0) ack 5001");  // 4001:5001 was never sent again
  EXPECT_EQ(t.status().phase, recovery_phase::loss);
  t.sends(". 5001:6001(1000) ack 1");
  t.passes_unheard(1us);
}

// --- RFC 3522 and 4015: Eifel

TEST(rfc3522_eifel, an_echo_older_than_the_retransmission_shows_that_it_was_needless) {
  auto t = with_rtt({}, "mss 1012,sackOK,TS val 1 ecr 0");
  t.user_sends(10'000);
  for (int i = 0; i < 10; ++i) t.takes_sent();
  const auto before = t.status().cwnd;
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <TS val 201 ecr 100,sack 1001:4001>");
  t.sends(". 1:1001(1000) ack 1");
  EXPECT_EQ(t.status().phase, recovery_phase::recovery);
  t.silent_for(10ms);
  t.arrives(". 1:1(0) ack 10001 <TS val 211 ecr 100>");  // it echoes what left before
  EXPECT_EQ(t.status().phase, recovery_phase::open);
  EXPECT_GE(t.status().cwnd, before);
}

TEST(rfc3522_eifel, the_first_retransmission_of_an_episode_is_what_an_echo_must_be_older_than) {  // §3.2
  auto t = with_rtt({}, "mss 1012,sackOK,TS val 1 ecr 0");
  t.user_sends(10'000);
  for (int i = 0; i < 10; ++i) t.takes_sent();
  const auto before = t.status().cwnd;
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <TS val 201 ecr 100,sack 1001:4001>");
  t.sends(". 1:1001(1000) ack 1");
  t.silent_for(10ms);
  t.arrives(". 1:1(0) ack 1 <TS val 211 ecr 100,sack 5001:8001 1001:4001>");
  t.sends(". 4001:5001(1000) ack 1");
  t.silent_for(rtt - 1ms);
  t.arrives(". 1:1(0) ack 10001 <TS val 301 ecr 200>");  // both have arrived, and were needed
  EXPECT_LT(t.status().cwnd, before);
}

// --- RFC 2883 and 3708: D-SACK

TEST(rfc2883_dsack, reports_text_that_arrives_twice) {  // §4
  auto t = with_rtt();
  t.arrives("P. 1:101(100) ack 1");
  t.passes_unheard(40ms);
  t.arrives("P. 1:101(100) ack 1");
  t.sends(". 1:1(0) ack 101 <sack 1:101>");
  t.arrives("P. 51:151(100) ack 1");
  t.sends(". 1:1(0) ack 151 <sack 51:101>");
}

TEST(rfc2883_dsack, reports_a_duplicate_ahead_of_a_gap_with_the_block_that_holds_it) {  // §4.1.2
  auto t = with_rtt();
  t.arrives("P. 101:201(100) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 101:201>");
  t.arrives("P. 201:301(100) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 101:301>");
  t.arrives("P. 151:251(100) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 151:251 101:301>");
}

TEST(rfc3708_dsack, that_reports_every_retransmission_undoes_the_reduction) {
  auto t = with_flight();
  const auto before = t.status().cwnd;
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 1001:4001>");
  t.sends(". 1:1001(1000) ack 1");
  t.silent_for(5ms);
  t.arrives(". 1:1(0) ack 4001");
  t.arrives(". 1:1(0) ack 10001");
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 10001 <sack 1:1001>");
  EXPECT_GE(t.status().cwnd, before);
  EXPECT_EQ(t.status().phase, recovery_phase::open);
}

TEST(rfc3708_dsack, that_reports_one_of_two_undoes_nothing) {  // §3
  auto t = with_flight();
  const auto before = t.status().cwnd;
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 2001:5001>");
  t.sends(". 1:1001(1000) ack 1");
  t.sends(". 1001:2001(1000) ack 1");
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 10001");
  t.arrives(". 1:1(0) ack 10001 <sack 1:1001>");
  EXPECT_LT(t.status().cwnd, before);
  EXPECT_LT(t.status().ssthresh, before);
}

}  // namespace
}  // namespace tunic::test
