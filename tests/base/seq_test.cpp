#include "stack/base/seq.hpp"

#include <concepts>
#include <cstdint>
#include <functional>

#include <gtest/gtest.h>

namespace tunic {
namespace {

TEST(seq, counts_modulo_two_to_the_32) {  // RFC 9293 §3.4
  EXPECT_EQ((seq{0xffffffff} + 1).value(), 0u);
  EXPECT_EQ((seq{0} - 1).value(), 0xffffffffu);
  EXPECT_EQ((seq{0xfffffff0} + 0x20).value(), 0x10u);
  seq s{0xfffffffe};
  s += 3;
  EXPECT_EQ(s, seq{1});
}

TEST(seq, compares_along_the_shorter_way_round) {
  for (const std::uint32_t at : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xfffffff0u, 0xffffffffu}) {
    const seq a{at};
    EXPECT_TRUE(a <= a && a >= a && a == a);
    EXPECT_FALSE(a < a || a > a);
    for (const std::uint32_t ahead : {1u, 100u, 0x10000u, 0x40000000u, 0x7fffffffu}) {
      const seq b = a + ahead;
      EXPECT_TRUE(a < b && a <= b && b > a && b >= a && a != b) << at << " " << ahead;
      EXPECT_FALSE(b < a || b <= a || a > b || a >= b || a == b) << at << " " << ahead;
      EXPECT_EQ(max(a, b), b);
      EXPECT_EQ(max(b, a), b);
      EXPECT_EQ(min(a, b), a);
      EXPECT_EQ(min(b, a), a);
      EXPECT_EQ(distance(a, b), ahead);
      EXPECT_EQ(b - a, static_cast<std::int32_t>(ahead));
      EXPECT_EQ(a - b, -static_cast<std::int32_t>(ahead));
    }
  }
}

TEST(seq, distance_reaches_all_the_way_round) {
  EXPECT_EQ(distance(seq{0xffffffff}, seq{0xfffffffe}), 0xffffffffu);
  EXPECT_EQ(distance(seq{7}, seq{7}), 0u);
}

template <class T>
concept hashable = requires(T t) {
  std::hash<T>{}(t);
};

TEST(seq, cannot_be_ordered_or_hashed_by_a_container) {
  EXPECT_FALSE(std::three_way_comparable<seq>);
  EXPECT_FALSE(hashable<seq>);
}

}  // namespace
}  // namespace tunic
