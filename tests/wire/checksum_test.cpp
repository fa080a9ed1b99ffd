#include "stack/wire/checksum.hpp"

#include <random>

#include "tests/wire/support.hpp"

namespace tunic::wire {
namespace {

// RFC 1071 §1, word by word as it is written there.
std::uint16_t naive(octets o) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < o.size(); ++i) {
    sum += i % 2 == 0 ? std::uint32_t{load8(&o[i])} << 8 : load8(&o[i]);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(sum);
}

std::uint16_t partial_of(octets o) {
  checksum sum;
  sum.add(o);
  return sum.partial();
}

std::vector<std::byte> random_octets(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  std::vector<std::byte> o(n);
  for (std::byte& b : o) b = static_cast<std::byte>(random());
  return o;
}

TEST(checksum, adds_up_the_rfcs_example) {  // RFC 1071 §3
  const auto data = octets_of("00 01 f2 03 f4 f5 f6 f7");
  EXPECT_EQ(partial_of(data), 0xddf2);
  checksum sum;
  sum.add(data);
  EXPECT_EQ(sum.finish(), 0x220d);
}

TEST(checksum, of_nothing_is_the_complement_of_zero) {
  EXPECT_EQ(checksum{}.partial(), 0);
  EXPECT_EQ(checksum{}.finish(), 0xffff);
  EXPECT_EQ(partial_of({}), 0);
}

TEST(checksum, of_one_octet_is_padded_with_zero) {
  EXPECT_EQ(partial_of(octets_of("12")), 0x1200);
}

TEST(checksum, agrees_with_the_naive_sum_for_every_length_and_split) {
  const auto data = random_octets(300, 1);
  for (std::size_t n = 0; n <= data.size(); ++n) {
    const octets whole = octets{data}.first(n);
    const std::uint16_t expected = naive(whole);
    for (std::size_t cut = 0; cut <= n; ++cut) {
      checksum sum;
      sum.add(whole.first(cut));
      sum.add(whole.subspan(cut));
      ASSERT_EQ(sum.partial(), expected) << n << " octets cut at " << cut;
    }
  }
}

TEST(checksum, agrees_with_the_naive_sum_for_many_pieces) {
  const auto data = random_octets(5000, 2);
  std::mt19937_64 random{3};
  for (int i = 0; i < 2000; ++i) {
    octets rest = octets{data}.first(random() % data.size());
    const std::uint16_t expected = naive(rest);
    checksum sum;
    while (!rest.empty()) {
      const std::size_t n = std::min<std::size_t>(rest.size(), random() % 40);
      sum.add(rest.first(n));
      rest = rest.subspan(n);
    }
    ASSERT_EQ(sum.partial(), expected);
  }
}

TEST(checksum, does_not_depend_on_where_the_octets_lie_and_reads_none_beyond) {
  const auto data = random_octets(2000, 4);
  guarded guard;
  for (std::size_t n = 0; n < 200; ++n)
    ASSERT_EQ(partial_of(guard.hold(octets{data}.first(n))), naive(octets{data}.first(n)));
  for (std::size_t from = 0; from < 64; ++from)
    ASSERT_EQ(partial_of(octets{data}.subspan(from)), naive(octets{data}.subspan(from))) << from;
}

TEST(checksum, keeps_every_carry) {
  for (const std::size_t n : {std::size_t{8}, std::size_t{65535}, std::size_t{65536}, std::size_t{1} << 20}) {
    const std::vector<std::byte> ones(n, std::byte{0xff});
    EXPECT_EQ(partial_of(ones), naive(ones)) << n;
    const auto mixed = random_octets(n, n);
    EXPECT_EQ(partial_of(mixed), naive(mixed)) << n;
  }
}

TEST(checksum, is_zero_over_octets_that_carry_the_right_one) {
  const auto header = octets_of("45 00 00 3c 77 f6 40 00 40 06 6e 5b c6 33 64 01 c6 33 64 02");
  checksum sum;
  sum.add(header);
  EXPECT_EQ(sum.finish(), 0);
}

TEST(checksum, adds_single_words) {
  checksum sum;
  sum.add16(0xfffe);
  sum.add16(0x0003);
  EXPECT_EQ(sum.partial(), 0x0002);
}

TEST(checksum, covers_the_pseudo_header) {
  checksum v4;
  v4.add_pseudo_header(kernel_v4, peer_v4, 6, 0x1234);
  EXPECT_EQ(v4.partial(), naive(octets_of("c6 33 64 01 c6 33 64 02 00 06 12 34")));
  checksum v6;  // RFC 8200 §8.1: the length has 32 bits
  v6.add_pseudo_header(kernel_v6, peer_v6, 58, 0x00011234);
  EXPECT_EQ(v6.partial(), naive(octets_of("20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 "
                                          "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 00 01 12 34 00 00 00 3a")));
}

}  // namespace
}  // namespace tunic::wire
