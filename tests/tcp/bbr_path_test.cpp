#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "stack/tcp/bbr.hpp"
#include "tests/tcp/bottleneck.hpp"

// BBR version 3 over a path: draft-ietf-ccwg-bbr-05, whose example test cases (appendix A) most of these are.

namespace tunic::test {
namespace {

using namespace std::chrono_literals;
using tcp::congestion_algorithm;
using state = tcp::bbr::state;

state phase(const flow& f) {
  return dynamic_cast<const tcp::bbr&>(f.cc()).phase();
}
double in_seconds(duration d) {
  return std::chrono::duration<double>(d).count();
}

struct cell {
  double mbit;
  duration rtt;
  [[nodiscard]] path with_queue(double bdps, double loss = 0) const {
    path p{.rate = mbit * 1e6 / 8, .rtt = rtt};
    p.queue = bdps * bdp();
    p.loss = loss;
    return p;
  }
  [[nodiscard]] double bdp() const { return mbit * 1e6 / 8 * in_seconds(rtt); }
};

std::ostream& operator<<(std::ostream& o, const cell& c) {
  return o << c.mbit << " Mbit/s, " << c.rtt / 1ms << " ms";
}

const cell cells[] = {{20, 10ms}, {20, 50ms}, {20, 200ms}, {100, 10ms}, {100, 50ms}, {100, 200ms}};

/// Runs until the flow is in a state, or `most` has passed.
bool reaches(bottleneck& b, const flow& f, state s, instant& now, duration most = 20s) {
  for (const instant until = now + most; now < until; now += 1ms) {
    b.run(now);
    if (phase(f) == s) return true;
  }
  return false;
}

TEST(bbr_path, startup_nearly_doubles_what_arrives_in_each_round_trip) {  // §5.3.1.1
  bottleneck b{cell{200, 100ms}.with_queue(2)};
  const auto& f = b.add(congestion_algorithm::bbr);
  b.run(instant{200ms});
  double last = static_cast<double>(f.delivered());
  for (int i = 3; i <= 8; ++i) {
    const auto before = f.delivered();
    b.run(instant{i * 100ms});
    const auto arrived = static_cast<double>(f.delivered() - before);
    EXPECT_GT(arrived, 1.6 * std::exchange(last, arrived)) << i;
  }
}

TEST(bbr_path, startup_ends_when_the_rate_no_longer_rises_and_drain_empties_the_queue) {  // §5.3.1.2 and §5.3.2
  for (const cell& c : cells) {
    bottleneck b{c.with_queue(4)};
    const auto& f = b.add(congestion_algorithm::bbr);
    instant now{};
    ASSERT_TRUE(reaches(b, f, state::drain, now, 20 * c.rtt)) << c;
    EXPECT_EQ(b.dropped(), 0u) << c;
    EXPECT_LT(b.most_queued(), 1.5 * c.bdp() + 20e3) << c;  // cwnd_gain keeps it near one pipe
    ASSERT_TRUE(reaches(b, f, state::probe_cruise, now, 5 * c.rtt)) << c;
    EXPECT_LT(b.queued(now), 0.1 * c.bdp() + 10e3) << c;
    EXPECT_NEAR(static_cast<double>(f.cc().pacing_rate()), c.mbit * 1e6 / 8 * 0.964, c.mbit * 1e6 / 8 * 0.03) << c;
  }
}

TEST(bbr_path, startup_ends_by_loss) {  // §5.3.1.3: more than the threshold, six times in a round trip of recovery
  bottleneck b{cell{100, 100ms}.with_queue(10, 0.2)};
  const auto& f = b.add(congestion_algorithm::bbr);
  instant now{};
  ASSERT_TRUE(reaches(b, f, state::drain, now, 3s));
  EXPECT_LT(static_cast<double>(f.delivered()), 0.9 * 12.5e6 * in_seconds(now.time_since_epoch()));
  bottleneck little{cell{100, 100ms}.with_queue(10, 0.005)};
  const auto& g = little.add(congestion_algorithm::bbr);
  now = {};
  ASSERT_TRUE(reaches(little, g, state::drain, now, 3s));
  EXPECT_GT(g.cc().pacing_rate(), 12.5e6 * 0.5 * 0.9);  // Drain's half of the whole
}

TEST(bbr_path, is_not_misled_by_a_user_who_sends_little) {  // §5.3.1.2: app-limited rounds do not count; appendix A
  bottleneck b{cell{100, 50ms}.with_queue(2)};
  auto& f = b.add(congestion_algorithm::bbr);
  f.limit(100e3);
  b.run(instant{4s});
  EXPECT_EQ(phase(f), state::startup);
  f.limit(0);
  EXPECT_GT(share(b, f, instant{5s}, instant{15s}, 12.5e6), 0.9);
}

TEST(bbr_path, fills_the_pipe_with_a_small_queue) {  // §3.1
  for (const cell& c : cells) {
    for (const double queue : {0.25, 2.0}) {
      bottleneck b{c.with_queue(queue)};
      const auto& f = b.add(congestion_algorithm::bbr);
      EXPECT_GT(share(b, f, instant{3s}, instant{33s}, c.mbit * 1e6 / 8), 0.9) << c << ", queue " << queue;
      EXPECT_LT(static_cast<double>(f.lost()), 0.02 * static_cast<double>(f.delivered())) << c;
      EXPECT_EQ(f.timeouts(), 0u);
    }
  }
}

TEST(bbr_path, keeps_the_queue_short) {  // §3.1: what CUBIC fills, BBR leaves empty but while it probes
  const cell c{100, 50ms};
  const auto mean_queue = [&](congestion_algorithm a) {
    bottleneck b{c.with_queue(2)};
    b.add(a);
    b.run(instant{3s});
    double sum = 0;
    int n = 0;
    b.run(instant{33s}, [&](instant now) {
      if (now < instant{3s}) return;
      sum += b.queued(now);
      ++n;
    });
    return sum / n / c.bdp();
  };
  EXPECT_LT(mean_queue(congestion_algorithm::bbr), 0.2);
  EXPECT_GT(mean_queue(congestion_algorithm::cubic), 0.5);
}

TEST(bbr_path, keeps_its_rate_while_one_segment_in_a_hundred_is_lost_by_chance) {  // §2.4, BBR.LossThresh
  for (const cell& c : cells) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
      path p = c.with_queue(2, 0.01);
      p.seed = seed;
      bottleneck b{p};
      const auto& f = b.add(congestion_algorithm::bbr, instant{}, seed);
      EXPECT_GT(share(b, f, instant{5s}, instant{35s}, p.rate), 0.93) << c << ", seed " << seed;
    }
  }
}

TEST(bbr_path, slows_down_where_the_path_does) {  // §5.5.10.3 and §5.5.6; appendix A
  const cell c{20, 50ms};
  bottleneck b{c.with_queue(1)};
  const auto& f = b.add(congestion_algorithm::bbr);
  b.run(instant{10s});
  b.settings().rate /= 10;  // with a queue of two pipes at the new rate
  b.settings().queue /= 5;
  double slowest = std::numeric_limits<double>::max();
  b.run(instant{12s}, [&](instant now) {
    if (now > instant{10s}) slowest = std::min(slowest, static_cast<double>(f.cc().pacing_rate()));
  });
  EXPECT_LT(slowest, 1.5 * b.settings().rate);
  b.run(instant{25s});
  const auto lost = f.lost();
  EXPECT_GT(share(b, f, instant{25s}, instant{45s}, b.settings().rate), 0.9);
  EXPECT_LT(static_cast<double>(f.lost() - lost), 0.03 * b.settings().rate * 20);
  EXPECT_LT(static_cast<double>(f.cc().pacing_rate()), 1.3 * b.settings().rate);
}

TEST(bbr_path, finds_a_bandwidth_ten_times_as_large) {  // §5.3.3.4; appendix A
  bottleneck b{cell{10, 50ms}.with_queue(20)};
  const auto& f = b.add(congestion_algorithm::bbr);
  b.run(instant{10s});
  b.settings().rate *= 10;
  EXPECT_GT(share(b, f, instant{20s}, instant{30s}, b.settings().rate), 0.9);
}

TEST(bbr_path, cycles_through_down_cruise_refill_and_up) {  // §5.3.3
  const cell c{20, 50ms};
  bottleneck b{c.with_queue(2)};
  const auto& f = b.add(congestion_algorithm::bbr);
  instant now{};
  const double rate = c.mbit * 1e6 / 8;
  for (const auto& [next, gain] :
       {std::pair{state::drain, 0.5}, std::pair{state::probe_cruise, 1.0}, std::pair{state::probe_refill, 1.0},
        std::pair{state::probe_up, 1.25}, std::pair{state::probe_down, 0.9}, std::pair{state::probe_cruise, 1.0}}) {
    ASSERT_TRUE(reaches(b, f, next, now)) << static_cast<int>(next);
    EXPECT_NEAR(static_cast<double>(f.cc().pacing_rate()), gain * rate * 0.964, 0.02 * rate) << static_cast<int>(next);
  }
}

std::vector<double> probes(std::uint64_t seed) {
  bottleneck b{cell{20, 100ms}.with_queue(2)};
  const auto& f = b.add(congestion_algorithm::bbr, instant{}, seed);
  std::vector<double> at;
  state last = state::startup;
  b.run(instant{60s}, [&](instant now) {
    if (phase(f) == state::probe_up && last != state::probe_up) at.push_back(in_seconds(now.time_since_epoch()));
    last = phase(f);
  });
  return at;
}

TEST(bbr_path, probes_for_bandwidth_every_two_to_three_seconds_at_moments_from_its_seed) {  // §5.3.3.5
  const auto at = probes(1);
  ASSERT_GE(at.size(), 10u);
  for (std::size_t i = 1; i < at.size(); ++i) {
    EXPECT_GT(at[i] - at[i - 1], 2.0) << i;
    EXPECT_LT(at[i] - at[i - 1], 6.5) << i;  // with the probe itself, and ProbeRTT once in between
  }
  EXPECT_EQ(at, probes(1));
  EXPECT_NE(at, probes(2));
}

TEST(bbr_path, probes_no_less_often_than_reno_would_have_grown_by_a_pipe) {  // §5.3.3.5.1
  const cell c{4, 20ms};                                                     // a pipe of seven segments
  bottleneck b{c.with_queue(4)};
  const auto& f = b.add(congestion_algorithm::bbr);
  b.run(instant{2s});
  int ups = 0;
  state last = phase(f);
  b.run(instant{4s}, [&](instant) {
    if (phase(f) == state::probe_up && std::exchange(last, phase(f)) != state::probe_up) ++ups;
    last = phase(f);
  });
  EXPECT_GE(ups, 4);
}

TEST(bbr_path, gives_half_of_the_pipe_back_for_200_ms_every_five_seconds) {  // §5.3.4, ProbeRTT
  const cell c{20, 50ms};
  bottleneck b{c.with_queue(2)};
  const auto& f = b.add(congestion_algorithm::bbr);
  int times = 0, ms = 0;
  state last = state::startup;
  double least = 1e9, queued = 0;
  instant entered{};
  b.run(instant{31s}, [&](instant now) {
    if (phase(f) == state::probe_rtt) {
      ++ms;
      if (last != state::probe_rtt) ++times;
      least = std::min<double>(least, f.in_flight());
      EXPECT_LE(f.cc().cwnd(), 0.55 * c.bdp());
      entered = last != state::probe_rtt ? now : entered;
      queued = now > entered + 100ms ? std::max(queued, b.queued(now)) : queued;
    }
    last = phase(f);
  });
  EXPECT_GE(times, 5);
  EXPECT_LE(times, 6);
  EXPECT_GE(ms, times * 200);
  EXPECT_LE(ms, times * 320);
  EXPECT_LT(queued, 4000);
  EXPECT_GT(least, 0.4 * c.bdp());
}

TEST(bbr_path, learns_a_longer_round_trip_time) {  // §5.3.4.3, the filter of ten seconds
  bottleneck b{cell{20, 50ms}.with_queue(4)};
  const auto& f = b.add(congestion_algorithm::bbr);
  b.run(instant{8s});
  b.settings().rtt = 150ms;
  EXPECT_GT(share(b, f, instant{25s}, instant{35s}, 2.5e6), 0.9);
}

TEST(bbr_path, an_idle_time_needs_no_probe_of_the_round_trip_time_and_no_slow_start) {  // §5.4.1; appendix A
  const cell c{20, 50ms};
  bottleneck b{c.with_queue(2)};
  auto& f = b.add(congestion_algorithm::bbr);
  instant now{};
  ASSERT_TRUE(reaches(b, f, state::probe_cruise, now));
  f.pause(now + 7s);
  b.run(now + 6900ms);
  EXPECT_EQ(f.in_flight(), 0u);
  const auto before = f.delivered();
  b.run(now + 7s + 150ms, [&](instant) { EXPECT_NE(phase(f), state::probe_rtt); });
  const double expected = 0.95 * c.mbit * 1e6 / 8 * 0.1;  // a round trip after the first data the pipe is full
  EXPECT_NEAR(static_cast<double>(f.delivered() - before), expected, 0.1 * expected);
}

TEST(bbr_path, sends_on_between_acks_that_come_in_bursts) {  // §5.5.9, extra_acked; appendix A
  const cell c{100, 20ms};
  path p = c.with_queue(3);
  p.aggregate = 40ms;
  bottleneck b{p};
  const auto& f = b.add(congestion_algorithm::bbr);
  EXPECT_GT(share(b, f, instant{3s}, instant{23s}, p.rate), 0.9);
}

TEST(bbr_path, keeps_four_segments_in_flight_over_less_than_a_segment) {  // §5.6.4.3, MinPipeCwnd; appendix A
  bottleneck b{path{.rate = 30e3, .rtt = 10ms, .queue = 30e3}};
  const auto& f = b.add(congestion_algorithm::bbr);
  b.run(instant{3s});
  b.run(instant{30s}, [&](instant) { EXPECT_GE(f.cc().cwnd(), 4 * flow::mss); });
  EXPECT_GT(share(b, f, instant{30s}, instant{40s}, 30e3), 0.9);
}

TEST(bbr_path, marks_count_as_losses_do) {  // §3.6: the response MUST treat any CE marks as congestion
  const cell c{20, 50ms};
  path p = c.with_queue(3);
  bottleneck plain{p};
  p.mark_above = 0.1 * c.bdp();
  bottleneck marking{p};
  const auto& f = plain.add(congestion_algorithm::bbr);
  const auto& g = marking.add(congestion_algorithm::bbr);
  const auto most_queued = [&](bottleneck& b) {
    double most = 0;
    b.run(instant{5s});
    b.run(instant{35s}, [&](instant now) {
      if (now > instant{5s}) most = std::max(most, b.queued(now));
    });
    return most / c.bdp();
  };
  EXPECT_GT(most_queued(plain), 0.5);
  EXPECT_LT(most_queued(marking), 0.45);
  EXPECT_EQ(f.lost() + g.lost(), 0u);
  EXPECT_GT(share(marking, g, instant{35s}, instant{65s}, p.rate), 0.85);
}

TEST(bbr_path, two_flows_share) {  // §5.3.3.6: headroom and ProbeBW_DOWN let the later one in
  for (const cell& c : {cell{20, 20ms}, cell{100, 20ms}}) {
    bottleneck b{c.with_queue(1)};
    const auto& first = b.add(congestion_algorithm::bbr, instant{}, 1);
    const auto& second = b.add(congestion_algorithm::bbr, instant{6s}, 2);
    b.run(instant{20s});
    const auto x0 = first.delivered(), y0 = second.delivered();
    b.run(instant{80s});
    const auto x = static_cast<double>(first.delivered() - x0), y = static_cast<double>(second.delivered() - y0);
    EXPECT_GT((x + y) * (x + y) / (2 * (x * x + y * y)), 0.95) << c << ": " << x << ' ' << y;
  }
}

TEST(bbr_path, leaves_cubic_its_share) {  // §5.3.3.5.1, coexistence
  const cell c{20, 50ms};
  bottleneck b{c.with_queue(1)};
  const auto& loss_based = b.add(congestion_algorithm::cubic);
  const auto& f = b.add(congestion_algorithm::bbr, instant{2s});
  b.run(instant{62s});
  EXPECT_GT(loss_based.delivered(), f.delivered() / 3);
  EXPECT_GT(f.delivered(), loss_based.delivered() / 3);
}

}  // namespace
}  // namespace tunic::test
