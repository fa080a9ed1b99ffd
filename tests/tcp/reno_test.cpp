#include <gtest/gtest.h>

#include "tests/tcp/bottleneck.hpp"
#include "tests/tcp/facts.hpp"

// Reno and what it shares with CUBIC: RFC 5681, RFC 3465, RFC 7661, RFC 8511, RFC 4015. Segments of 1,000 octets.

namespace tunic::test {
namespace {

teller at_threshold(congestion_algorithm a = congestion_algorithm::reno) {
  teller t{a, 100};
  t.fills();
  t.loses();
  t.recovers();
  t.in_flight = 0;
  return t;
}

TEST(rfc5681_reno, slow_start_doubles_the_window_each_round_trip) {  // RFC 5681 §3.1, equation 2
  teller t{congestion_algorithm::reno};
  t.round_trip();
  EXPECT_EQ(t.cwnd(), 20);
  t.round_trip();
  EXPECT_EQ(t.cwnd(), 40);
}

TEST(rfc5681_reno, slow_start_counts_octets_not_acks) {  // RFC 3465, one ACK covers a super-segment
  teller t{congestion_algorithm::reno};
  t.round_trip(10);
  EXPECT_EQ(t.cwnd(), 20);
}

TEST(rfc5681_reno, congestion_avoidance_adds_a_segment_each_round_trip) {  // RFC 5681 §3.1
  auto t = at_threshold();
  EXPECT_EQ(t.cwnd(), 50);
  for (int i = 1; i <= 5; ++i) {
    t.round_trip();
    EXPECT_NEAR(t.cwnd(), 50 + i, 1) << i;
  }
}

TEST(reno, an_ack_adds_a_segment_at_most) {
  // RFC 5681 §3.1: no more than SMSS, whatever was saved up in a larger window
  auto t = at_threshold();
  t.ack({.delivered = 170, .acked = 170});
  EXPECT_EQ(t.cwnd(), 51);
  t.ack({.delivered = 1, .acked = 1});
  EXPECT_EQ(t.cwnd(), 51);
}

TEST(rfc5681_reno, a_loss_halves_the_window) {  // RFC 5681 §3.1, equation 4
  teller t{congestion_algorithm::reno, 100};
  t.fills();
  t.loses();
  EXPECT_EQ(t.ssthresh(), 50);
  t.recovers();
  EXPECT_EQ(t.cwnd(), 50);
}

TEST(rfc5681_reno, the_threshold_never_falls_below_two_segments) {  // RFC 5681 §3.1, equation 4
  teller t{congestion_algorithm::reno, 2};
  t.fills();
  t.times_out();
  EXPECT_EQ(t.ssthresh(), 2);
}

TEST(rfc5681_reno, a_mark_takes_a_fifth) {  // RFC 8511 §3.1, RFC 3168 §6.1.2
  teller t{congestion_algorithm::reno, 100};
  t.fills();
  t.cc->on_congestion(congestion_cause::ecn, t.in_flight, t.now);
  EXPECT_EQ(t.ssthresh(), 80);
  t.cc->on_congestion(congestion_cause::ecn, t.in_flight, t.now);
  EXPECT_EQ(t.ssthresh(), 80);  // once a window of data
  t.cc->on_congestion(congestion_cause::loss, t.in_flight, t.now);
  EXPECT_EQ(t.ssthresh(), 50);  // and a loss among it takes what a loss takes
  t.cc->on_congestion(congestion_cause::loss, t.in_flight, t.now);
  EXPECT_EQ(t.ssthresh(), 50);
}

TEST(rfc5681_reno, a_timeout_begins_again_at_one_segment) {  // RFC 5681 §3.1
  teller t{congestion_algorithm::reno, 100};
  t.fills();
  t.times_out();
  EXPECT_EQ(t.ssthresh(), 50);
  EXPECT_EQ(t.cwnd(), 1);
  t.times_out(true);
  EXPECT_EQ(t.ssthresh(), 50);  // of the same octets: held constant
  EXPECT_EQ(t.cwnd(), 1);
}

TEST(rfc5681_reno, a_timeout_during_recovery_is_not_charged_twice) {
  // RFC 5681 §3.1: no more than FlightSize / 2, which it is
  teller t{congestion_algorithm::reno, 100};
  t.fills();
  t.loses(10);
  t.times_out();
  EXPECT_EQ(t.ssthresh(), 50);
  EXPECT_EQ(t.cwnd(), 1);
}

TEST(rfc5681_reno, after_a_timeout_an_ack_counts_only_what_was_sent_since) {  // RFC 3465 §2.3
  teller t{congestion_algorithm::reno, 100};
  t.fills();
  t.times_out();
  t.sends(1);
  t.ack({.delivered = 90, .acked = 90});  // all the rest had arrived, without selective acknowledgement
  EXPECT_EQ(t.cwnd(), 2);
}

TEST(rfc5681_reno, slow_start_after_a_timeout_stops_at_the_threshold) {  // RFC 5681 §3.1
  teller t{congestion_algorithm::reno, 16};
  t.fills();
  t.times_out();
  for (const int window : {2, 4, 8}) {
    t.round_trip();
    EXPECT_EQ(t.cwnd(), window);
  }
  t.round_trip();
  EXPECT_EQ(t.cwnd(), 9);
  teller u{congestion_algorithm::reno, 16};
  u.fills();
  u.times_out();
  u.recovers(16, 0);
  u.sends(12);
  u.ack({.delivered = 12, .acked = 12});
  EXPECT_EQ(u.cwnd(), 8);
  u.ack({.delivered = 3, .acked = 3});
  EXPECT_EQ(u.cwnd(), 9);  // five of the twelve were congestion avoidance's already
}

TEST(rfc5681_reno, a_duplicate_ack_does_not_open_the_window) {  // RFC 5681 §3.2, step 1
  for (const bool reordering : {false, true}) {
    teller t{congestion_algorithm::reno};
    t.fills();
    t.phase = recovery_phase::disorder;
    t.ack({.delivered = 1, .acked = 0, .reordering = reordering});
    t.ack({.delivered = 1, .acked = 0, .reordering = reordering});
    EXPECT_EQ(t.cwnd(), 10);
    t.phase = recovery_phase::open;
    t.ack({.delivered = 1, .acked = 3, .reordering = reordering});
    EXPECT_EQ(t.cwnd(), reordering ? 13 : 11);  // on a path that reorders, what they reported counts in the end
  }
}

TEST(rfc5681_reno, the_ack_that_ends_an_episode_counts_only_what_it_brings) {  // RFC 5681 §3.2, step 6
  auto t = at_threshold();
  t.fills();
  t.loses();
  const double threshold = t.ssthresh();
  t.recovers(50);
  EXPECT_EQ(t.cwnd(), threshold);
}

TEST(rfc5681_reno, a_window_that_is_not_used_does_not_grow) {  // RFC 7661 §4.3
  teller t{congestion_algorithm::reno};
  t.limited = false;
  t.round_trip();
  EXPECT_EQ(t.cwnd(), 10);
  auto u = at_threshold();
  u.limited = false;
  for (int i = 0; i < 5; ++i) u.round_trip();
  EXPECT_EQ(u.cwnd(), 50);
}

TEST(rfc5681_reno, a_loss_in_a_window_that_was_not_used_takes_from_what_was) {  // RFC 7661 §4.4.1
  teller t{congestion_algorithm::reno};
  for (int i = 0; i < 3; ++i) t.round_trip();
  EXPECT_EQ(t.cwnd(), 80);
  t.limited = false;
  for (int i = 0; i < 5; ++i) {  // 20 a round trip
    t.sends(20);
    t.now += t.rtt;
    t.ack({.delivered = 20, .acked = 20, .round = true});
  }
  t.sends(20);
  t.loses();
  EXPECT_EQ(t.ssthresh(), 10);
}

TEST(rfc5681_reno, an_initial_window_needs_no_proof) {
  // RFC 6928 §2; and Linux's answer to a timeout of a lone segment
  teller t{congestion_algorithm::reno};
  t.sends(1);
  t.times_out();
  EXPECT_EQ(t.ssthresh(), 5);
}

TEST(rfc5681_reno, a_window_that_nobody_used_for_five_minutes_is_halved) {  // RFC 7661 §4.4.3
  teller t{congestion_algorithm::reno};
  for (int i = 0; i < 3; ++i) t.round_trip();
  t.limited = false;
  const instant unused = t.now;
  const auto small = [&] {
    t.sends(1);
    t.now += 1s;
    t.ack({.round = true});
  };
  while (t.now - unused < 299s) small();
  EXPECT_EQ(t.cwnd(), 80);
  while (t.now - unused < 310s) small();
  EXPECT_EQ(t.cwnd(), 40);
}

TEST(rfc5681_reno, after_an_idle_time_it_begins_with_the_restart_window) {  // RFC 5681 §4.1, RFC 7661 §4.4.3
  auto t = at_threshold();
  t.cc->on_idle(10 * seg, t.now);
  EXPECT_EQ(t.cwnd(), 10);
  EXPECT_EQ(t.ssthresh(), 50);  // slow start goes as far as the window was
  auto higher = at_threshold();
  while (higher.cwnd() < 80) higher.round_trip();
  higher.cc->on_idle(10 * seg, higher.now);
  EXPECT_NEAR(higher.ssthresh(), 60, 1);  // or to three quarters of it, where it had outgrown the threshold
  auto u = at_threshold();
  u.cc->on_idle(60 * seg, u.now);
  EXPECT_EQ(u.cwnd(), 50);  // a restart never opens the window
}

TEST(rfc5681_reno, an_episode_that_was_no_congestion_gives_everything_back) {  // RFC 4015 §3.2
  auto t = at_threshold();
  t.fills();
  t.loses(5);
  t.phase = recovery_phase::open;
  t.cc->on_undo(t.now);
  EXPECT_EQ(t.cwnd(), 50);
  EXPECT_EQ(t.ssthresh(), 50);

  t.in_flight = 50 * seg;
  t.times_out();
  t.times_out(true);
  t.sends(1);
  t.phase = recovery_phase::open;
  t.cc->on_undo(t.now);
  EXPECT_EQ(t.cwnd(), 50);
  EXPECT_EQ(t.ssthresh(), 50);
}

TEST(rfc5681_reno, losses_that_were_none_do_not_undo_marks) {  // RFC 3168 §6.1.2
  teller t{congestion_algorithm::reno, 100};
  t.fills();
  t.cc->on_congestion(congestion_cause::ecn, t.in_flight, t.now);
  t.cc->on_undo(t.now);
  EXPECT_EQ(t.cwnd(), 80);
  t.cc->on_congestion(congestion_cause::loss, t.in_flight, t.now);
  EXPECT_EQ(t.ssthresh(), 40);  // and the next loss is an episode of its own
}

TEST(rfc5681_reno, a_timeout_that_was_none_does_not_undo_the_mark_before_it) {  // RFC 4015 §3.4
  teller t{congestion_algorithm::reno, 100};
  t.fills();
  t.cc->on_congestion(congestion_cause::ecn, t.in_flight, t.now);
  t.times_out();
  t.sends(1);
  t.phase = recovery_phase::open;
  t.cc->on_undo(t.now);
  EXPECT_EQ(t.cwnd(), 80);
  EXPECT_EQ(t.ssthresh(), 80);
}

TEST(rfc5681_reno, an_undo_gives_back_what_was_before_the_first_of_several_timeouts) {  // RFC 4015 §3.2, pipe_prev
  teller t{congestion_algorithm::reno, 100};
  t.fills();
  t.times_out();
  t.round_trip();
  t.fills();
  t.times_out();
  t.cc->on_undo(t.now);
  EXPECT_EQ(t.cwnd(), 100);
  EXPECT_EQ(t.cc->ssthresh(), tcp::no_threshold);
}

TEST(rfc5681_reno, is_paced_at_twice_the_window_in_slow_start_and_at_six_fifths_after) {
  teller t{congestion_algorithm::reno};
  EXPECT_EQ(t.cc->pacing_rate(), 2 * 10 * seg * 10);
  auto u = at_threshold();
  EXPECT_EQ(u.cc->pacing_rate(), 50 * seg * 12);
  u.fills();
  u.loses(30);
  EXPECT_GE(u.cc->pacing_rate(), 25u * seg * 12);  // of the window to come, not of what is in flight
}

TEST(rfc5681_reno, has_no_rate_before_the_first_round_trip_time) {
  const auto cc = tcp::make_congestion_control(congestion_algorithm::reno, 1);
  cc->on_established(10 * seg, seg, std::nullopt, start);
  EXPECT_EQ(cc->pacing_rate(), 0u);
}

TEST(rfc5681_reno, the_window_never_exceeds_what_can_be_offered) {  // RFC 7323 §2.3
  teller t{congestion_algorithm::reno};
  for (int i = 0; i < 40; ++i) {
    ack_facts f;
    f.acked = f.delivered = t.cc->cwnd();
    f.window_limited = true;
    f.srtt = 100ms;
    t.cc->on_ack(f);
  }
  EXPECT_EQ(t.cc->cwnd(), 1u << 30);
}

TEST(rfc5681_reno, draws_a_sawtooth) {  // RFC 5681: between half of what the path holds and all of it
  path p{.rate = 10e6 / 8, .rtt = 40ms};
  p.queue = p.rate * 0.04;
  bottleneck b{p};
  auto& f = b.add(congestion_algorithm::reno);
  const double holds = (p.rate * 0.04 + p.queue) * flow::mss / (flow::mss + 40);
  b.run(instant{20s});
  double least = 1e9, most = 0;
  const unsigned before = f.episodes();
  b.run(instant{80s}, [&](instant) {
    if (f.cc().cwnd() < f.cc().ssthresh()) return;  // below it in recovery, for a round trip
    least = std::min<double>(least, f.cc().cwnd());
    most = std::max<double>(most, f.cc().cwnd());
  });
  EXPECT_NEAR(most, holds, holds / 10);
  EXPECT_NEAR(least, holds / 2, holds / 10);
  // A segment a round trip from half to all, at a round trip of 40 to 80 ms.
  EXPECT_NEAR(f.episodes() - before, 60 / (holds / 2 / flow::mss * 0.06), 6);
  EXPECT_EQ(f.timeouts(), 0u);
}

}  // namespace
}  // namespace tunic::test
