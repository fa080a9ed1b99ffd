#include "stack/tcp/scoreboard.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

// The scoreboard against a model that keeps a record an octet (RFC 6675 §3).

namespace tunic::test {
namespace {

using namespace std::chrono_literals;
using tcp::scoreboard;
using tcp::transmission;

transmission at(duration d, std::uint32_t in_flight = 0) {
  transmission t;
  t.at = instant{} + d;
  t.in_flight = in_flight;
  return t;
}

constexpr auto ignore = [](const scoreboard::run&) {};

TEST(scoreboard, what_leaves_at_one_moment_is_one_run) {
  scoreboard b;
  for (std::uint32_t i = 0; i < 100; ++i) b.on_sent(seq{i * 1000}, seq{(i + 1) * 1000}, at(1ms), 1000);
  EXPECT_EQ(b.size(), 1u);
  b.on_sent(seq{100'000}, seq{101'000}, at(2ms), 1000);
  EXPECT_EQ(b.size(), 2u);
  EXPECT_EQ(b.in_flight(), 101'000u);
}

TEST(scoreboard, a_super_segment_goes_again_as_it_went) {
  scoreboard b;
  for (std::uint32_t i = 0; i < 3; ++i) b.on_sent(seq{i * 2000}, seq{(i + 1) * 2000}, at(1ms), 1000);
  b.sack(seq{5000}, seq{6000}, ignore);
  b.mark_lost(seq{0}, seq{5000});
  b.acknowledge(seq{1000}, ignore);
  for (const std::uint32_t begin : {1000u, 2000u, 4000u}) {
    const auto s = b.next_lost();
    ASSERT_TRUE(s);
    EXPECT_EQ(s->begin, seq{begin});
    EXPECT_EQ(s->end, seq{begin == 2000 ? 4000u : begin + 1000});
    b.on_sent_again(s->begin, s->end, at(2ms), 1000);
  }
  EXPECT_FALSE(b.next_lost());
}

TEST(scoreboard, what_was_sent_again_is_forgotten_once_it_has_arrived) {
  scoreboard b;
  constexpr std::uint32_t rounds = 10'000;
  b.on_sent(seq{0}, seq{1000}, at(0ms), 1000);
  for (std::uint32_t i = 0; i < rounds; ++i) {  // as NewReno does it, without SACK: the head is lost, and never judged
    const seq head{i * 1000};
    b.on_sent(head + 1000, head + 2000, at(i * 1ms), 1000);
    b.mark_lost(head, head + 1000);
    b.on_sent_again(head, head + 1000, at(i * 1ms), 1000);
    b.acknowledge(head + 1000, ignore);
  }
  EXPECT_EQ(b.size(), 1u);
  EXPECT_LE(b.capacity(), 256u);
}

TEST(scoreboard, sacked_octets_are_told_once) {
  scoreboard b;
  b.on_sent(seq{0}, seq{10'000}, at(1ms), 1);
  std::uint32_t told = 0;
  const auto count = [&](const scoreboard::run& r) { told += r.size(); };
  b.sack(seq{2000}, seq{3000}, count);
  b.sack(seq{2000}, seq{3000}, count);
  b.sack(seq{1000}, seq{5000}, count);
  EXPECT_EQ(told, 4000u);
  EXPECT_EQ(b.sacked(), 4000u);
  EXPECT_EQ(b.highest_sacked(), seq{5000});
  b.acknowledge(seq{3000}, count);
  EXPECT_EQ(told, 5000u);  // the first thousand; the rest was told
  EXPECT_EQ(b.in_flight(), 5000u);
}

TEST(rfc9937_prr, duplicates_cannot_claim_more_than_was_in_flight) {  // §6.2
  scoreboard b;
  b.on_sent(seq{0}, seq{10'000}, at(1ms), 1);
  b.mark_lost(seq{0}, seq{1000});
  b.presume(20'000);
  EXPECT_EQ(b.presumed(), 9000u);
  EXPECT_EQ(b.in_flight(), 0u);
}

TEST(scoreboard, the_lowest_loss_goes_first) {  // RFC 6675 §4, NextSeg (1)
  scoreboard b;
  b.on_sent(seq{0}, seq{10'000}, at(1ms), 1);
  EXPECT_FALSE(b.next_lost());
  b.mark_lost(seq{4000}, seq{6000});
  b.mark_lost(seq{1000}, seq{2000});
  auto s = b.next_lost();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->begin, seq{1000});
  EXPECT_EQ(s->end, seq{2000});
  b.on_sent_again(seq{1000}, seq{2000}, at(2ms), 1);
  s = b.next_lost();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->begin, seq{4000});
  EXPECT_EQ(s->end, seq{6000});
  EXPECT_EQ(b.in_flight(), 10'000u - 3000 + 1000);
}

TEST(scoreboard, retransmissions_are_judged_in_the_order_of_their_time) {  // RFC 8985 §6.2, step 5
  scoreboard b;
  b.on_sent(seq{0}, seq{3000}, at(1ms), 1);
  b.mark_lost(seq{0}, seq{3000});
  b.on_sent_again(seq{2000}, seq{3000}, at(2ms), 1);
  b.on_sent_again(seq{0}, seq{1000}, at(3ms), 1);
  std::vector<std::uint32_t> asked;
  const auto before = [&](duration limit) {
    return [&asked, limit](const scoreboard::run& r) {
      asked.push_back(r.begin.value());
      return r.sent.at < instant{} + limit;
    };
  };
  EXPECT_EQ(b.judge(before(3ms)), 1000u);
  EXPECT_EQ(asked, (std::vector<std::uint32_t>{2000, 0}));
  EXPECT_EQ(b.judge(before(4ms)), 1000u);
  EXPECT_EQ(b.resent(), 0u);
  EXPECT_EQ(b.judge(before(5ms)), 0u);
}

TEST(scoreboard, believes_of_a_block_the_whole_segments) {
  scoreboard b;
  b.on_sent(seq{0}, seq{4500}, at(1ms), 1000);  // the last of five is short
  std::uint32_t told = 0;
  const auto count = [&](const scoreboard::run& r) { told += r.size(); };
  b.sack(seq{4499}, seq{4500}, count);
  b.sack(seq{1500}, seq{1600}, count);
  b.sack(seq{1}, seq{1999}, count);
  EXPECT_EQ(told, 0u);
  EXPECT_EQ(b.size(), 1u);
  b.sack(seq{500}, seq{2500}, count);
  EXPECT_EQ(told, 1000u);
  b.sack(seq{3500}, seq{4500}, count);
  EXPECT_EQ(told, 1500u);
}

TEST(scoreboard, keeps_segments_of_other_sizes_apart) {
  scoreboard b;
  for (std::uint32_t i = 0; i < 5; ++i) b.on_sent(seq{i * 100}, seq{i * 100 + 100}, at(1ms), 1000);
  std::uint32_t told = 0;
  b.sack(seq{200}, seq{400}, [&](const scoreboard::run& r) { told += r.size(); });
  EXPECT_EQ(told, 200u);
}

TEST(scoreboard, knows_where_a_push_stands) {
  scoreboard b;
  b.on_sent(seq{0}, seq{3000}, at(1ms), 1000, true);
  b.on_sent(seq{3000}, seq{5000}, at(2ms), 1000);
  b.sack(seq{1000}, seq{2000}, [](const auto&) {});
  EXPECT_FALSE(b.pushed_within(seq{0}, seq{1000}));
  EXPECT_TRUE(b.pushed_within(seq{2000}, seq{3000}));
  EXPECT_TRUE(b.pushed_within(seq{0}, seq{5000}));
  EXPECT_FALSE(b.pushed_within(seq{3000}, seq{5000}));
}

TEST(scoreboard, a_hostile_peer_cannot_make_it_grow_without_end) {
  scoreboard b;
  b.on_sent(seq{0}, seq{1u << 20}, at(1ms), 1);
  for (std::uint32_t i = 1; i < 1u << 20; i += 2) b.sack(seq{i}, seq{i + 1}, ignore);
  EXPECT_LE(b.size(), (1u << 14) + 1);
}

// Whatever happens in whatever order: the same octets sacked, lost and on their way as in a model of single octets.
class model {
 public:
  struct octet {
    bool sacked = false, lost = false, resent = false, again = false;
    instant at;
  };
  std::vector<octet> octets;  // from una on
  [[nodiscard]] std::uint32_t count(bool octet::*flag) const {
    std::uint32_t n = 0;
    for (const auto& o : octets) n += o.*flag ? 1 : 0;
    return n;
  }
};

TEST(scoreboard, agrees_with_a_model_of_single_octets) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random{seed};
    const auto draw = [&](std::uint32_t n) { return std::uint32_t(random() % n); };
    scoreboard b;
    model m;
    seq una{0xffffff00u};
    instant now{};
    for (int step = 0; step < 200; ++step) {
      now += std::chrono::microseconds{draw(3)};
      const auto size = static_cast<std::uint32_t>(m.octets.size());
      const std::uint32_t from = size > 0 ? draw(size) : 0;
      const std::uint32_t to = size > 0 ? from + 1 + draw(std::min(size - from, 12u)) : 0;
      transmission t;
      t.at = now;
      switch (draw(7)) {
        case 0:
        case 1: {
          const std::uint32_t n = 1 + draw(20);
          b.on_sent(una + size, una + size + n, t, 1);
          m.octets.resize(size + n, {.at = now});
          break;
        }
        case 2: {
          std::uint32_t told = 0, expected = 0;
          for (std::uint32_t i = from; i < to; ++i) {
            expected += m.octets[i].sacked ? 0 : 1;
            m.octets[i].sacked = true;
            m.octets[i].lost = m.octets[i].resent = false;
          }
          b.sack(una + from, una + to, [&](const scoreboard::run& r) { told += r.size(); });
          ASSERT_EQ(told, expected) << seed;
          break;
        }
        case 3: {
          std::uint32_t told = 0, expected = 0;
          for (std::uint32_t i = 0; i < from; ++i) expected += m.octets[i].sacked ? 0 : 1;
          m.octets.erase(m.octets.begin(), m.octets.begin() + from);
          una += from;
          b.acknowledge(una, [&](const scoreboard::run& r) { told += r.size(); });
          ASSERT_EQ(told, expected) << seed;
          break;
        }
        case 4:
          b.mark_lost(una + from, una + to);
          for (std::uint32_t i = from; i < to; ++i)
            if (!m.octets[i].sacked) m.octets[i].lost = true, m.octets[i].resent = false;
          break;
        case 5:
          if (const auto lost = b.next_lost()) {
            std::uint32_t i = 0;
            while (i < size && !(m.octets[i].lost && !m.octets[i].resent)) ++i;
            ASSERT_LT(i, size) << seed;
            ASSERT_EQ(lost->begin, una + i) << seed;
            const seq end = min(lost->end, lost->begin + 1 + draw(6));
            b.on_sent_again(lost->begin, end, t, 1);
            for (; i < size && una + i < end; ++i) {
              ASSERT_TRUE(m.octets[i].lost && !m.octets[i].resent) << seed;
              m.octets[i].resent = m.octets[i].again = true;
              m.octets[i].at = now;
            }
          } else {
            for (const auto& o : m.octets) ASSERT_FALSE(o.lost && !o.resent) << seed;
          }
          break;
        case 6: {
          const instant limit = now - std::chrono::microseconds{draw(20)};
          b.judge([&](const scoreboard::run& r) { return r.sent.at < limit; });
          for (auto& o : m.octets)
            if (!o.sacked && o.at < limit && (!o.lost || o.resent)) o.lost = true, o.resent = false;
          break;
        }
        default: break;
      }
      ASSERT_EQ(b.outstanding(), m.octets.size()) << seed;
      ASSERT_EQ(b.sacked(), m.count(&model::octet::sacked)) << seed;
      ASSERT_EQ(b.lost(), m.count(&model::octet::lost)) << seed << " step " << step;
      ASSERT_EQ(b.resent(), m.count(&model::octet::resent)) << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace tunic::test
