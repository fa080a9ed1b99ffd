#include "stack/tcp/bbr.hpp"

#include <gtest/gtest.h>

#include "tests/tcp/facts.hpp"

// BBR version 3 by facts: draft-ietf-ccwg-bbr-05. bbr_path_test.cpp has what it makes of a path.

namespace tunic::test {
namespace {

using state = tcp::bbr::state;

/// A sender that is told of a path by round trips of 100 ms.
struct model {
  teller t{congestion_algorithm::bbr};
  std::uint64_t lost = 0;

  [[nodiscard]] state phase() const { return dynamic_cast<const tcp::bbr&>(*t.cc).phase(); }

  struct round {
    std::uint32_t segments = 100;  // delivered in the round trip
    std::uint32_t lost = 0;
    bool limited = false;
    std::uint32_t queued = 0;  // in flight as well, all the time
    bool sampled = true;
  };
  /// A round trip of ten ACKs, over which what is lost is spread.
  void passes(round r) {
    const std::uint64_t lost_before = lost;
    t.in_flight = (r.segments + r.lost + r.queued) * seg;
    t.cc->on_send(seg, t.in_flight - seg, r.limited, t.now);
    for (std::uint32_t i = 0; i < 10; ++i) {
      t.now += t.rtt / 10;
      ack_facts f;
      f.now = t.now;
      f.phase = t.phase;
      f.delivered = f.acked = r.segments * seg / 10;
      f.lost = (r.lost * (i + 1) / 10 - r.lost * i / 10) * seg;
      lost += f.lost;
      f.prior_in_flight = f.in_flight = t.in_flight;
      t.delivered += f.delivered;
      f.total_delivered = t.delivered;
      f.total_lost = lost;
      f.rtt = f.srtt = f.min_rtt = t.rtt;
      const auto lately = static_cast<std::uint32_t>(lost - lost_before);
      f.rate = {.delivered = r.segments * seg,
                .interval = r.sampled ? t.rtt : duration{},
                .prior_delivered = t.delivered - std::min<std::uint64_t>(t.delivered, r.segments * seg),
                .tx_in_flight = t.in_flight,
                .lost = lately,
                .app_limited = r.limited};
      if (f.lost > 0) f.loss = {seg, t.in_flight, lately, r.limited};
      t.cc->on_ack(f);
    }
  }
  void until(state s) { until(s, round{}); }
  void until(state s, round r) {
    for (int i = 0; i < 200 && phase() != s; ++i) passes(phase() == state::probe_rtt ? round{4, 0, true, 0} : r);
    ASSERT_EQ(phase(), s);
  }
  /// Until the rate is another. False where that takes more than so many round trips.
  bool changes(round r, int most) {
    const auto rate = t.cc->pacing_rate();
    for (int i = 0; i < most; ++i) {
      passes(r);
      if (t.cc->pacing_rate() != rate) return true;
    }
    return false;
  }
};

TEST(bbr, begins_at_277_hundredths_of_the_initial_window_a_round_trip) {  // §5.6.2, InitPacingRate
  const auto cc = tcp::make_congestion_control(congestion_algorithm::bbr, 1);
  cc->on_established(10 * seg, seg, 100ms, start);
  EXPECT_EQ(cc->pacing_rate(), 277'000u);
  EXPECT_EQ(cc->cwnd(), 10 * seg);
  const auto blind = tcp::make_congestion_control(congestion_algorithm::bbr, 1);
  blind->on_established(10 * seg, seg, std::nullopt, start);
  EXPECT_EQ(blind->pacing_rate(), 27'700'000u);  // as if the round-trip time were a millisecond
}

TEST(bbr, the_window_is_twice_the_pipe_and_the_rate_a_hundredth_below) {  // §5.6.2 and §5.6.4.2
  model m;
  m.until(state::probe_cruise);
  EXPECT_NEAR(static_cast<double>(m.t.cc->pacing_rate()), 990e3, 1e3);
  EXPECT_NEAR(m.t.cwnd(), 200 + 10, 15);  // and what arrives at once
}

TEST(bbr, probing_makes_the_window_larger_by_a_quarter_of_the_pipe_and_two_segments) {  // §5.6.1 and §5.6.4.2
  model m;
  m.until(state::probe_cruise);
  const double window = m.t.cwnd();
  m.until(state::probe_up);
  m.passes({});
  EXPECT_NEAR(m.t.cwnd() - window, 27, 0.5);
}

TEST(bbr, the_window_holds_what_the_hosts_on_either_side_hold_back) {  // §5.5.8, offload_budget
  model m;
  m.t.rtt = 200us;
  m.until(state::probe_cruise, {.segments = 20});  // 100 Mbyte/s: a pipe of 20 segments, a quantum of 64 KiB
  for (int i = 0; i < 10; ++i) m.passes({.segments = 20});
  EXPECT_GE(m.t.cwnd(), 3 * 65.536);
}

TEST(bbr, does_not_forget_the_rate_over_cycles_that_bring_no_sample) {  // duplicate ACKs without SACK bring none
  model m;
  m.until(state::probe_cruise);
  const auto rate = m.t.cc->pacing_rate();
  for (int i = 0; i < 300; ++i) m.passes({.lost = i % 4 == 0 ? 10u : 0u, .sampled = false});
  EXPECT_GT(m.t.cc->pacing_rate(), rate / 2);
}

TEST(bbr, growth_by_less_than_a_quarter_in_three_rounds_ends_startup) {  // §5.3.1.2
  const auto ends = [](double factor) {
    model m;
    double segments = 100;
    for (int i = 0; i < 6; ++i) {
      m.passes({.segments = static_cast<std::uint32_t>(segments)});
      segments *= factor;
    }
    return m.phase() != state::startup;
  };
  EXPECT_FALSE(ends(1.3));
  EXPECT_TRUE(ends(1.07));
}

TEST(bbr, a_few_losses_or_those_of_a_timeout_do_not_end_startup) {  // §5.3.1.3
  const auto ends = [](recovery_phase phase, std::uint32_t lost) {
    model m;
    m.t.phase = phase;
    double segments = 20;
    for (int i = 0; i < 6; ++i) {
      m.passes({.segments = static_cast<std::uint32_t>(segments), .lost = lost});
      segments *= 1.3;
    }
    return m.phase() != state::startup;
  };
  EXPECT_TRUE(ends(recovery_phase::recovery, 8));
  EXPECT_FALSE(ends(recovery_phase::recovery, 3));
  EXPECT_FALSE(ends(recovery_phase::loss, 8));
}

TEST(bbr, drain_ends_after_three_rounds_at_the_latest) {  // §5.3.2; appendix A
  model m;
  m.until(state::drain, {.queued = 150});
  for (int i = 0; i < 3; ++i) {
    m.passes({.queued = 150});
    EXPECT_EQ(m.phase(), state::drain) << i;
  }
  m.passes({.queued = 150});
  EXPECT_EQ(m.phase(), state::probe_down);
}

TEST(bbr, a_slower_sample_of_a_user_who_sends_little_does_not_lower_the_bandwidth) {  // §5.5.4
  model m;
  m.until(state::probe_cruise);
  for (int i = 0; i < 200; ++i) m.passes({.segments = 10, .limited = true});
  while (m.phase() == state::probe_rtt) m.passes({.segments = 10, .limited = true});
  EXPECT_GE(m.t.cc->pacing_rate(), 980'000u);
}

TEST(bbr, a_faster_sample_counts_whoever_sends_little) {  // §5.5.4
  model m;
  m.until(state::probe_cruise);
  m.passes({.segments = 150, .limited = true});
  EXPECT_NEAR(static_cast<double>(m.t.cc->pacing_rate()), 1485e3, 2e3);
}

TEST(bbr, an_idle_time_while_probing_ends_in_the_plain_rate) {  // §5.4.1
  model m;
  m.until(state::probe_up);
  EXPECT_NEAR(static_cast<double>(m.t.cc->pacing_rate()), 1.25 * 990e3, 2e3);
  m.t.cc->on_send(seg, 0, true, m.t.now + 3s);
  EXPECT_NEAR(static_cast<double>(m.t.cc->pacing_rate()), 990e3, 2e3);
}

TEST(bbr, two_cycles_of_less_lower_the_bandwidth) {  // §5.5.6, MaxBwFilterLen
  model m;
  m.until(state::probe_cruise);
  m.until(state::probe_up);
  m.until(state::probe_cruise, {.segments = 50});
  EXPECT_GT(m.t.cc->pacing_rate(), 900'000u);
  m.until(state::probe_up, {.segments = 50});
  m.until(state::probe_cruise, {.segments = 50});
  m.until(state::probe_up, {.segments = 50});
  m.until(state::probe_cruise, {.segments = 50});
  EXPECT_LT(m.t.cc->pacing_rate(), 550'000u);
}

TEST(bbr, heavy_loss_in_cruise_lowers_rate_and_window_by_three_tenths_a_round_at_most) {  // §5.5.10.3
  model m;
  m.until(state::probe_cruise);
  const double window = m.t.cwnd();
  const auto rate = static_cast<double>(m.t.cc->pacing_rate());
  ASSERT_TRUE(m.changes({.segments = 50, .lost = 20}, 3));
  EXPECT_NEAR(static_cast<double>(m.t.cc->pacing_rate()), 0.7 * rate, 0.02 * rate);
  // The window was lowered a round earlier as well: of the rate, the best of the last two rounds counts.
  EXPECT_NEAR(m.t.cwnd(), 0.49 * window, 0.02 * window);
  ASSERT_TRUE(m.changes({.segments = 50, .lost = 20}, 3));
  EXPECT_NEAR(static_cast<double>(m.t.cc->pacing_rate()), 0.5 * rate, 0.02 * rate);  // no less than arrives
  m.until(state::probe_refill);
  EXPECT_NEAR(static_cast<double>(m.t.cc->pacing_rate()), rate, 0.02 * rate);  // the next probe tries the whole again
}

TEST(bbr, a_few_losses_in_a_round_or_one_in_a_hundred_are_noise) {  // see adapt_lower_bounds
  model m;
  m.until(state::probe_cruise);
  EXPECT_FALSE(m.changes({.segments = 90, .lost = 3}, 8));
  model large;
  large.until(state::probe_cruise, {.segments = 1000});
  EXPECT_FALSE(large.changes({.segments = 980, .lost = 10}, 8));
  EXPECT_TRUE(large.changes({.segments = 900, .lost = 30}, 4));
}

TEST(bbr, losses_while_probing_bound_what_is_in_flight_and_end_the_probe) {  // §5.5.10.2; appendix A
  model m;
  m.until(state::probe_up);
  m.passes({.segments = 120, .lost = 10});
  EXPECT_EQ(m.phase(), state::probe_down);
  m.passes({.segments = 125});  // still more than leaves room for others
  EXPECT_EQ(m.phase(), state::probe_down);
  EXPECT_LE(m.t.cwnd(), 131);
  m.until(state::probe_cruise, {.segments = 80});
  EXPECT_LE(m.t.cwnd(), 0.85 * 131);
}

TEST(bbr, losses_while_probing_take_three_tenths_of_the_pipe_at_most) {  // §5.5.10.2, BBR.Beta
  model m;
  m.until(state::probe_up);
  m.passes({.segments = 20, .lost = 10});
  EXPECT_EQ(m.phase(), state::probe_cruise);
  EXPECT_NEAR(m.t.cwnd(), 0.85 * 70, 1);  // with headroom for others
}

TEST(bbr, after_a_probe_that_went_too_high_the_next_is_brief_and_if_it_was_safe_another_follows) {  // §5.3.3.4.2
  model m;
  m.until(state::probe_up);
  m.passes({.segments = 120, .lost = 10});
  m.until(state::probe_up, {.segments = 80});
  m.passes({.segments = 80});
  EXPECT_EQ(m.phase(), state::probe_up);
  m.passes({.segments = 100, .queued = 31});  // what was too much then
  EXPECT_EQ(m.phase(), state::probe_down);
  m.passes({.segments = 100, .queued = 31});
  m.passes({.segments = 100, .queued = 31});
  EXPECT_TRUE(m.phase() == state::probe_refill || m.phase() == state::probe_up);
  m.until(state::probe_up, {.segments = 100, .queued = 31});
  m.passes({.segments = 100, .queued = 31});
  EXPECT_EQ(m.phase(), state::probe_up);  // no longer brief
}

TEST(bbr, losses_of_less_than_two_per_cent_do_not_end_a_probe) {  // §2.4, BBR.LossThresh
  model m;
  m.until(state::probe_up);
  m.passes({.segments = 120, .lost = 1});
  EXPECT_EQ(m.phase(), state::probe_up);
}

TEST(bbr, losses_that_chance_explains_do_not_end_a_probe) {  // see chance()
  model m;
  m.until(state::probe_up);
  m.passes({.segments = 120, .lost = 4});
  EXPECT_EQ(m.phase(), state::probe_up);
  m.passes({.segments = 140, .lost = 10});
  EXPECT_EQ(m.phase(), state::probe_down);
}

TEST(bbr, a_spurious_episode_while_probing_is_probed_again) {  // §5.5.11; appendix A
  model m;
  m.until(state::probe_up);
  m.t.cc->on_congestion(congestion_cause::loss, m.t.in_flight, m.t.now);
  m.passes({.segments = 120, .lost = 10});
  ASSERT_EQ(m.phase(), state::probe_down);
  m.t.cc->on_undo(m.t.now);
  EXPECT_EQ(m.phase(), state::probe_refill);
  m.passes({.segments = 100});
  EXPECT_GT(m.t.cwnd(), 150);  // no bound remains
}

TEST(bbr, a_spurious_episode_in_cruise_gives_rate_and_window_back) {  // §5.5.11
  model m;
  m.until(state::probe_cruise);
  const auto rate = m.t.cc->pacing_rate();
  m.t.cc->on_congestion(congestion_cause::loss, m.t.in_flight, m.t.now);
  ASSERT_TRUE(m.changes({.segments = 50, .lost = 20}, 3));
  m.t.cc->on_timeout(m.t.in_flight, false, m.t.now);  // what was before the first of it counts
  m.t.cc->on_undo(m.t.now);
  m.passes({.segments = 100});
  EXPECT_EQ(m.t.cc->pacing_rate(), rate);
}

TEST(bbr, a_spurious_end_of_startup_is_taken_back) {  // §5.5.11; appendix A
  model m;
  m.passes({.segments = 20});
  m.passes({.segments = 40});
  m.t.phase = recovery_phase::recovery;
  m.t.cc->on_congestion(congestion_cause::loss, m.t.in_flight, m.t.now);
  m.passes({.segments = 80, .lost = 16});
  m.passes({.segments = 100, .lost = 20});
  ASSERT_NE(m.phase(), state::startup);
  m.t.phase = recovery_phase::open;
  m.t.cc->on_undo(m.t.now);
  EXPECT_EQ(m.phase(), state::startup);
  m.passes({.segments = 160});
  EXPECT_EQ(m.phase(), state::startup);
}

TEST(bbr, a_timeout_leaves_one_segment_and_its_recovery_gives_the_window_back) {  // §5.6.4.4
  model m;
  m.until(state::probe_cruise);
  const double window = m.t.cwnd();
  m.t.times_out();
  EXPECT_EQ(m.t.cwnd(), 1);
  m.passes({.segments = 10});
  EXPECT_EQ(m.t.cwnd(), 4 + 9);  // the first ACK allows four, each of the others one more
  m.t.phase = recovery_phase::open;
  m.t.cc->on_recovered(m.t.in_flight, m.t.now);
  EXPECT_NEAR(m.t.cwnd(), window, 1);
}

TEST(bbr, forgets_an_idle_restart_window) {  // §5.4.2
  model m;
  m.until(state::probe_cruise);
  const double window = m.t.cwnd();
  m.t.cc->on_idle(10 * seg, m.t.now);
  EXPECT_EQ(m.t.cwnd(), window);
}

TEST(bbr, probe_rtt_in_startup_leads_back_to_startup) {  // §5.3.4.4; appendix A
  model m;
  for (const std::uint32_t segments : {20u, 40u}) m.passes({.segments = segments});
  m.until(state::probe_rtt, {.segments = 40, .limited = true});
  // What ProbeRTT holds back is no plateau of the rate, though the user has more to send.
  for (int i = 0; i < 8 && m.phase() == state::probe_rtt; ++i) m.passes({.segments = 4});
  EXPECT_EQ(m.phase(), state::startup);
  m.passes({.segments = 4});
  EXPECT_EQ(m.phase(), state::startup);
}

TEST(bbr, probe_rtt_waits_until_half_of_the_pipe_is_empty_and_gives_the_window_back) {  // §5.3.4.3
  model m;
  m.until(state::probe_cruise);
  const double window = m.t.cwnd();
  for (int i = 0; i < 100 && m.phase() != state::probe_rtt; ++i) m.passes({});
  for (int i = 0; i < 10; ++i) m.passes({});
  EXPECT_EQ(m.phase(), state::probe_rtt);
  EXPECT_EQ(m.t.cwnd(), 50);
  for (int i = 0; i < 8 && m.phase() == state::probe_rtt; ++i) m.passes({.segments = 4});
  EXPECT_EQ(m.phase(), state::probe_cruise);
  EXPECT_NEAR(m.t.cwnd(), window, 15);
}

TEST(bbr, probe_rtt_lasts_a_round_trip_at_least) {  // §5.3.4.3
  model m;
  m.t.rtt = 1s;
  m.until(state::probe_rtt, {.segments = 10, .limited = true});
  m.passes({.segments = 4});
  EXPECT_EQ(m.phase(), state::probe_rtt);
}

TEST(send_quantum, is_a_millisecond_of_the_rate) {  // §5.6.3
  EXPECT_EQ(tcp::send_quantum(12'500'000, 1460), 12'500u);
  EXPECT_EQ(tcp::send_quantum(1'000'000, 1460), 2920u);
  EXPECT_EQ(tcp::send_quantum(10'000'000'000, 1460), 65'536u);
}

}  // namespace
}  // namespace tunic::test
