#include "stack/wire/udp.hpp"

#include "tests/wire/packets.hpp"
#include "tests/wire/support.hpp"

namespace tunic::wire {
namespace {

using enum checksum_state;

std::vector<std::byte> transport_of(std::string_view hex) {
  auto o = octets_of(hex);
  o.erase(o.begin(), o.begin() + (load8(o.data()) >> 4 == 4 ? 20 : 40));
  return o;
}

TEST(udp, reads_what_linux_sends) {
  const auto v4 = parse_udp(transport_of(packets::udp_v4), kernel_v4, peer_v4, unknown);
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->source_port, 5353);
  EXPECT_EQ(v4->destination_port, 53);
  EXPECT_EQ(v4->length, 13);
  const auto v6 = parse_udp(transport_of(packets::udp_v6), kernel_v6, peer_v6, unknown);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->length, 13);
}

TEST(udp, writes_what_it_read) {
  const auto original = transport_of(packets::udp_v4);
  auto o = original;
  std::fill_n(o.begin(), udp_header::size, std::byte{0xee});
  emit_udp(*parse_udp(original, kernel_v4, peer_v4, unknown), o);
  EXPECT_EQ(load16(&o[6]), 0);
  set_checksum(o, 6, kernel_v4, peer_v4, 17);
  EXPECT_EQ(o, original);
}

TEST(udp, may_leave_the_checksum_out_in_version_4_only) {  // RFC 8200 §8.1
  auto o = transport_of(packets::udp_v4_without_checksum);
  EXPECT_TRUE(parse_udp(o, kernel_v4, peer_v4, unknown));
  ASSERT_FALSE(parse_udp(o, kernel_v6, peer_v6, unknown));
  EXPECT_EQ(parse_udp(o, kernel_v6, peer_v6, unknown).error(), drop::bad_checksum);
}

TEST(udp, verifies_the_checksum_unless_the_device_did) {
  auto o = transport_of(packets::udp_v4);
  o.back() ^= std::byte{1};
  ASSERT_FALSE(parse_udp(o, kernel_v4, peer_v4, unknown));
  EXPECT_EQ(parse_udp(o, kernel_v4, peer_v4, unknown).error(), drop::bad_checksum);
  EXPECT_TRUE(parse_udp(o, kernel_v4, peer_v4, good));
  EXPECT_TRUE(parse_udp(o, kernel_v4, peer_v4, partial));
  EXPECT_FALSE(parse_udp(transport_of(packets::udp_v4), kernel_v4, address::v4(198, 51, 100, 3), unknown));
}

TEST(udp, takes_octets_behind_its_length_for_padding) {
  auto o = transport_of(packets::udp_v4);
  o.resize(40, std::byte{0xff});
  const auto h = parse_udp(o, kernel_v4, peer_v4, unknown);
  ASSERT_TRUE(h);
  EXPECT_EQ(h->length, 13);
}

TEST(udp, may_carry_nothing) {
  auto o = octets_of("03 e8 00 09 00 08 00 00");
  set_checksum(o, 6, kernel_v4, peer_v4, 17);
  ASSERT_TRUE(parse_udp(o, kernel_v4, peer_v4, unknown));
}

TEST(udp, refuses_lengths_that_cannot_be) {
  for (const auto length : std::initializer_list<std::uint16_t>{0, 1, 7, 14, 65535}) {
    auto o = transport_of(packets::udp_v4);
    store16(&o[4], length);
    for (const auto state : {unknown, good}) {
      ASSERT_FALSE(parse_udp(o, kernel_v4, peer_v4, state)) << length;
      EXPECT_EQ(parse_udp(o, kernel_v4, peer_v4, state).error(), drop::bad_length) << length;
    }
  }
}

TEST(udp, refuses_every_truncation) {
  guarded guard;
  const auto o = transport_of(packets::udp_v4);
  for (std::size_t n = 0; n < o.size(); ++n) {
    const auto h = parse_udp(guard.hold(octets{o}.first(n)), kernel_v4, peer_v4, good);
    ASSERT_FALSE(h) << n;
    EXPECT_EQ(h.error(), n < 8 ? drop::too_short : drop::bad_length) << n;
  }
}

}  // namespace
}  // namespace tunic::wire
