#include "stack/buffer/frame.hpp"

#include <gtest/gtest.h>

#include "stack/buffer/pool.hpp"

namespace tunic {
namespace {

TEST(frame, sums_up_its_header_and_its_text) {
  pool p;
  frame f;
  f.header_size = 52;
  f.text.push_back(pool::view(p.small(), 1000));
  f.text.push_back(pool::view(p.large(), 60000));
  EXPECT_EQ(f.header().size(), 52u);
  EXPECT_EQ(f.text_size(), 61000u);
  EXPECT_EQ(f.size(), 61052u);
}

TEST(frame, clearing_returns_it_to_the_first_state) {
  pool p;
  frame f;
  f.header_size = 60;
  f.segment_size = 1448;
  f.ipv6 = f.partial_checksum = true;
  f.checksum_start = 40;
  f.checksum_offset = 16;
  for (std::size_t i = 0; i < frame::max_slices; ++i) f.text.push_back(pool::view(p.small(), 1));
  EXPECT_EQ(p.in_use(), frame::max_slices);
  f.clear();
  EXPECT_EQ(p.in_use(), 0u);
  EXPECT_EQ(f.size(), 0u);
  EXPECT_TRUE(f.text.empty());
  EXPECT_EQ(f.segment_size + f.checksum_start + f.checksum_offset, 0);
  EXPECT_FALSE(f.ipv6 || f.partial_checksum);
}

}  // namespace
}  // namespace tunic
