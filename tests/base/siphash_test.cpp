#include "stack/base/siphash.hpp"

#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace tunic {
namespace {

// The values that the function's authors publish: key 00 01 … 0f, input 00 01 … of the length that is the index.
constexpr std::uint64_t published[] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d, 0xcf2794e0277187b7,
    0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462, 0x9e0082df0ba9e4b0,
    0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7, 0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee,
    0xa129ca6149be45e5, 0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
    0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
};

TEST(siphash, agrees_with_the_published_values) {
  secret key;
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  for (std::size_t n = 0; n < std::size(published); ++n) {
    std::vector<std::uint8_t> input(n);
    std::iota(input.begin(), input.end(), std::uint8_t{0});
    EXPECT_EQ(siphash(key, input), published[n]) << n << " octets";
  }
}

TEST(siphash, depends_on_every_octet_of_the_key) {
  const std::uint8_t input[] = {1, 2, 3};
  const secret zero{};
  for (std::size_t i = 0; i < zero.size(); ++i) {
    secret other{};
    other[i] = 1;
    EXPECT_NE(siphash(other, input), siphash(zero, input)) << i;
  }
}

}  // namespace
}  // namespace tunic
