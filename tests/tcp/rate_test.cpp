#include "stack/tcp/rate.hpp"

#include <gtest/gtest.h>

#include "stack/tcp/rtt.hpp"

// The delivery rate and what is noted of losses: draft-ietf-ccwg-bbr-05 §4.1 and §5.5.10.2.

namespace tunic::test {
namespace {

using namespace std::chrono_literals;
using tcp::scoreboard;

constexpr std::uint32_t seg = 1000;

scoreboard::run run(std::uint32_t from, std::uint32_t to, const tcp::transmission& t) {
  scoreboard::run r;
  r.begin = seq{from};
  r.end = seq{to};
  r.sent = t;
  return r;
}

TEST(windowed_min, forgets_what_is_older_than_its_window) {  // RFC 8985 §6.2
  tcp::windowed_min m;
  const instant start{1h};
  m.sample(10ms, 5min, start);
  for (auto at = 1min; at <= 5min; at += 1min) m.sample(20ms, 5min, start + at);
  EXPECT_EQ(m.value(), 10ms);
  m.sample(20ms, 5min, start + 5min + 1s);
  EXPECT_EQ(m.value(), 20ms);
  m.sample(15ms, 5min, start + 6min);
  EXPECT_EQ(m.value(), 15ms);
}

TEST(delivery_rate, is_what_arrived_over_the_time_that_it_took) {  // §4.1.2
  tcp::delivery_rate d;
  tcp::rate_samples f;
  const instant start{1h};
  std::vector<scoreboard::run> sent;
  for (std::uint32_t i = 0; i < 10; ++i) sent.push_back(run(i * seg, (i + 1) * seg, d.on_send(f, seg, i * seg, start)));
  for (std::uint32_t i = 0; i < 10; ++i) d.on_delivered(f, sent[i], start + 100ms + i * 10ms);
  const auto s = d.take_sample(f, 100ms);
  EXPECT_EQ(s.delivered, 10 * seg);
  EXPECT_EQ(s.interval, 190ms);
  EXPECT_EQ(s.tx_in_flight, 10 * seg);
  EXPECT_EQ(d.take_sample(f, 100ms).rate(), 0u);
}

TEST(delivery_rate, never_runs_backwards) {  // §4.1: C.delivered only grows
  tcp::delivery_rate d;
  tcp::rate_samples f;
  const instant start{1h};
  const auto hole = run(0, seg, d.on_send(f, seg, 0, start));
  const auto behind = run(seg, 4 * seg, d.on_send(f, 3 * seg, seg, start));
  d.on_delivered_unseen(f, 3 * seg, start + 50ms);  // three duplicate ACKs
  const auto next = run(4 * seg, 5 * seg, d.on_send(f, seg, 4 * seg, start + 50ms));
  EXPECT_EQ(next.sent.delivered, 3 * seg);
  f.discount(3 * seg);
  d.on_delivered(f, hole, start + 100ms);
  EXPECT_GE(d.delivered(), 3 * seg);
  d.on_delivered(f, behind, start + 100ms);
  EXPECT_EQ(d.delivered(), 4 * seg);
}

TEST(delivery_rate, tells_of_the_newest_that_was_lost) {  // §5.5.10.2
  tcp::delivery_rate d;
  tcp::rate_samples f;
  const instant start{1h};
  const auto a = run(0, seg, d.on_send(f, seg, 0, start));
  const auto b = run(seg, 2 * seg, d.on_send(f, seg, seg, start));
  d.on_delivered(f, a, start + 50ms);
  d.on_lost(5 * seg);  // another's
  const auto c = run(2 * seg, 4 * seg, d.on_send(f, 2 * seg, 7 * seg, start + 50ms));
  d.on_lost(3 * seg);
  f.note_lost(c);
  f.note_lost(b);
  const auto l = d.take_loss(f);
  EXPECT_EQ(l.octets, 2 * seg);
  EXPECT_EQ(l.tx_in_flight, 9 * seg);
  EXPECT_EQ(l.lost, 3 * seg);
  EXPECT_FALSE(l.app_limited);
  EXPECT_EQ(d.take_loss(f).octets, 0u);
}

}  // namespace
}  // namespace tunic::test
