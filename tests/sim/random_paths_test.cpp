#include <gtest/gtest.h>

#include "tests/sim/scenario.hpp"

// Two stacks, a path and two users after each seed's chance: every octet arrives right, nothing stalls, both ends get
// to CLOSED, nothing leaks. `scripts/simulate` runs as many seeds as you like and replays one.

namespace tunic::sim {
namespace {

class random_paths : public testing::TestWithParam<std::uint64_t> {};  // a part of the seeds each, to run side by side

constexpr std::uint64_t parts = 6;
constexpr std::uint64_t seeds_a_part = 150;

TEST_P(random_paths, carry_every_octet) {
  for (std::uint64_t i = 0; i < seeds_a_part; ++i) {
    const scenario s = random_scenario(1 + GetParam() * seeds_a_part + i);
    ASSERT_EQ(run(s).fault, "") << "scripts/simulate --replay " << s.seed;
  }
}

INSTANTIATE_TEST_SUITE_P(seeds, random_paths, testing::Range(std::uint64_t{0}, parts));

TEST(simulation, one_seed_is_one_course_of_things) {
  const scenario s = random_scenario(7);
  const outcome first = run(s), second = run(s);
  EXPECT_EQ(first.time, second.time);
  EXPECT_EQ(first.flows[0].retransmits, second.flows[0].retransmits);
  EXPECT_GT(first.flows[0].time, first.flows[0].rtt);
  EXPECT_LT(first.flows[0].time, first.time);
}

}  // namespace
}  // namespace tunic::sim
