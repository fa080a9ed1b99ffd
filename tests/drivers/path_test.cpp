#include "drivers/path.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "tests/drivers/frames.hpp"

// All in virtual time. What is drawn is bounded by five standard deviations; the seed is fixed, so it holds or does
// not.

namespace tunic::drivers {
namespace {

using namespace test;
using namespace std::chrono_literals;

constexpr instant start{100s};

/// A datagram of no IP version that says which one it is.
std::vector<std::byte> numbered(std::uint32_t number, std::size_t size = 100) {
  std::vector<std::byte> datagram(size);
  wire::store32(datagram.data() + 4, number);
  return datagram;
}

struct arrival {
  std::uint32_t number;
  duration at;  // from the start on
  std::string octets;

  bool operator==(const arrival&) const = default;
};

std::vector<arrival> pop_until(path& p, instant end) {
  std::vector<arrival> all;
  while (p.next_deadline() <= end) {
    const instant now = p.next_deadline();
    EXPECT_TRUE(now == instant{} || p.pop(now - 1ns).empty());
    const slice d = p.pop(now);
    EXPECT_FALSE(d.empty());
    all.push_back({wire::load32(d.data() + 4), now - start, text_of(d.octets())});
  }
  return all;
}

/// So many numbered datagrams, one every `interval`, and what arrives of them.
std::vector<arrival> send(path& p, std::uint32_t count, duration interval = 1ms, std::size_t size = 100) {
  std::vector<arrival> all;
  for (std::uint32_t i = 0; i < count; ++i) {
    const instant now = start + i * interval;
    const auto before = pop_until(p, now);
    all.insert(all.end(), before.begin(), before.end());
    p.push(numbered(i, size), now);
  }
  const auto rest = pop_until(p, never - 1ns);
  all.insert(all.end(), rest.begin(), rest.end());
  const path_counters& c = p.counters();
  EXPECT_EQ(c.came, count);
  EXPECT_EQ(c.passed, all.size());
  EXPECT_EQ(c.came + c.duplicated, c.passed + c.lost + c.too_large + c.queue_drops);
  EXPECT_EQ(p.under_way(), 0u);
  return all;
}

std::vector<std::uint32_t> numbers(const std::vector<arrival>& all) {
  std::vector<std::uint32_t> n;
  for (const arrival& a : all) n.push_back(a.number);
  return n;
}

void expect_about(std::uint64_t found, std::uint64_t draws, double share) {
  const double mean = static_cast<double>(draws) * share;
  EXPECT_NEAR(static_cast<double>(found), mean, 5 * std::sqrt(mean * (1 - share)));
}

TEST(path, passes_everything_at_once_and_as_it_was_where_nothing_is_asked) {
  path p{{}, 1};
  EXPECT_EQ(p.next_deadline(), never);
  EXPECT_TRUE(p.pop(start).empty());
  const auto all = send(p, 1000);
  ASSERT_EQ(all.size(), 1000u);
  for (std::uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(all[i], (arrival{i, i * 1ms, text_of(numbered(i))}));
  EXPECT_EQ(p.counters().passed_octets, 100'000u);
  EXPECT_EQ(p.counters().reordered, 0u);
}

TEST(path, loses_the_share_that_was_asked) {
  for (const double share : {0.001, 0.01, 0.3}) {
    path p{{.loss = share}, 7};
    send(p, 200'000, 1us);
    expect_about(p.counters().lost, 200'000, share);
  }
  path none{{.loss = 0}, 7}, all{{.loss = 1}, 7};
  EXPECT_EQ(send(none, 1000).size(), 1000u);
  EXPECT_EQ(send(all, 1000).size(), 0u);
}

TEST(path, loses_in_bursts_of_the_mean_length_that_was_asked) {
  constexpr double begins = 0.01, ends = 0.25;
  path p{{.burst_begins = begins, .burst_ends = ends}, 7};
  const auto all = numbers(send(p, 400'000, 1us));
  std::uint64_t bursts = 0;
  for (std::size_t i = 1; i < all.size(); ++i) bursts += all[i] != all[i - 1] + 1;
  const auto lost = static_cast<double>(p.counters().lost);
  EXPECT_NEAR(lost / 400'000, begins / (begins + ends), 0.003);  // Gilbert 1960: the chain's stationary share
  EXPECT_NEAR(lost / static_cast<double>(bursts), 1 / ends, 0.2);
}

TEST(path, loses_evenly_and_in_bursts_independently) {
  path p{{.loss = 0.1, .burst_begins = 0.1, .burst_ends = 1}, 7};
  send(p, 200'000, 1us);
  expect_about(p.counters().lost, 200'000, 1 - 0.9 * (1 - 0.1 / 1.1));
}

TEST(path, loses_the_first_few_of_each_period) {
  path p{{.burst_interval = 1s, .burst_size = 5}, 7};
  const auto all = numbers(send(p, 3500));
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 0; i < 3500; ++i)
    if (i < 1000 || i % 1000 >= 5) expected.push_back(i);
  EXPECT_EQ(all, expected);
}

TEST(path, loses_nothing_to_a_period_that_began_in_silence) {
  path p{{.burst_interval = 1s, .burst_size = 2}, 7};
  p.push(numbered(0), start);
  for (std::uint32_t i = 1; i <= 4; ++i) p.push(numbered(i), start + 3500ms);
  p.push(numbered(5), start + 3999ms);
  p.push(numbered(6), start + 4s);
  p.push(numbered(7), start + 4100ms);
  for (std::uint32_t i = 8; i <= 11; ++i) p.push(numbered(i), start + 6099ms);
  EXPECT_EQ(numbers(pop_until(p, start + 9s)), (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 7, 10, 11}));
}

TEST(path, delays_all_by_the_same_time) {
  path p{{.delay = 50ms}, 7};
  for (const arrival& a : send(p, 1000)) EXPECT_EQ(a.at, a.number * 1ms + 50ms);
}

TEST(path, keeps_the_order_under_jitter) {
  path p{{.delay = 50ms, .jitter = 20ms}, 7};
  const auto all = send(p, 20'000, 10ms);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), [](auto& a, auto& b) { return a.number < b.number; }));
  EXPECT_EQ(p.counters().reordered, 0u);
  duration least = 1s, most{};
  for (const arrival& a : all) {
    least = std::min(least, a.at - a.number * 10ms);
    most = std::max(most, a.at - a.number * 10ms);
  }
  EXPECT_GE(least, 50ms);
  EXPECT_LT(least, 51ms);
  EXPECT_GT(most, 69ms);
  EXPECT_LE(most, 70ms);
}

TEST(path, jitter_that_reorders_is_drawn_evenly) {
  path p{{.delay = 50ms, .jitter = 20ms, .jitter_reorders = true}, 7};
  duration sum{};
  for (const arrival& a : send(p, 20'000)) {
    const duration d = a.at - a.number * 1ms;
    EXPECT_TRUE(d >= 50ms && d <= 70ms) << d.count();
    sum += d;
  }
  EXPECT_NEAR(static_cast<double>((sum / 20'000).count()), 60e6, 5 * 20e6 / std::sqrt(12 * 20'000.0));
  EXPECT_GT(p.counters().reordered, 10'000u);
}

TEST(path, holds_back_the_share_that_was_asked) {
  path p{{.delay = 50ms, .reorder = 0.02, .reorder_by = 2500us}, 7};
  std::uint64_t held_back = 0;
  for (const arrival& a : send(p, 100'000)) {
    const duration d = a.at - a.number * 1ms;
    EXPECT_TRUE(d == 50ms || d == 52500us) << d.count();
    held_back += d != 50ms;
  }
  expect_about(held_back, 100'000, 0.02);
  EXPECT_LE(p.counters().reordered, held_back);  // one behind which two more were held back is overtaken by nobody
  EXPECT_GT(p.counters().reordered, held_back * 9 / 10);
}

TEST(path, duplicates_the_share_that_was_asked) {
  path p{{.duplicate = 0.05}, 7};
  const auto all = send(p, 100'000, 1us);
  expect_about(p.counters().duplicated, 100'000, 0.05);
  std::map<std::string, int> times;
  for (const arrival& a : all) ++times[a.octets];
  EXPECT_EQ(times.size(), 100'000u);
  EXPECT_EQ(p.counters().reordered, 0u);
}

TEST(path, flips_one_bit_of_the_share_that_was_asked) {
  path p{{.corrupt = 0.1}, 7};
  std::uint64_t changed = 0;
  std::vector<int> places(100);
  std::uint32_t i = 0;
  for (const arrival& a : send(p, 50'000, 1us)) {
    const std::string sent = text_of(numbered(i++));
    int bits = 0;
    for (std::size_t at = 0; at < sent.size(); ++at) {
      bits += std::popcount(static_cast<unsigned char>(a.octets[at] ^ sent[at]));
      places[at] += a.octets[at] != sent[at];
    }
    EXPECT_LE(bits, 1);
    changed += bits == 1;
  }
  EXPECT_EQ(changed, p.counters().corrupted);
  expect_about(changed, 50'000, 0.1);
  EXPECT_GT(*std::min_element(places.begin(), places.end()), 0);  // the header and the end alike
}

TEST(path, swallows_what_is_too_large) {
  path p{{.largest = 1300}, 7};
  p.push(numbered(0, 1300), start);
  p.push(numbered(1, 1301), start);
  EXPECT_EQ(numbers(pop_until(p, start)), std::vector<std::uint32_t>{0});
  EXPECT_EQ(p.counters().too_large, 1u);
  EXPECT_EQ(p.counters().lost, 0u);
}

TEST(path, sends_at_exactly_the_rate) {
  path p{{.rate = 7'000'000, .delay = 10ms}, 7};
  for (std::uint32_t i = 0; i < 70'000; ++i) p.push(numbered(i, 1500), start);
  for (const arrival& a : pop_until(p, start + 1h)) {
    const std::int64_t bits = (a.number + 1) * 12'000;
    EXPECT_EQ(a.at, 10ms + duration{bits * 1000 / 7}) << a.number;  // no rounding adds up
  }
  EXPECT_EQ(p.counters().passed, 70'000u);
}

TEST(path, a_rate_does_not_save_up_what_was_not_sent) {
  path p{{.rate = 8'000'000}, 7};
  for (const arrival& a : send(p, 100, 5ms, 1000)) EXPECT_EQ(a.at, a.number * 5ms + 1ms);
}

TEST(path, a_rate_starts_anew_after_silence_to_the_nanosecond) {
  path p{{.rate = 7'000'000}, 7};
  for (const arrival& a : send(p, 10, 1s, 1500)) EXPECT_EQ(a.at, a.number * 1s + 1714285ns);
}

TEST(path, bounds_the_queue_in_packets) {
  path p{{.rate = 8'000'000, .queue = {.packets = 3}}, 7};
  for (std::uint32_t i = 0; i < 6; ++i) p.push(numbered(i, 1000), start);
  EXPECT_EQ(p.counters().queue_drops, 2u);   // one is being sent, three wait
  p.push(numbered(6, 1000), start + 999us);  // still
  p.push(numbered(7, 1000), start + 1ms);    // now there is room
  p.push(numbered(8, 1000), start + 1ms);
  EXPECT_EQ(numbers(pop_until(p, start + 1s)), (std::vector<std::uint32_t>{0, 1, 2, 3, 7}));
  EXPECT_EQ(p.counters().queue_drops, 4u);
}

TEST(path, bounds_the_queue_in_octets) {
  path p{{.rate = 8'000'000, .queue = {.octets = 2500}}, 7};
  for (std::uint32_t i = 0; i < 4; ++i) p.push(numbered(i, 1000), start);
  p.push(numbered(4, 500), start);  // a small one still fits
  p.push(numbered(5, 8), start);
  p.push(numbered(6, 1000), start + 1ms);  // the second one is being sent: there is room again
  EXPECT_EQ(numbers(pop_until(p, start + 1s)), (std::vector<std::uint32_t>{0, 1, 2, 4, 6}));
}

TEST(path, queues_nothing_without_a_rate) {
  path p{{.queue = {.packets = 0}, .delay = 1s}, 7};
  for (std::uint32_t i = 0; i < 100; ++i) p.push(numbered(i), start);
  EXPECT_EQ(p.counters().queue_drops, 0u);
}

TEST(path, drops_before_a_flood_fills_the_memory) {
  path p{{.delay = 1h}, 7};
  std::uint32_t sent = 0;
  while (p.counters().queue_drops == 0 && sent < 1'000'000) p.push(numbered(sent++), start);
  EXPECT_LE(p.under_way() * pool::small_size, path::most_held + pool::small_size);
  EXPECT_GT(p.under_way(), 100'000u);
  const std::uint64_t under_way = p.under_way();
  EXPECT_EQ(pop_until(p, start + 1h).size(), under_way);
  p.push(numbered(0), start + 1h);
  EXPECT_EQ(p.under_way(), 1u);
}

class ecn : public ::testing::TestWithParam<bool> {
 protected:
  /// A UDP datagram of 100 octets with these ECN bits.
  std::vector<std::byte> datagram(unsigned bits) const {
    frame f;
    make_udp(f, 7, 9, std::string(GetParam() ? 52u : 72u, 'x'), GetParam());
    std::vector<std::byte> octets(f.header().begin(), f.header().end());
    for (const slice& s : f.text) octets.insert(octets.end(), s.octets().begin(), s.octets().end());
    if (GetParam()) {
      octets[0] = std::byte{0x6b};  // a DSCP besides
      octets[1] = static_cast<std::byte>(0x87 | bits << 4);
    } else {
      octets[1] = static_cast<std::byte>(0xb8 | bits);
      wire::store16(octets.data() + 10, 0);
      wire::checksum sum;
      sum.add(std::span{octets}.first(20));
      wire::store16(octets.data() + 10, sum.finish());
    }
    return octets;
  }
  /// The ECN bits, where everything else is as it was and the header is good.
  static unsigned bits_of(const slice& d) {
    if (GetParam()) {
      const auto ip = wire::parse_ipv6(d.octets());
      EXPECT_TRUE(ip && ip->traffic_class >> 2 == 0xb8 >> 2 && ip->flow_label >> 16 == 7);
      return ip ? ip->traffic_class & 3u : 4;
    }
    const auto ip = wire::parse_ipv4(d.octets());
    EXPECT_TRUE(ip && ip->tos >> 2 == 0xb8 >> 2);
    return ip ? ip->tos & 3u : 4;
  }
};

TEST_P(ecn, marks_only_what_is_capable_and_only_in_a_long_queue) {  // RFC 3168 §5
  path p{{.rate = 8'000, .unmarked = {.packets = 1}}, 7};
  for (int round = 0; round < 3; ++round)
    for (unsigned bits = 0; bits < 4; ++bits) p.push(datagram(bits), start);
  std::vector<unsigned> found;
  for (int i = 0; i < 12; ++i) found.push_back(bits_of(p.pop(start + 1h)));
  EXPECT_EQ(found, (std::vector<unsigned>{0, 1, 3, 3, 0, 3, 3, 3, 0, 3, 3, 3}));
  EXPECT_EQ(p.counters().marked, 5u);
  EXPECT_EQ(p.counters().queue_drops, 0u);
  p.push(datagram(2), start + 1h);  // the queue is gone
  EXPECT_EQ(bits_of(p.pop(start + 2h)), 2u);
}

TEST_P(ecn, does_not_mark_in_place_of_dropping_where_the_queue_is_full) {
  path p{{.rate = 8'000, .queue = {.octets = 250}, .unmarked = {.octets = 150}}, 7};
  for (int i = 0; i < 4; ++i) p.push(datagram(1), start);
  EXPECT_EQ(p.counters().queue_drops, 1u);
  EXPECT_EQ(p.counters().marked, 1u);
}
INSTANTIATE_TEST_SUITE_P(both_versions, ecn, ::testing::Bool(),
                         [](const auto& test) { return std::string{test.param ? "v6" : "v4"}; });

const path_options bad_path{.loss = 0.02,
                            .burst_begins = 0.001,
                            .burst_ends = 0.3,
                            .duplicate = 0.02,
                            .rate = 10'000'000,
                            .queue = {.packets = 50},
                            .corrupt = 0.02,
                            .delay = 20ms,
                            .jitter = 5ms,
                            .reorder = 0.02,
                            .reorder_by = 4ms};

TEST(path, one_seed_gives_one_result) {
  path a{bad_path, 3}, b{bad_path, 3}, c{bad_path, 4};
  const auto first = send(a, 20'000, 100us, 125);
  EXPECT_EQ(first, send(b, 20'000, 100us, 125));
  EXPECT_NE(first, send(c, 20'000, 100us, 125));
}

TEST(path, no_impairment_changes_what_another_one_takes) {
  path alone{{.loss = 0.02}, 3};
  path together{{.loss = 0.02, .duplicate = 0.1, .delay = 1ms, .jitter = 5ms, .reorder = 0.1, .reorder_by = 9ms}, 3};
  auto left = numbers(send(together, 20'000));
  std::sort(left.begin(), left.end());
  left.erase(std::unique(left.begin(), left.end()), left.end());
  EXPECT_EQ(left, numbers(send(alone, 20'000)));
}

}  // namespace
}  // namespace tunic::drivers
