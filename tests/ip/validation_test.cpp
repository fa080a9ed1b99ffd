#include <functional>

#include <gtest/gtest.h>

#include "tests/ip/host.hpp"

namespace tunic::test {
namespace {

const octets text = pattern(12);

octets plain4() {
  return datagram(peer4, ours4, wire::protocol::udp, text);
}
octets plain6() {
  return datagram(peer6, ours6, wire::protocol::udp, text);
}

// The same octets under a header checksum that is right again.
octets mended(octets d) {
  wire::store16(d.data() + 10, 0);
  wire::checksum sum;
  sum.add(std::span{d}.first(4u * (wire::load8(d.data()) & 0xf)));
  wire::store16(d.data() + 10, sum.finish());
  return d;
}

octets changed(octets d, std::size_t offset, std::uint8_t value) {
  d[offset] = static_cast<std::byte>(value);
  return d;
}

octets from(std::string_view source) {
  const address a = at(source);
  return datagram(a, a.is_v4() ? ours4 : ours6, wire::protocol::udp, text);
}

octets to(std::string_view destination) {
  const address a = at(destination);
  return datagram(a.is_v4() ? peer4 : peer6, a, wire::protocol::udp, text);
}

octets first(octets d, std::size_t n) {
  d.resize(n);
  return d;
}

struct refused {
  const char* what;
  octets d;
  drop reason;
};

void PrintTo(const refused& r, std::ostream* out) {
  *out << r.what;
}

class validation : public testing::TestWithParam<refused> {};

TEST_P(validation, counts_a_drop_and_answers_nothing) {
  host h;
  EXPECT_TRUE(is_empty(h.receive(GetParam().d)));
  for (std::size_t i = 0; i < drop_count; ++i) {
    const auto reason = static_cast<drop>(i);
    EXPECT_EQ(h.dropped(reason), reason == GetParam().reason ? 1u : 0u) << name(reason);
  }
  EXPECT_FALSE(h.ip.has_output());
  EXPECT_EQ(h.buffers.in_use(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    table, validation,
    testing::Values(  //
        refused{"version 5", changed(plain4(), 0, 0x55), drop::bad_version},
        refused{"version 0", changed(plain4(), 0, 0), drop::bad_version},
        refused{"19 octets", first(plain4(), 19), drop::too_short},
        refused{"39 octets", first(plain6(), 39), drop::too_short},
        refused{"header of 16 octets", changed(plain4(), 0, 0x44), drop::bad_header_length},
        refused{"header beyond the datagram", changed(plain4(), 0, 0x4f), drop::bad_header_length},
        refused{"total length beyond the datagram", first(plain4(), 31), drop::bad_length},
        refused{"total length below the header's", mended(changed(plain4(), 3, 19)), drop::bad_length},
        refused{"payload length beyond the datagram", first(plain6(), 51), drop::bad_length},
        refused{"header checksum", changed(plain4(), 8, 63), drop::bad_checksum},
        refused{"from unspecified", from("0.0.0.0"), drop::bad_source},
        refused{"from this network", from("0.1.2.3"), drop::bad_source},
        refused{"from broadcast", from("255.255.255.255"), drop::bad_source},
        refused{"from our subnet's broadcast", from("198.51.100.255"), drop::bad_source},
        refused{"from multicast", from("224.0.0.1"), drop::bad_source},
        refused{"from loopback", from("127.0.0.1"), drop::bad_source},
        refused{"from unspecified, 6", from("::"), drop::bad_source},
        refused{"from loopback, 6", from("::1"), drop::bad_source},
        refused{"from multicast, 6", from("ff02::1"), drop::bad_source},
        refused{"to another host", to("198.51.100.3"), drop::not_for_us},
        refused{"to broadcast", to("255.255.255.255"), drop::not_for_us},
        refused{"to our subnet's broadcast", to("198.51.100.255"), drop::not_for_us},
        refused{"to multicast", to("224.0.0.251"), drop::not_for_us},
        refused{"to loopback", to("127.0.0.1"), drop::not_for_us},
        refused{"to another host, 6", to("2001:db8::3"), drop::not_for_us},
        refused{"to multicast, 6", to("ff02::2"), drop::not_for_us},
        refused{"no next header", datagram(peer6, ours6, wire::protocol{59}, {}), drop::no_protocol},
        refused{"ICMP of 7 octets", datagram(peer4, ours4, wire::protocol::icmp, pattern(7)), drop::too_short},
        refused{"ICMP checksum", changed(icmp(peer4, ours4, {wire::icmp_kind::echo_request}, text), 30, 0x99),
                drop::bad_checksum},
        refused{"ICMPv6 checksum", changed(icmp(peer6, ours6, {wire::icmp_kind::echo_request}, text), 50, 0x99),
                drop::bad_checksum},
        refused{"ICMP redirect", icmp(peer4, ours4, {wire::icmp_kind::other, 5}, text), drop::no_protocol},
        refused{"router solicitation", icmp(peer6, ours6, {wire::icmp_kind::other, 133}, text), drop::no_protocol}));

TEST(receive, takes_an_empty_packet_for_too_short) {
  host h;
  EXPECT_TRUE(is_empty(h.ip.on_packet(packet{}, h.now)));
  EXPECT_EQ(h.dropped(drop::too_short), 1u);
}

TEST(receive, hands_the_datagram_over_with_what_its_header_says) {
  host h;
  wire::ipv4_header v4;
  v4.source = peer4;
  v4.destination = ours4;
  v4.protocol = 6;
  v4.tos = 0x2e;
  v4.ttl = 17;
  const octets sent = ipv4(v4, text);
  packet p = h.fill(sent);
  p.segment_size = 1448;
  p.checksum = checksum_state::partial;
  const std::byte* where = p.octets.data();
  const auto d = h.ip.on_packet(std::move(p), h.now);
  const auto* got = std::get_if<ip::datagram>(&d);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->source, peer4);
  EXPECT_EQ(got->destination, ours4);
  EXPECT_EQ(got->protocol, 6);
  EXPECT_EQ(got->tos, 0x2e);
  EXPECT_EQ(got->hop_limit, 17);
  EXPECT_EQ(copy(got->transport.octets), text);
  EXPECT_EQ(got->transport.octets.data(), where + 20) << "no octet is copied";
  EXPECT_EQ(got->transport.segment_size, 1448);
  EXPECT_EQ(got->transport.checksum, checksum_state::partial);
  EXPECT_EQ(copy(got->whole), sent);
}

TEST(receive, delivers_whatever_the_time_to_live) {  // RFC 1122 §3.2.1.7
  for (const auto ttl : {std::uint8_t{0}, std::uint8_t{1}}) {
    host h;
    wire::ipv4_header v4;
    v4.source = peer4;
    v4.destination = ours4;
    v4.protocol = 17;
    v4.ttl = ttl;
    wire::ipv6_header v6;
    v6.source = peer6;
    v6.destination = ours6;
    v6.protocol = 17;
    v6.hop_limit = ttl;
    EXPECT_FALSE(is_empty(h.receive(ipv4(v4, text))));
    EXPECT_FALSE(is_empty(h.receive(ipv6(v6, text))));
  }
}

TEST(receive, cuts_what_lies_behind_the_datagram) {
  host h;
  for (const octets& d : {plain4(), plain6()}) {
    const auto got = h.receive(joined(d, pattern(30)));
    EXPECT_EQ(copy(std::get<ip::datagram>(got).transport.octets), text);
    EXPECT_EQ(copy(std::get<ip::datagram>(got).whole), d);
  }
}

TEST(receive, skips_options_of_version_4) {
  host h;
  octets d = plain4();
  d.insert(d.begin() + 20, 8, std::byte{1});  // no operation
  d[0] = std::byte{0x47};
  d[3] = static_cast<std::byte>(d.size());
  const auto got = h.receive(mended(d));
  EXPECT_EQ(copy(std::get<ip::datagram>(got).transport.octets), text);
}

TEST(receive, skips_extension_headers_of_version_6) {
  host h;
  octets behind(16);  // hop-by-hop options, then destination options, padding both
  behind[0] = std::byte{60};
  behind[8] = std::byte{17};
  behind[2] = behind[10] = std::byte{1};
  behind[3] = behind[11] = std::byte{4};
  const auto got = h.receive(datagram(peer6, ours6, wire::protocol{0}, joined(behind, text)));
  const auto* d = std::get_if<ip::datagram>(&got);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->protocol, 17);
  EXPECT_EQ(copy(d->transport.octets), text);
}

TEST(receive, takes_mapped_addresses_in_version_6_for_garbage) {
  host h;
  octets d = plain6();
  std::memset(d.data() + 8, 0, 10);  // the source becomes ::ffff:198.51.100.1
  std::memset(d.data() + 18, 0xff, 2);
  EXPECT_TRUE(is_empty(h.receive(d)));
  EXPECT_EQ(h.dropped(drop::bad_source), 1u);
}

TEST(any_address, takes_every_host_but_neither_multicast_nor_broadcast) {
  ip::config c = dual_stack();
  c.any_address = true;
  host h{c};
  for (const char* a : {"203.0.113.9", "198.51.100.77", "2001:db8:ffff::1", "fe80::1"}) {
    const auto d = h.receive(to(a));
    ASSERT_TRUE(std::holds_alternative<ip::datagram>(d)) << a;
    EXPECT_EQ(std::get<ip::datagram>(d).destination, at(a));
    EXPECT_TRUE(h.ip.reachable(at(a)));
  }
  for (const char* a :
       {"255.255.255.255", "198.51.100.255", "239.1.1.1", "127.0.0.1", "0.0.0.0", "ff02::1", "::1", "::"})
    EXPECT_TRUE(is_empty(h.receive(to(a)))) << a;
  EXPECT_EQ(h.dropped(drop::not_for_us), 8u);
}

}  // namespace
}  // namespace tunic::test
