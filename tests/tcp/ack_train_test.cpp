#include "stack/tcp/ack_train.hpp"

#include <gtest/gtest.h>

#include "tests/tcp/bottleneck.hpp"

// The train of ACKs (Ha and Rhee 2008), by which CUBIC leaves slow start.

namespace tunic::test {
namespace {

using namespace std::chrono_literals;
using tcp::congestion_algorithm;

/// How long a train of ACKs, so far apart, becomes until the path is taken for full; zero where it never is.
duration full_after(duration apart, duration min_rtt, bool paced = false) {
  tcp::ack_train t;
  const instant begin{100s};
  t.on_ack(true, paced, min_rtt, begin);
  for (instant now = begin + apart; now < begin + min_rtt; now += apart)
    if (t.on_ack(false, paced, min_rtt, now)) return now - begin;
  return {};
}

TEST(ack_train, half_a_round_trip_long_fills_the_path) {
  EXPECT_EQ(full_after(1ms, 100ms), 51ms);
  EXPECT_EQ(full_after(2ms, 100ms), 52ms);
}

TEST(ack_train, ends_with_a_gap) {
  EXPECT_EQ(full_after(3ms, 100ms), duration{});
  tcp::ack_train t;
  instant now{100s};
  t.on_ack(true, false, 100ms, now);
  for (int i = 0; i < 40; ++i) EXPECT_FALSE(t.on_ack(false, false, 100ms, now += 1ms));
  now += 10ms;
  for (int i = 0; i < 40; ++i) EXPECT_FALSE(t.on_ack(false, false, 100ms, now += 1ms));
}

TEST(ack_train, of_a_paced_sender_has_to_be_a_whole_round_trip_long) {
  EXPECT_EQ(full_after(1ms, 100ms, true), duration{});
  tcp::ack_train t;
  instant now{100s};
  t.on_ack(true, true, 50ms, now);
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(t.on_ack(false, true, 50ms, now += 1ms));
  EXPECT_TRUE(t.on_ack(false, true, 50ms, now += 1ms));
}

TEST(ack_train, tells_nothing_of_round_trips_that_scheduling_blurs) {
  EXPECT_EQ(full_after(100us, 5ms), 4100us);  // not 2.6 ms
  EXPECT_EQ(full_after(100us, 3ms), duration{});
}

TEST(ack_train, leaves_slow_start_with_a_full_pipe) {
  for (const double mbit : {20.0, 100.0}) {
    for (const duration rtt : {duration{20ms}, duration{100ms}}) {
      path p{.rate = mbit * 1e6 / 8, .rtt = rtt};
      p.queue = 2 * p.rate * std::chrono::duration<double>(rtt).count();
      bottleneck b{p};
      const auto& f = b.add(congestion_algorithm::cubic);
      b.run(instant{2s});
      EXPECT_LT(f.cc().ssthresh(), tcp::no_threshold) << mbit << ' ' << rtt / 1ms;
      EXPECT_GT(share(b, f, instant{2s}, instant{5s}, p.rate), 0.95) << mbit << ' ' << rtt / 1ms;
    }
  }
}

}  // namespace
}  // namespace tunic::test
