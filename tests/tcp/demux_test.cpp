#include "stack/tcp/demux.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace tunic::test {
namespace {

using namespace tcp;

constexpr secret key{1, 2, 3};

four_tuple ends(std::uint32_t i) {
  return {
      {address::v4(198, 51, 100, 2), 80},
      {address::v4(198, 51, 100, static_cast<std::uint8_t>(1 + i / 60000)), static_cast<std::uint16_t>(i % 60000 + 1)}};
}

TEST(rfc9293_demux, finds_each_of_a_hundred_thousand_while_it_grows_and_empties) {
  constexpr std::uint32_t count = 100'000;
  std::vector<std::unique_ptr<demux_node>> nodes;
  demux table{key};
  for (std::uint32_t i = 0; i < count; ++i) {
    nodes.push_back(std::make_unique<demux_node>(demux_kind::tcb, ends(i)));
    ASSERT_EQ(table.find(ends(i)), nullptr);
    table.insert(*nodes.back());
  }
  EXPECT_EQ(table.size(), count);
  EXPECT_LE(table.longest_chain(), 10u);  // with at most one node a bucket nine are rare
  for (std::uint32_t i = 0; i < count; ++i) ASSERT_EQ(table.find(ends(i)), nodes[i].get());
  for (std::uint32_t i = 0; i < count; i += 2) table.remove(*nodes[i]);
  EXPECT_EQ(table.size(), count / 2);
  for (std::uint32_t i = 0; i < count; ++i) ASSERT_EQ(table.find(ends(i)), i % 2 == 0 ? nullptr : nodes[i].get());
  std::size_t seen = 0;
  table.for_each([&](demux_node& n) {
    ++seen;
    table.remove(n);
  });
  EXPECT_EQ(seen, count / 2);
  EXPECT_EQ(table.size(), 0u);
}

TEST(rfc9293_demux, tells_the_ends_apart_in_each_of_their_parts) {
  const four_tuple base{{address::v4(198, 51, 100, 2), 80}, {address::v4(198, 51, 100, 1), 40000}};
  demux_node node{demux_kind::tcb, base};
  demux table{key};
  table.insert(node);
  std::vector<four_tuple> others(6, base);
  others[0].local.port = 81;
  others[1].remote.port = 40001;
  others[2].local.address = address::v4(198, 51, 100, 3);
  others[3].remote.address = address::v4(198, 51, 100, 3);
  std::swap(others[4].local, others[4].remote);
  others[5] = {{*address::parse("2001:db8::2"), 80}, {*address::parse("2001:db8::1"), 40000}};
  for (const auto& other : others) EXPECT_EQ(table.find(other), nullptr);
  EXPECT_EQ(table.find(base), &node);
  table.remove(node);
}

}  // namespace
}  // namespace tunic::test
