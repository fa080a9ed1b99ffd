#include "stack/tcp/hystart.hpp"

#include <gtest/gtest.h>

#include "tests/tcp/bottleneck.hpp"
#include "tests/tcp/facts.hpp"

// HyStart++: RFC 9406.

namespace tunic::test {
namespace {

/// Slow start with a window in octets, told of round trips.
struct slow_start {
  tcp::hystart h;
  std::uint32_t window = 10 * seg;

  void ack(bool round_start, duration rtt) {
    h.on_ack(round_start, rtt);
    window += h.growth(seg);
  }
  /// A round trip of so many ACKs of a segment each, with one round-trip time.
  void round(duration rtt, int acks = 8) {
    for (int i = 0; i < acks; ++i) ack(i == 0, rtt);
  }
};

TEST(rfc9406_hystart, a_steady_round_trip_time_leaves_slow_start_alone) {  // RFC 9406 §4.2
  slow_start s;
  for (int i = 0; i < 20; ++i) s.round(100ms);
  EXPECT_FALSE(s.h.conservative());
  EXPECT_EQ(s.window, 170 * seg);
}

TEST(rfc9406_hystart, a_small_rise_slows_growth_to_a_quarter) {
  // RFC 9406 §4.2, RttThresh and CSS_GROWTH_DIVISOR
  slow_start s;
  s.round(92ms);
  s.round(96ms);
  EXPECT_FALSE(s.h.conservative());
  s.round(98ms);  // by more than a sixteenth of 80 ms
  EXPECT_TRUE(s.h.conservative());
  const auto before = s.window;
  s.round(98ms);
  EXPECT_EQ(s.window - before, 2 * seg);
}

TEST(rfc9406_hystart,
     the_rise_that_counts_is_1500_microseconds_at_least_and_eight_milliseconds_at_most) {  // RFC 9406 §4.3
  slow_start s;
  s.round(1ms);
  s.round(2400us);
  EXPECT_FALSE(s.h.conservative());
  s.round(2600us);
  EXPECT_TRUE(s.h.conservative());
  slow_start far;
  far.round(500ms);
  far.round(507ms);
  EXPECT_FALSE(far.h.conservative());
  far.round(509ms);
  EXPECT_TRUE(far.h.conservative());
}

TEST(rfc9406_hystart, needs_eight_samples_in_a_round) {  // RFC 9406 §4.3, N_RTT_SAMPLE
  slow_start s;
  s.round(80ms);
  s.round(200ms, 7);
  EXPECT_FALSE(s.h.conservative());
  s.ack(false, 200ms);
  EXPECT_TRUE(s.h.conservative());
}

TEST(rfc9406_hystart, goes_by_the_least_of_a_round) {  // RFC 9406 §4.2: a round trip time that falls late is no rise
  slow_start s;
  s.round(200ms);
  for (int i = 0; i < 7; ++i) s.ack(i == 0, 300ms);
  s.ack(false, 29ms);
  EXPECT_FALSE(s.h.conservative());
}

TEST(rfc9406_hystart, five_conservative_rounds_end_slow_start) {  // RFC 9406 §4.2, CSS_ROUNDS: that of the rise counts
  slow_start s;
  s.round(80ms);
  s.round(100ms);
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(s.h.over()) << i;
    s.round(100ms);
  }
  EXPECT_FALSE(s.h.over());
  s.ack(true, 100ms);
  EXPECT_TRUE(s.h.over());
}

TEST(rfc9406_hystart, a_fall_of_the_round_trip_time_takes_slow_start_up_again) {  // RFC 9406 §4.2, cssBaselineMinRtt
  slow_start s;
  s.round(80ms);
  s.round(100ms);
  s.round(100ms);
  s.round(99ms);
  EXPECT_FALSE(s.h.conservative());
  const auto before = s.window;
  s.round(99ms);
  EXPECT_EQ(s.window - before, 8 * seg);
  for (int i = 0; i < 10; ++i) s.round(99ms);
  EXPECT_FALSE(s.h.over());
  for (int i = 0; i < 5; ++i) {  // and the next rise has five rounds of its own
    s.round(120ms);
    EXPECT_FALSE(s.h.over()) << i;
  }
  s.round(120ms);
  EXPECT_TRUE(s.h.over());
}

TEST(rfc9406_hystart, judges_a_round_by_its_first_samples) {  // or idle gaps between bursts would hide every queue
  slow_start s;
  s.round(80ms);
  s.round(100ms);
  s.ack(false, 80ms);
  EXPECT_TRUE(s.h.conservative());
}

TEST(rfc9406_hystart, an_ack_opens_the_window_by_all_that_it_covers) {  // RFC 9406 §4.3, L
  EXPECT_EQ(tcp::hystart{}.growth(40 * seg), 40 * seg);
}

TEST(rfc9406_hystart, a_rise_little_by_little_counts_as_well) {  // as behind somebody else's queue
  slow_start s;
  s.round(180ms);
  s.round(186ms);
  EXPECT_FALSE(s.h.conservative());
  s.round(192ms);
  EXPECT_TRUE(s.h.conservative());
}

TEST(rfc9406_hystart, is_for_the_first_slow_start_only) {  // RFC 9406 §4.3
  teller t{congestion_algorithm::cubic, 1000};
  t.fills();
  t.times_out();
  for (int window = 1; window < 512; window *= 2) {
    t.rtt = window < 32 ? 100ms : 200ms;
    EXPECT_EQ(t.cwnd(), window);
    t.round_trip();
  }
}

TEST(rfc9406_hystart, ends_cubics_slow_start_at_the_window_reached) {  // RFC 9406 §4.2: ssthresh = cwnd
  teller t{congestion_algorithm::cubic};
  t.round_trip();
  t.rtt = 200ms;
  for (int i = 0; i < 6 && t.cc->ssthresh() == tcp::no_threshold; ++i) t.round_trip();
  EXPECT_NE(t.cc->ssthresh(), tcp::no_threshold);
  EXPECT_NEAR(t.cwnd(), t.ssthresh(), t.ssthresh() / 20);  // and goes on by a twentieth a round trip
}

TEST(rfc9406_hystart, sees_the_rise_where_most_acks_are_duplicates) {  // as on a path that reorders
  teller t{congestion_algorithm::cubic, 20};
  for (int i = 0; i < 7; ++i) {
    t.fills();
    t.now += t.rtt;
    const std::uint32_t flight = t.in_flight / seg;
    for (std::uint32_t n = 1; n < flight; ++n) t.ack({.acked = 0, .round = n == 1, .reordering = true});
    t.ack({.acked = flight, .reordering = true});
    t.rtt += 10ms;
  }
  EXPECT_NE(t.cc->ssthresh(), tcp::no_threshold);
}

TEST(rfc9406_hystart, a_window_that_is_not_used_tells_nothing) {
  teller t{congestion_algorithm::cubic, 20};
  t.limited = false;
  for (int i = 0; i < 20; ++i) {
    t.round_trip();
    t.rtt += 10ms;
  }
  EXPECT_EQ(t.cc->ssthresh(), tcp::no_threshold);
}

TEST(rfc9406_hystart, leaves_slow_start_before_a_deep_queue_overflows) {  // RFC 9406 §1
  for (const auto rtt : {20ms, 50ms, 100ms, 200ms}) {
    for (const double rate : {20e6 / 8, 100e6 / 8}) {
      const double bdp = rate * std::chrono::duration<double>(rtt).count();
      const auto drops = [&](congestion_algorithm a, double queue) {
        path p{.rate = rate, .rtt = rtt};
        p.queue = queue * bdp;
        bottleneck b{p};
        b.add(a);
        b.run(instant{40 * rtt});
        return b.dropped();
      };
      EXPECT_EQ(drops(congestion_algorithm::cubic, 15), 0u) << rate << ' ' << rtt.count();
      EXPECT_GT(drops(congestion_algorithm::reno, 15), 0u) << rate << ' ' << rtt.count();
      // The rise is seen a round trip late, and five rounds follow: a queue of two pipes does overflow, but by less.
      const auto most = static_cast<double>(drops(congestion_algorithm::reno, 2));
      EXPECT_LE(static_cast<double>(drops(congestion_algorithm::cubic, 2)), bdp > 100e3 ? 0.6 * most : most);
    }
  }
}

}  // namespace
}  // namespace tunic::test
