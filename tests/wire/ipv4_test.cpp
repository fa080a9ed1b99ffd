#include "stack/wire/ipv4.hpp"

#include "tests/wire/packets.hpp"
#include "tests/wire/support.hpp"

namespace tunic::wire {
namespace {

std::vector<std::byte> emitted(const ipv4_header& h) {
  std::vector<std::byte> o(ipv4_header::min_size, std::byte{0xee});
  emit_ipv4(h, o);
  return o;
}

// A datagram of what a table says about its first octets, its checksum right.
std::vector<std::byte> datagram(std::string_view hex, std::size_t size) {
  auto o = octets_of(hex);
  o.resize(size);
  const std::size_t header = (load8(o.data()) & 0xfu) * 4;
  set_checksum(writable_octets{o}.first(std::clamp<std::size_t>(header, 20, size)), 10);
  return o;
}

TEST(ipv4, reads_what_linux_sends) {
  const auto o = octets_of(packets::port_unreachable_v4);
  const auto h = parse_ipv4(o);
  ASSERT_TRUE(h);
  EXPECT_EQ(h->header_length, 20);
  EXPECT_EQ(h->tos, 0xc0);
  EXPECT_EQ(h->total_length, 60);
  EXPECT_EQ(h->id, 0x476b);
  EXPECT_FALSE(h->dont_fragment || h->more_fragments || h->is_fragment());
  EXPECT_EQ(h->ttl, 64);
  EXPECT_EQ(h->protocol, 1);
  EXPECT_EQ(h->source, kernel_v4);
  EXPECT_EQ(h->destination, peer_v4);
  EXPECT_TRUE(parse_ipv4(octets_of(packets::udp_v4))->dont_fragment);
}

TEST(ipv4, reads_fragments) {
  const auto first = parse_ipv4(datagram(packets::first_fragment_v4, 1500));
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->more_fragments && first->is_fragment());
  EXPECT_EQ(first->fragment_offset, 0);
  const auto last = parse_ipv4(octets_of(packets::last_fragment_v4));
  ASSERT_TRUE(last);
  EXPECT_TRUE(!last->more_fragments && last->is_fragment());
  EXPECT_EQ(last->fragment_offset, 1480);
  EXPECT_EQ(last->id, first->id);
}

TEST(ipv4, writes_what_it_read) {
  std::vector<std::string_view> all = {packets::udp_v4, packets::last_fragment_v4, packets::echo_reply_v4,
                                       packets::port_unreachable_v4, packets::protocol_unreachable_v4};
  for (const auto& p : packets::tcp)
    if (p.octets.starts_with("45")) all.push_back(p.octets);
  for (const auto hex : all) {
    auto o = octets_of(hex);
    const auto h = parse_ipv4(o);
    ASSERT_TRUE(h) << hex;
    o.resize(20);
    EXPECT_EQ(emitted(*h), o) << hex;
  }
  const auto first = datagram(packets::first_fragment_v4, 1500);
  EXPECT_EQ(emitted(*parse_ipv4(first)), std::vector(first.begin(), first.begin() + 20));
}

TEST(ipv4, skips_options) {
  // Router alert (RFC 2113), then text.
  const auto h =
      parse_ipv4(datagram("46 00 00 1c 00 01 00 00 01 02 00 00 c6 33 64 01 e0 00 00 16 94 04 00 00 74 65 78 74", 28));
  ASSERT_TRUE(h);
  EXPECT_EQ(h->header_length, 24);
  const auto longest = parse_ipv4(datagram("4f 00 00 3c 00 01 00 00 40 06 00 00 c6 33 64 01 c6 33 64 02", 60));
  ASSERT_TRUE(longest);
  EXPECT_EQ(longest->header_length, 60);
}

TEST(ipv4, takes_octets_behind_the_datagram_for_padding) {
  auto o = octets_of(packets::udp_v4);
  o.resize(60, std::byte{0xff});
  ASSERT_TRUE(parse_ipv4(o));
  EXPECT_EQ(parse_ipv4(o)->total_length, 33);
}

TEST(ipv4, ignores_the_reserved_flag) {
  const auto h = parse_ipv4(datagram("45 00 00 14 00 01 80 00 40 06 00 00 c6 33 64 01 c6 33 64 02", 20));
  ASSERT_TRUE(h);
  EXPECT_FALSE(h->dont_fragment || h->is_fragment());
}

TEST(ipv4, refuses_what_contradicts_itself) {
  struct bad_case {
    const char* octets;
    std::size_t size;
    drop reason;
  };
  const bad_case cases[] = {
      {"65 00 00 14 00 01 00 00 40 06 00 00 c6 33 64 01 c6 33 64 02", 20, drop::bad_version},
      {"05 00 00 14 00 01 00 00 40 06 00 00 c6 33 64 01 c6 33 64 02", 20, drop::bad_version},
      {"44 00 00 14 00 01 00 00 40 06 00 00 c6 33 64 01 c6 33 64 02", 20, drop::bad_header_length},
      {"40 00 00 14 00 01 00 00 40 06 00 00 c6 33 64 01 c6 33 64 02", 20, drop::bad_header_length},
      {"46 00 00 18 00 01 00 00 40 06 00 00 c6 33 64 01 c6 33 64 02", 23, drop::bad_header_length},
      {"45 00 00 13 00 01 00 00 40 06 00 00 c6 33 64 01 c6 33 64 02", 20, drop::bad_length},
      {"45 00 00 00 00 01 00 00 40 06 00 00 c6 33 64 01 c6 33 64 02", 20, drop::bad_length},
      {"46 00 00 14 00 01 00 00 40 06 00 00 c6 33 64 01 c6 33 64 02", 24, drop::bad_length},
      {"45 00 00 15 00 01 00 00 40 06 00 00 c6 33 64 01 c6 33 64 02", 20, drop::bad_length},
      {"45 00 ff ff 00 01 00 00 40 06 00 00 c6 33 64 01 c6 33 64 02", 1500, drop::bad_length},
  };
  for (const auto& c : cases) {
    const auto h = parse_ipv4(datagram(c.octets, c.size));
    ASSERT_FALSE(h) << c.octets;
    EXPECT_EQ(h.error(), c.reason) << c.octets;
  }
}

TEST(ipv4, refuses_a_header_with_any_bit_flipped) {  // RFC 1122 §3.2.1.2
  const auto good = octets_of(packets::udp_v4);
  for (std::size_t bit = 0; bit < 160; ++bit) {
    auto o = good;
    o[bit / 8] ^= static_cast<std::byte>(0x80 >> bit % 8);
    const auto h = parse_ipv4(o);
    ASSERT_FALSE(h) << bit;
    EXPECT_TRUE(bit < 32 || h.error() == drop::bad_checksum) << bit;  // before that, a length or the version
  }
}

TEST(ipv4, refuses_every_truncation) {
  guarded guard;
  for (const auto hex : {packets::udp_v4, packets::port_unreachable_v4}) {
    const auto o = octets_of(hex);
    for (std::size_t n = 0; n < o.size(); ++n) {
      const auto h = parse_ipv4(guard.hold(octets{o}.first(n)));
      ASSERT_FALSE(h) << n;
      EXPECT_EQ(h.error(), n < 20 ? drop::too_short : drop::bad_length) << n;
    }
  }
}

}  // namespace
}  // namespace tunic::wire
