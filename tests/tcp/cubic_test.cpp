#include <cmath>

#include <gtest/gtest.h>

#include "tests/tcp/facts.hpp"

// CUBIC: RFC 9438. Segments of 1,000 octets.

namespace tunic::test {
namespace {

void recover_from_a_loss(teller& t) {
  t.fills();
  t.loses();
  t.recovers();
  t.in_flight = 0;
}

/// A window of so many segments, and its queue.
teller with_a_queue(std::uint32_t window, duration rtt) {
  teller t{congestion_algorithm::cubic, window, rtt};
  t.queueing = rtt / 3;
  for (int i = 0; i < 2; ++i) t.ack({.delivered = 0, .acked = 0, .round = true});
  return t;
}

/// It has just met a loss, and recovered.
teller after_loss(std::uint32_t window, duration rtt = 100ms) {
  auto t = with_a_queue(window, rtt);
  recover_from_a_loss(t);
  t.queueing = {};
  return t;
}

/// The same by chance, and so often that a window of so many segments is what remains.
teller after_losses(double window, duration rtt) {
  constexpr int enough = 8;
  teller t{congestion_algorithm::cubic, static_cast<std::uint32_t>(window / std::pow(0.7, enough)), rtt};
  for (int i = 0; i < enough; ++i) recover_from_a_loss(t);
  return t;
}

double k(double w_max) {
  return std::cbrt(w_max * 0.3 / 0.4);
}

TEST(rfc9438_cubic, a_loss_leaves_seven_tenths) {  // RFC 9438 §4.6
  EXPECT_NEAR(after_loss(100).cwnd(), 70, 0.1);
}

TEST(rfc9438_cubic, a_mark_leaves_seventeen_twentieths) {  // RFC 8511 §3.1
  teller t{congestion_algorithm::cubic, 100};
  t.fills();
  t.cc->on_congestion(congestion_cause::ecn, t.in_flight, t.now);
  EXPECT_EQ(t.ssthresh(), 85);
}

TEST(rfc9438_cubic, cuts_the_window_not_what_is_in_flight) {
  // RFC 9438 §4.6, and Linux after a timeout of a lone segment
  teller t{congestion_algorithm::cubic};
  t.sends(1);
  t.times_out();
  EXPECT_EQ(t.ssthresh(), 7);
}

TEST(rfc9438_cubic, comes_back_to_w_max_at_k) {  // RFC 9438 §4.2, equation 2
  for (const std::uint32_t window : {1000u, 4000u}) {
    auto t = after_loss(window, 200ms);  // long enough that Reno would be slower
    t.round_trip(10);
    const instant epoch = t.now;
    const auto at = duration{static_cast<std::int64_t>(k(window) * 1e9)};
    while (t.now - epoch < at - 4 * t.rtt) t.round_trip(10);
    EXPECT_LT(t.cwnd(), window);
    while (t.now - epoch < at) t.round_trip(10);
    EXPECT_NEAR(t.cwnd(), window, window / 200.0);
  }
}

TEST(rfc9438_cubic, is_steep_then_flat_then_steep) {  // RFC 9438 §4.4 and §4.5, the concave and the convex region
  auto t = after_loss(2000, 200ms);
  const auto growth = [&](duration d) {
    const double before = t.cwnd();
    for (const instant until = t.now + d; t.now < until;) t.round_trip(10);
    return t.cwnd() - before;
  };
  const double kk = k(2000);  // 11.4 s
  const double early = growth(2s);
  growth(duration{static_cast<std::int64_t>((kk - 3) * 1e9)});
  const double middle = growth(2s);
  growth(8s);
  const double late = growth(2s);
  EXPECT_GT(early, 10 * middle);
  EXPECT_GT(late, 10 * middle);
}

TEST(rfc9438_cubic, does_not_depend_on_the_round_trip_time) {  // RFC 9438 §3.2
  const auto after = [](duration rtt) {
    auto t = after_loss(2000, rtt);
    for (const instant until = t.now + 8s; t.now < until;) t.round_trip(10);
    return t.cwnd();
  };
  EXPECT_NEAR(after(100ms), after(300ms), 20);
}

TEST(rfc9438_cubic, grows_by_half_of_the_window_a_round_trip_at_most) {  // RFC 9438 §4.2: target at most 1.5 cwnd
  auto t = after_loss(20, 3s);
  t.round_trip();
  t.round_trip();
  for (int i = 0; i < 3; ++i) {
    const double before = t.cwnd();
    t.round_trip(1000);
    EXPECT_LE(t.cwnd(), 1.5 * before + 1);
    EXPECT_GE(t.cwnd(), 1.4 * before);
  }
  const double before = t.cwnd();
  t.ack({.delivered = 1000, .acked = 1000});  // of several windows at once
  EXPECT_LE(t.cwnd(), 1.5 * before + 1);
}

TEST(rfc9438_cubic, is_no_slower_than_reno_where_that_is_faster) {  // RFC 9438 §4.3, the Reno-friendly region
  auto t = after_losses(34, 10ms);
  const double window = t.cwnd();
  const double alpha = 3 * 0.3 / 1.7;
  for (int i = 1; i <= 8; ++i) {
    t.round_trip();
    EXPECT_NEAR(t.cwnd(), window + i * alpha, 0.5) << i;
  }
  while (t.cwnd() < window / 0.7) t.round_trip();
  const double before = t.cwnd();  // what Reno had before the loss: from here on it would have grown as fast
  for (int i = 0; i < 5; ++i) t.round_trip();
  EXPECT_NEAR(t.cwnd(), before + 5, 0.5);
}

TEST(rfc9438_cubic, is_slow_beyond_the_window_at_which_a_queue_overflowed) {  // and not as fast as Reno, §4.3
  auto t = after_loss(20, 10ms);
  while (t.cwnd() < 20) t.round_trip();
  const double before = t.cwnd();
  for (int i = 0; i < 10; ++i) t.round_trip();
  EXPECT_NEAR(t.cwnd(), before + 10 * 3 * 0.3 / 1.7 * 0.75, 0.5);
}

/// Slow start ends by a rising round trip, without a loss.
teller after_slow_start(std::uint32_t window = 100, duration rtt = 50ms) {
  teller t{congestion_algorithm::cubic, window, rtt};
  for (int i = 0; i < 20 && t.cc->ssthresh() == tcp::no_threshold; ++i) {
    t.rtt += 20ms;
    t.round_trip();
  }
  t.rtt = rtt;
  return t;
}

/// By which share the window grows in a round trip.
double growth(teller& t) {
  const double before = t.cwnd();
  t.round_trip(10);
  return t.cwnd() / before - 1;
}

TEST(rfc9438_cubic, grows_by_a_twentieth_a_round_trip_until_congestion_has_shown_the_plateau) {
  auto t = after_slow_start();
  for (int i = 0; i < 10; ++i) EXPECT_NEAR(growth(t), 0.05, 0.005);
  t.queueing = 24ms;
  t.rtt = 50ms;
  for (int i = 0; i < 2; ++i) EXPECT_NEAR(growth(t), 0.02, 0.003);  // a long queue: it is about to overflow
  recover_from_a_loss(t);
  t.queueing = {};
  while (t.cwnd() < t.ssthresh() / 0.75) t.round_trip(10);
  EXPECT_LT(growth(t), 0.01);
}

TEST(rfc9438_cubic, does_not_explore_where_the_path_reorders) {
  auto t = after_slow_start();
  t.reorders = true;
  for (int i = 0; i < 10; ++i) EXPECT_LT(growth(t), 0.01);
}

TEST(rfc9438_cubic, takes_a_mark_for_the_plateau_whatever_the_queue) {  // a mark is nobody's chance
  auto t = after_slow_start();
  growth(t);
  t.fills();
  t.phase = recovery_phase::cwr;
  t.cc->on_congestion(congestion_cause::ecn, t.in_flight, t.now);
  t.recovers();
  t.in_flight = 0;
  while (t.cwnd() < t.ssthresh() / 0.88) t.round_trip(10);
  EXPECT_LT(growth(t), 0.01);
}

TEST(rfc9438_cubic, goes_on_growing_where_the_queue_is_not_its_own) {  // by less each time, and not by much
  for (const auto& [initial, rtt] : {std::pair{10u, 200ms}, {100u, 50ms}}) {
    auto t = after_slow_start(initial, rtt);
    for (int losses = 1; losses < 8; ++losses) {
      recover_from_a_loss(t);
      while (t.cwnd() < t.ssthresh() * 1.6) {  // past the plateau
        const double most = 30 * std::chrono::duration<double>(rtt).count() / t.cwnd();
        const double explores = std::min(1.0 / (30 + 10 * losses), most);
        const double flat = t.ssthresh() / 0.7;  // here the cubic function is
        const bool near = t.cwnd() > 0.98 * flat && t.cwnd() < 1.02 * flat;
        const double grown = growth(t);
        EXPECT_GT(grown, explores * 0.9) << losses;
        if (near) {
          EXPECT_LT(grown, explores + 0.003) << losses;
        }
      }
    }
    recover_from_a_loss(t);
    while (t.cwnd() < t.ssthresh() / 0.71) t.round_trip(10);
    EXPECT_LT(growth(t), 0.005);
  }
}

/// After a loss at `window` the next plateau is `share` of it, and is reached when RFC 9438 §4.2 says with that C.
void expect_plateau(teller& t, double window, double share, double c = 0.4) {
  t.round_trip(10);
  const instant epoch = t.now;
  const double w_max = window * share;
  const auto at = duration{static_cast<std::int64_t>(std::cbrt((w_max - window * 0.7) / c) * 1e9)};
  while (t.now - epoch < at / 2) t.round_trip(10);
  const double left = std::chrono::duration<double>(at - (t.now - epoch)).count();
  EXPECT_NEAR(t.cwnd(), w_max - c * left * left * left, 3 + w_max / 200);  // a round trip late
  while (t.now - epoch < at) t.round_trip(10);
  EXPECT_NEAR(t.cwnd(), w_max, w_max / 100);
}

TEST(rfc9438_cubic, a_second_loss_below_the_last_plateau_lowers_it) {  // RFC 9438 §4.7, fast convergence
  auto t = after_loss(1000, 200ms);
  t.round_trip(10);
  const double window = t.cwnd();
  ASSERT_LT(window, 1000);
  recover_from_a_loss(t);
  expect_plateau(t, window, 0.85);
}

/// It has been at so many segments, and meets a loss at less: others have filled the queue.
teller crowded(std::uint32_t window = 1000) {
  auto t = after_loss(window, 200ms);
  t.queueing = 80ms;
  for (int i = 0; i < 2; ++i) t.round_trip(10);
  recover_from_a_loss(t);
  return t;
}

TEST(rfc9438_cubic, makes_more_room_where_others_have_filled_the_queue) {  // §4.7 has 15 %, and C = 0.4
  auto t = crowded(10'000);
  expect_plateau(t, t.cwnd() / 0.7, 0.8, 0.2);
}

TEST(rfc9438_cubic, makes_room_after_a_mark_as_well) {  // RFC 8511 §3: a mark leaves more, and the plateau is above it
  auto t = after_loss(1000, 200ms);
  t.queueing = 80ms;
  for (int i = 0; i < 2; ++i) t.round_trip(10);
  const double window = t.cwnd();
  t.fills();
  t.phase = recovery_phase::cwr;
  t.cc->on_congestion(congestion_cause::ecn, t.in_flight, t.now);
  t.recovers();
  t.in_flight = 0;
  t.round_trip(10);
  while (t.cwnd() < 0.89 * window) t.round_trip(10);
  EXPECT_LT(growth(t), 0.002);  // flat at nine tenths
}

TEST(rfc9438_cubic, makes_room_for_an_equal_only) {
  auto t = crowded();
  recover_from_a_loss(t);  // still at more than half of 1,000
  t.round_trip(10);
  const double window = t.cwnd();
  ASSERT_LT(window, 500);
  recover_from_a_loss(t);
  expect_plateau(t, window, 0.85);
}

TEST(rfc9438_cubic, makes_room_until_its_share_stays) {
  auto t = crowded();
  const double first = t.cwnd() / 0.7;
  while (t.cwnd() < 0.9 * first) t.round_trip(10);  // beyond the plateau, and not at the last window
  const double second = t.cwnd();
  recover_from_a_loss(t);
  expect_plateau(t, second, 0.8, 0.2);
  while (t.cwnd() < second) t.round_trip(10);
  const double third = t.cwnd();
  recover_from_a_loss(t);
  expect_plateau(t, third, 1);
}

TEST(rfc9438_cubic, after_a_timeout_the_threshold_is_the_plateau) {  // RFC 9438 §4.8: K = 0 and W_max = cwnd
  auto t = with_a_queue(1000, 200ms);
  t.fills();
  t.times_out();
  t.queueing = {};
  EXPECT_EQ(t.ssthresh(), 700);
  while (t.cwnd() < 700) t.round_trip(10);
  const double window = t.cwnd();
  const instant epoch = t.now;
  while (t.now - epoch < 4s) t.round_trip(10);
  EXPECT_NEAR(t.cwnd(), window + 0.4 * 4.2 * 4.2 * 4.2, 2.5);  // the convex region from the start
}

TEST(rfc9438_cubic, adds_a_segment_for_each_thirteen_after_a_timeout_at_seven) {
  // as in Linux's script: W_est with alpha
  teller t{congestion_algorithm::cubic};
  t.sends(1);
  t.times_out();
  t.sends(1);
  t.now += 100ms;
  t.recovers();
  EXPECT_EQ(t.cwnd(), 2);
  for (int acks = 0; acks < 5; ++acks) t.ack({});
  EXPECT_EQ(t.cwnd(), 7);
  for (int acks = 0; acks < 13; ++acks) t.ack({});
  EXPECT_LT(t.cwnd(), 8);
  for (int acks = 0; acks < 3; ++acks) t.ack({});
  EXPECT_GE(t.cwnd(), 8);
}

TEST(rfc9438_cubic, a_loss_that_was_none_gives_the_epoch_back) {  // RFC 9438 §4.9
  auto t = after_loss(1000, 200ms);
  auto undisturbed = after_loss(1000, 200ms);
  for (int i = 0; i < 20; ++i) {
    t.round_trip(10);
    undisturbed.round_trip(10);
  }
  const double window = t.cwnd();
  t.fills();
  t.loses(3);
  EXPECT_LT(t.ssthresh(), window);
  t.phase = recovery_phase::open;
  t.cc->on_undo(t.now);
  t.in_flight = 0;
  EXPECT_EQ(t.cwnd(), window);
  for (int i = 0; i < 20; ++i) {
    t.round_trip(10);
    undisturbed.round_trip(10);
  }
  EXPECT_NEAR(t.cwnd(), undisturbed.cwnd(), 1);
}

TEST(rfc9438_cubic, time_without_use_is_no_time) {  // RFC 9438 §5.8
  auto t = after_loss(1000, 200ms);
  auto busy = after_loss(1000, 200ms);
  for (int i = 0; i < 10; ++i) {
    t.round_trip(10);
    busy.round_trip(10);
  }
  t.now += 60s;  // idle
  for (int i = 0; i < 10; ++i) {
    t.round_trip(10);
    busy.round_trip(10);
  }
  EXPECT_NEAR(t.cwnd(), busy.cwnd(), 2);
  t.limited = false;  // sends, but less than it might
  for (int i = 0; i < 200; ++i) {
    t.sends(1);
    t.now += 200ms;
    t.ack({.round = true});
  }
  t.limited = true;
  for (int i = 0; i < 10; ++i) {
    t.round_trip(10);
    busy.round_trip(10);
  }
  EXPECT_NEAR(t.cwnd(), busy.cwnd(), 4);
}

TEST(rfc9438_cubic, grows_alike_by_many_acks_and_by_few) {  // RFC 9438 §4.4: in proportion to what is acknowledged
  auto t = after_loss(2000, 200ms);
  auto rough = after_loss(2000, 200ms);
  for (int i = 0; i < 60; ++i) {
    t.round_trip(1);
    rough.round_trip(1000);
  }
  EXPECT_NEAR(t.cwnd(), rough.cwnd(), 5);
}

}  // namespace
}  // namespace tunic::test
