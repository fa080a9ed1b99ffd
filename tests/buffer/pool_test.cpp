#include "stack/buffer/pool.hpp"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

namespace tunic {
namespace {

TEST(pool, gives_writable_buffers_of_two_sizes) {
  pool p;
  const buffer_ref small = p.small();
  const buffer_ref large = p.large();
  EXPECT_EQ(small->capacity(), pool::small_size);
  EXPECT_EQ(large->capacity(), pool::large_size);
  EXPECT_EQ(small->room().size(), pool::small_size);
  EXPECT_EQ(large->room().size(), pool::large_size);
  std::memset(small->room().data(), 1, small->room().size());
  std::memset(large->room().data(), 2, large->room().size());
  EXPECT_EQ(small->room().back(), std::byte{1});
  EXPECT_EQ(large->room().front(), std::byte{2});
}

TEST(pool, fitting_takes_a_large_buffer_only_where_a_small_one_is_too_small) {
  pool p;
  EXPECT_EQ(p.fitting(0)->capacity(), pool::small_size);
  EXPECT_EQ(p.fitting(pool::small_size)->capacity(), pool::small_size);
  EXPECT_EQ(p.fitting(pool::small_size + 1)->capacity(), pool::large_size);
  EXPECT_EQ(p.fitting(pool::large_size)->capacity(), pool::large_size);
}

TEST(pool, reuses_the_last_buffer_returned_first) {
  pool p;
  buffer_ref a = p.small();
  buffer_ref b = p.small();
  buffer_ref c = p.large();
  const void* const at_a = a.get();
  const void* const at_b = b.get();
  const void* const at_c = c.get();
  a = buffer_ref{};
  b = buffer_ref{};
  c = buffer_ref{};
  const buffer_ref first = p.small();
  const buffer_ref second = p.small();
  const buffer_ref third = p.large();
  EXPECT_EQ(first.get(), at_b);
  EXPECT_EQ(second.get(), at_a);
  EXPECT_EQ(third.get(), at_c);
}

TEST(pool, counts_the_buffers_in_use) {
  pool p;
  EXPECT_EQ(p.in_use(), 0u);
  {
    const buffer_ref a = p.small();
    const buffer_ref b = p.large();
    const buffer_ref again = a;
    EXPECT_EQ(p.in_use(), 2u);
    EXPECT_EQ(a->references(), 2u);
  }
  EXPECT_EQ(p.in_use(), 0u);
}

TEST(pool, takes_back_more_than_it_keeps) {
  pool p;
  std::vector<buffer_ref> many;
  for (std::size_t octets = 0; octets < 2 * pool::keep_octets; octets += pool::large_size) many.push_back(p.large());
  EXPECT_EQ(p.in_use(), many.size());
  many.clear();
  EXPECT_EQ(p.in_use(), 0u);
  EXPECT_EQ(p.large()->capacity(), pool::large_size);
}

TEST(pool, buffers_outlive_it) {
  slice kept_small;
  buffer_ref kept_large;
  {
    pool p;
    const buffer_ref b = p.small();
    b->room()[0] = std::byte{42};
    kept_small = pool::view(b, 1);
    kept_large = p.large();
  }
  EXPECT_EQ(kept_small.octets()[0], std::byte{42});
  kept_large->room()[pool::large_size - 1] = std::byte{1};
  kept_small = slice{};
  kept_large = buffer_ref{};
}

TEST(pool, a_view_shares_the_buffer) {
  pool p;
  buffer_ref b = p.small();
  b->room()[0] = std::byte{7};
  const slice s = pool::view(b, 10);
  EXPECT_EQ(s.size(), 10u);
  EXPECT_EQ(s.owner(), b.get());
  b = buffer_ref{};
  EXPECT_EQ(p.in_use(), 1u);
  EXPECT_EQ(s.octets()[0], std::byte{7});
}

}  // namespace
}  // namespace tunic
