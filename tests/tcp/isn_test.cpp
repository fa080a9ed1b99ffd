#include "stack/tcp/isn.hpp"

#include <bitset>
#include <set>

#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// Initial sequence numbers (RFC 6528; RFC 9293 §3.4.1, MUST-8, MUST-9) and ephemeral ports (RFC 6056).

namespace tunic::test {
namespace {

constexpr secret key{1, 2, 3, 4};
const four_tuple base{{address::v4(198, 51, 100, 2), 80}, {address::v4(198, 51, 100, 1), 40000}};

TEST(rfc6528_isn, advances_by_one_each_four_microseconds) {  // RFC 6528 §3: M
  const tcp::isn_generator g{key};
  const instant at{std::chrono::seconds{1000}};
  EXPECT_EQ(g.next(base, at + 3us), g.next(base, at));
  EXPECT_EQ(g.next(base, at + 4us), g.next(base, at) + 1);
  EXPECT_EQ(g.next(base, at + 1s), g.next(base, at) + 250'000);
  EXPECT_EQ(g.next(base, at + 4us * (std::int64_t{1} << 32)), g.next(base, at));  // the clock wraps in 4.8 hours
}

TEST(rfc6528_isn, differs_with_each_part_of_the_ends_and_with_the_secret) {  // RFC 6528 §3: F
  const tcp::isn_generator g{key};
  std::vector<four_tuple> others(4, base);
  others[0].local.port = 81;
  others[1].remote.port = 40001;
  others[2].local.address = address::v4(198, 51, 100, 3);
  others[3].remote.address = address::v4(198, 51, 100, 3);
  for (const auto& other : others) EXPECT_NE(g.next(other, instant{}), g.next(base, instant{}));
  EXPECT_NE(tcp::isn_generator{secret{9}}.next(base, instant{}), g.next(base, instant{}));
}

TEST(rfc6528_isn, is_spread_over_the_whole_circle) {
  // nobody off the path guesses it: the top octet takes all its values
  const tcp::isn_generator g{key};
  std::bitset<256> top;
  four_tuple ends = base;
  for (std::uint16_t port = 1; port < 10000; ++port) {
    ends.remote.port = port;
    top.set(g.next(ends, instant{}).value() >> 24);
  }
  EXPECT_TRUE(top.all());
}

TEST(rfc6528_isn, of_a_connection_comes_from_the_generator) {  // the script begins where it computes its ISS to be
  auto t = script::opening({.iss_before_wrap = 12345});
  EXPECT_EQ(t.iss(), seq{0u - 12345});
}

TEST(rfc6056_ports, lies_in_its_range_and_is_free) {  // RFC 6056 §3.2
  tcp::ephemeral_ports ports{key};
  std::set<std::uint16_t> taken;
  for (int i = 0; i < 1000; ++i) {
    const auto port = ports.choose(base, [&](std::uint16_t p) { return !taken.contains(p); });
    ASSERT_TRUE(port);
    EXPECT_GE(*port, tcp::ephemeral_ports::first);
    EXPECT_TRUE(taken.insert(*port).second);
  }
}

TEST(rfc6056_ports, is_found_where_one_is_left_and_refused_where_none_is) {
  tcp::ephemeral_ports ports{key};
  EXPECT_EQ(ports.choose(base, [](std::uint16_t p) { return p == 54321; }), std::uint16_t{54321});
  EXPECT_EQ(ports.choose(base, [](std::uint16_t) { return false; }), std::nullopt);
}

TEST(rfc6056_ports, does_not_come_back_soon) {  // RFC 6056 §3.3.3
  tcp::ephemeral_ports ports{key};
  std::set<std::uint16_t> seen;
  for (int i = 0; i < 30000; ++i) {
    const auto port = ports.choose(base, [](std::uint16_t) { return true; });
    ASSERT_TRUE(port);
    ASSERT_TRUE(seen.insert(*port).second) << "after " << i;
  }
}

TEST(rfc6056_ports, begins_elsewhere_for_each_destination) {  // RFC 6056 §3.3.3: the offset
  std::set<std::uint16_t> first;
  for (std::uint16_t port = 1; port <= 100; ++port) {
    tcp::ephemeral_ports ports{key};
    four_tuple ends = base;
    ends.remote.port = port;
    first.insert(*ports.choose(ends, [](std::uint16_t) { return true; }));
  }
  EXPECT_GT(first.size(), 90u);
}

TEST(rfc6056_ports, differs_for_each_connection_to_one_end) {
  script t;
  struct nobody final : tcp::user {
    void on_events(tcp::events) override {}
  } user;
  tcp::open_options o;
  o.remote = {address::v4(198, 51, 100, 1), 80};
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 100; ++i) {
    const auto c = t.tcp().open(o, user, t.now());
    ASSERT_TRUE(c);
    EXPECT_TRUE(ports.insert((*c)->ends.local.port).second);
    t.tcp().release(**c, t.now());
  }
  t.passes_unheard(0s);
}

}  // namespace
}  // namespace tunic::test
