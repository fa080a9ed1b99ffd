#include <gtest/gtest.h>

#include "stack/tcp/recovery.hpp"
#include "tests/tcp/segments.hpp"

// Congestion control and fast retransmit: RFC 5681, RFC 6582, RFC 6928. Windows count octets; 14,600 are ten segments.

namespace tunic::test {
namespace {

using tcp::state;
constexpr duration rto_min = tcp::config{}.rto_min;

/// Reno's numbers are the RFC's own; the peer has no SACK.
script_options reno() {
  script_options o;
  o.stack.tcp.congestion = tcp::congestion_algorithm::reno;
  o.stack.tcp.mtu_search = false;
  return o;
}

/// Ten segments under way, the first of them lost, and so many duplicate ACKs.
script with_duplicates(int count, std::size_t octets = 14600) {
  auto t = script::established(reno());
  t.user_sends(octets);
  sends_text(t, 1, 14601, octets == 14600);
  for (int i = 0; i < count; ++i) t.arrives(". 1:1(0) ack 1");
  return t;
}

TEST(rfc6928_initial_window, is_ten_segments) {  // RFC 6928 §2
  auto t = script::established(reno());
  EXPECT_EQ(t.status().cwnd, 14600u);
  t.user_sends(20000);
  sends_text(t, 1, 14601, false);
  t.silent();
}

TEST(rfc6928_initial_window, is_one_segment_after_two_lost_syns) {  // RFC 6928 §2, RFC 5681 §3.1
  for (const int lost : {1, 2}) {
    auto t = script::opening(reno());
    for (int i = 0; i < lost; ++i) {
      t.passes(10s);
      t.sends("S 0:0(0)");
    }
    t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460>");
    t.sends(". 1:1(0) ack 1");
    EXPECT_EQ(t.status().cwnd, lost == 1 ? 14600u : 1460u);
  }
}

TEST(rfc5681_slow_start, grows_by_what_is_acknowledged) {  // RFC 5681 §3.1, equation 2, counting octets (RFC 3465)
  auto t = script::established(reno());
  t.user_sends(30000);
  sends_text(t, 1, 14601, false);
  t.arrives(". 1:1(0) ack 1461");
  EXPECT_EQ(t.status().cwnd, 14600u + 1460);
  sends_text(t, 14601, 17521, false);
  t.arrives(". 1:1(0) ack 14601");
  EXPECT_EQ(t.status().cwnd, 14600u + 14600);
  sends_text(t, 17521, 29201, false);
  t.sends("P. 29201:30001(800) ack 1");
}

TEST(rfc5681_slow_start, does_not_grow_for_a_window_that_is_not_used) {  // RFC 7661 §3
  auto t = script::established(reno());
  t.user_sends(1460);
  t.sends("P. 1:1461(1460) ack 1");
  t.arrives(". 1:1(0) ack 1461");
  EXPECT_EQ(t.status().cwnd, 14600u);
}

TEST(rfc5681_timeout, sets_the_threshold_to_half_of_the_flight_and_the_window_to_one_segment) {
  // RFC 5681 §3.1, equation 4
  auto t = with_duplicates(0);
  t.passes(rto_min);
  t.sends(". 1:1461(1460) ack 1");
  EXPECT_EQ(t.status().ssthresh, 7300u);
  EXPECT_EQ(t.status().cwnd, 1460u);
  t.passes(2 * rto_min);
  t.sends(". 1:1461(1460) ack 1");
  EXPECT_EQ(t.status().ssthresh, 7300u);  // held constant over further timeouts of the same segment
}

TEST(rfc5681_timeout, again_before_the_first_one_is_made_good_leaves_the_threshold) {
  // RFC 5681 §3.1, after equation 4
  auto t = with_duplicates(0);
  t.passes(rto_min);
  t.sends(". 1:1461(1460) ack 1");
  t.arrives(". 1:1(0) ack 1461");
  sends_text(t, 1461, 4381, false);
  t.passes(10s);
  t.sends(". 1461:2921(1460) ack 1");
  EXPECT_EQ(t.status().ssthresh, 7300u);
  EXPECT_EQ(t.status().cwnd, 1460u);
}

TEST(rfc5681_congestion_avoidance, begins_at_the_threshold_and_grows_by_a_segment_a_window) {  // RFC 5681 §3.1
  auto t = with_duplicates(0);
  t.passes(rto_min);
  t.sends(". 1:1461(1460) ack 1");
  t.arrives(". 1:1(0) ack 1461");
  EXPECT_EQ(t.status().cwnd, 2920u);
  sends_text(t, 1461, 4381, false);
  t.arrives(". 1:1(0) ack 4381");
  EXPECT_EQ(t.status().cwnd, 5840u);
  sends_text(t, 4381, 10221, false);
  t.arrives(". 1:1(0) ack 10221");
  EXPECT_EQ(t.status().cwnd, 7300u);  // the threshold
  sends_text(t, 10221, 14601);
  t.arrives(". 1:1(0) ack 11681");
  EXPECT_EQ(t.status().cwnd, 7300u);
  t.arrives(". 1:1(0) ack 14601");
  EXPECT_EQ(t.status().cwnd, 8760u);  // a window and a bit were acknowledged since
}

TEST(rfc5681_fast_retransmit, comes_with_the_third_duplicate) {  // RFC 5681 §3.2
  auto t = with_duplicates(2);
  t.silent();
  t.arrives(". 1:1(0) ack 1");
  t.sends(". 1:1461(1460) ack 1");
  EXPECT_EQ(t.status().ssthresh, 7300u);
  EXPECT_EQ(t.status().cwnd, 7u * 1460);  // what is in flight with it: the rate halves step by step (RFC 9937)
  EXPECT_EQ(t.status().retransmits, 1u);
}

TEST(rfc5681_fast_retransmit, counts_only_what_is_a_duplicate) {
  // RFC 5681 §2: no text, same window, something under way
  auto t = with_duplicates(2);
  t.arrives("P. 1:11(10) ack 1");           // carries text
  t.arrives(". 11:11(0) ack 1 win 65000");  // another window
  t.silent();
  t.passes(40ms);
  t.sends(". 14601:14601(0) ack 11");
  t.arrives(". 11:11(0) ack 1 win 65000");
  t.sends(". 1:1461(1460) ack 11");
}

TEST(rfc5681_fast_retransmit, needs_text_under_way) {
  auto t = script::established(reno());
  for (int i = 0; i < 5; ++i) t.arrives(". 1:1(0) ack 1");
  t.silent();
  EXPECT_EQ(t.status().cwnd, 14600u);
}

TEST(rfc3042_limited_transmit, sends_a_new_segment_for_each_of_the_first_two_duplicates) {  // RFC 3042 §2
  auto t = with_duplicates(0, 20 * 1460);
  t.arrives(". 1:1(0) ack 1");
  t.sends(". 14601:16061(1460) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.sends(". 16061:17521(1460) ack 1");
  EXPECT_EQ(t.status().cwnd, 14600u);
  t.arrives(". 1:1(0) ack 1");
  t.sends(". 1:1461(1460) ack 1");
}

TEST(rfc6582_newreno, sends_a_segment_for_two_that_have_left) {  // RFC 9937 §6.2: half of the window in a round trip
  auto t = with_duplicates(0, 30 * 1460);
  for (int i = 0; i < 3; ++i) {
    t.arrives(". 1:1(0) ack 1");
    if (i < 2) t.takes_sent();
  }
  t.sends(". 1:1461(1460) ack 1");
  int sent = 0;
  for (int i = 0; i < 8; ++i) {
    t.arrives(". 1:1(0) ack 1");
    if (t.takes_sent()) ++sent;
    t.silent();
  }
  EXPECT_EQ(sent, 4);
}

TEST(rfc6582_newreno, a_partial_acknowledgement_sends_the_next_hole) {  // RFC 6582 §3.2, step 3
  auto t = with_duplicates(3);
  t.sends(". 1:1461(1460) ack 1");
  for (int i = 3; i < 8; ++i) t.arrives(". 1:1(0) ack 1");
  t.arrives(". 1:1(0) ack 4381");
  t.sends(". 4381:5841(1460) ack 1");
  t.arrives(". 1:1(0) ack 1 win 65535");  // stale, changes nothing
  t.silent();
}

TEST(rfc6582_newreno, a_full_acknowledgement_ends_it_at_the_threshold) {  // RFC 6582 §3.2, step 3; RFC 9937 §6.2
  auto t = with_duplicates(3);
  t.sends(". 1:1461(1460) ack 1");
  for (int i = 3; i < 9; ++i) t.arrives(". 1:1(0) ack 1");
  t.arrives(". 1:1(0) ack 14601");
  EXPECT_EQ(t.status().cwnd, 7300u);
  EXPECT_EQ(t.status().ssthresh, 7300u);
  t.silent();
}

TEST(rfc6582_newreno, a_lost_retransmission_is_left_to_the_timer_without_sack) {
  auto t = with_duplicates(3);
  t.sends(". 1:1461(1460) ack 1");
  for (int i = 0; i < 6; ++i) t.arrives(". 1:1(0) ack 1");
  t.silent_for(rto_min - 1us);
  t.passes(1us);
  t.sends(". 1:1461(1460) ack 1");
  EXPECT_EQ(t.status().cwnd, 1460u);
}

TEST(rfc5681_fast_retransmit, does_not_start_again_for_what_recovery_sent) {  // RFC 6582 §3.2, step 1, and §4.1
  auto t = with_duplicates(0);
  t.passes(rto_min);
  t.sends(". 1:1461(1460) ack 1");
  t.arrives(". 1:1(0) ack 14601");  // all had arrived but the first
  t.user_sends(2 * 1460);
  sends_text(t, 14601, 17521);
  for (int i = 0; i < 4; ++i) t.arrives(". 1:1(0) ack 14601");  // duplicates of what was sent twice
  t.silent();
  t.arrives(". 1:1(0) ack 17521");
  t.user_sends(4 * 1460);
  sends_text(t, 17521, 17521 + 4 * 1460);
  for (int i = 0; i < 3; ++i) t.arrives(". 1:1(0) ack 17521");
  t.sends(". 17521:18981(1460) ack 1");
}

TEST(rfc5681_idle, restarts_from_the_initial_window) {  // RFC 5681 §4.1
  auto t = script::established(reno());
  t.user_sends(14600);
  sends_text(t, 1, 14601);
  t.arrives(". 1:1(0) ack 14601");
  EXPECT_EQ(t.status().cwnd, 29200u);
  t.silent_for(rto_min + 1us);
  t.user_sends(29200);
  sends_text(t, 14601, 29201, false);
  t.silent();
  EXPECT_EQ(t.status().cwnd, 14600u);
}

TEST(rfc5681_idle, of_less_than_a_timeout_keeps_the_window) {
  auto t = script::established(reno());
  t.user_sends(14600);
  sends_text(t, 1, 14601);
  t.arrives(". 1:1(0) ack 14601");
  t.silent_for(rto_min);
  t.user_sends(29200);
  sends_text(t, 14601, 43801);
}

}  // namespace
}  // namespace tunic::test
