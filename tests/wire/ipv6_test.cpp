#include "stack/wire/ipv6.hpp"

#include "tests/wire/packets.hpp"
#include "tests/wire/support.hpp"

namespace tunic::wire {
namespace {

std::vector<std::byte> emitted(const ipv6_header& h) {
  std::vector<std::byte> o(ipv6_header::min_size + (h.fragment ? ipv6_fragment::size : 0), std::byte{0xee});
  emit_ipv6(h, o);
  return o;
}

// A fixed header with this next header, before what it announces.
std::vector<std::byte> datagram(std::uint8_t next, std::string_view payload) {
  auto o = octets_of(
      "60 00 00 00 00 00 00 40 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 "
      "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02");
  const auto text = octets_of(payload);
  o.insert(o.end(), text.begin(), text.end());
  store16(&o[4], static_cast<std::uint16_t>(text.size()));
  store8(&o[6], next);
  return o;
}

TEST(rfc8200_ipv6, reads_what_linux_sends) {
  const auto h = parse_ipv6(octets_of(packets::udp_v6));
  ASSERT_TRUE(h);
  EXPECT_EQ(h->traffic_class, 0);
  EXPECT_EQ(h->flow_label, 0x20843u);
  EXPECT_EQ(h->payload_length, 13);
  EXPECT_EQ(h->hop_limit, 64);
  EXPECT_EQ(h->source, kernel_v6);
  EXPECT_EQ(h->destination, peer_v6);
  EXPECT_EQ(h->header_length, 40);
  EXPECT_EQ(h->protocol, 17);
  EXPECT_EQ(h->next_header_offset, 6);
  EXPECT_FALSE(h->fragment);
}

TEST(rfc8200_ipv6, tells_traffic_class_and_flow_label_apart) {
  auto o = datagram(59, "");
  store32(o.data(), 0x6ab12345);
  const auto h = parse_ipv6(o);
  ASSERT_TRUE(h);
  EXPECT_EQ(h->traffic_class, 0xab);
  EXPECT_EQ(h->flow_label, 0x12345u);
  EXPECT_EQ(emitted(*h), o);
}

TEST(rfc8200_ipv6, reads_fragments) {
  auto whole = octets_of(packets::first_fragment_v6);
  whole.resize(1496);
  const auto first = parse_ipv6(whole);
  ASSERT_TRUE(first && first->fragment);
  EXPECT_EQ(first->fragment->offset, 0);
  EXPECT_TRUE(first->fragment->more);
  EXPECT_EQ(first->header_length, 48);
  EXPECT_EQ(first->protocol, 17);
  EXPECT_EQ(first->next_header_offset, 40);
  const auto last = parse_ipv6(octets_of(packets::last_fragment_v6));
  ASSERT_TRUE(last && last->fragment);
  EXPECT_EQ(last->fragment->offset, 1448);
  EXPECT_FALSE(last->fragment->more);
  EXPECT_EQ(last->fragment->id, 0x36563596u);
  EXPECT_EQ(first->fragment->id, last->fragment->id);
}

TEST(rfc8200_ipv6, skips_the_extension_headers_that_linux_sends) {
  const auto mld = parse_ipv6(octets_of(packets::hop_by_hop_v6));  // router alert in a hop-by-hop header
  ASSERT_TRUE(mld);
  EXPECT_EQ(mld->protocol, 58);
  EXPECT_EQ(mld->header_length, 48);
  EXPECT_EQ(mld->next_header_offset, 40);
  const auto udp = parse_ipv6(octets_of(packets::destination_options_v6));
  ASSERT_TRUE(udp);
  EXPECT_EQ(udp->protocol, 17);
  EXPECT_EQ(udp->header_length, 48);
}

TEST(rfc8200_ipv6, writes_what_it_read) {
  for (const auto hex : {packets::udp_v6, packets::last_fragment_v6, packets::echo_reply_v6,
                         packets::port_unreachable_v6, packets::parameter_problem_v6, packets::tcp[4].octets}) {
    auto o = octets_of(hex);
    const auto h = parse_ipv6(o);
    ASSERT_TRUE(h) << hex;
    o.resize(h->header_length);
    EXPECT_EQ(emitted(*h), o) << hex;
  }
}

TEST(rfc8200_ipv6, takes_octets_behind_the_payload_for_padding) {
  auto o = octets_of(packets::udp_v6);
  o.resize(80, std::byte{0xff});
  ASSERT_TRUE(parse_ipv6(o));
  // But no extension header may lie there.
  auto options = datagram(60, "3b 00 01 04 00 00 00 00");
  store16(&options[4], 0);
  ASSERT_FALSE(parse_ipv6(options));
  EXPECT_EQ(parse_ipv6(options).error(), drop::bad_header_length);
}

TEST(rfc8200_ipv6, follows_the_chain_of_extension_headers) {
  struct chain_case {
    const char* name;
    std::uint8_t next;
    const char* payload;
    std::uint8_t protocol;
    std::uint16_t header_length;
    std::uint16_t next_header_offset;
  };
  const chain_case cases[] = {
      {"no next header", 59, "00 00", 59, 40, 6},
      {"an unknown protocol", 200, "", 200, 40, 6},
      {"the authentication header", 51, "06 04 00 00 00 00 00 00", 51, 40, 6},
      {"hop-by-hop with Pad1", 0, "06 00 00 00 00 00 00 00", 6, 48, 40},
      {"hop-by-hop with PadN", 0, "06 00 01 04 00 00 00 00", 6, 48, 40},
      {"an unknown option that may be skipped", 60, "06 00 1e 04 ff ff ff ff", 6, 48, 40},
      {"two units of options", 60, "06 01 01 0c 00 00 00 00 00 00 00 00 00 00 00 00", 6, 56, 40},
      {"routing with no segments left", 43, "06 02 00 00 00 00 00 00 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 09",
       6, 64, 40},
      {"a chain in the recommended order", 0,
       "3c 00 01 04 00 00 00 00 2b 00 01 04 00 00 00 00 3c 00 00 00 00 00 00 00 06 00 01 04 00 00 00 00", 6, 72, 64},
      {"hop-by-hop behind another header is no extension header", 60, "00 00 01 04 00 00 00 00 06 00 00 00 00 00 00 00",
       0, 48, 40},
      {"an atomic fragment, RFC 6946", 44, "06 00 00 00 12 34 56 78", 6, 48, 40},
      {"options behind an atomic fragment", 44, "3c 00 00 00 12 34 56 78 11 00 01 04 00 00 00 00", 17, 56, 48},
      {"reserved bits of a fragment header", 44, "06 ff 00 06 12 34 56 78", 6, 48, 40},
      {"eight headers", 60,
       "3c 00 01 04 00 00 00 00 3c 00 01 04 00 00 00 00 3c 00 01 04 00 00 00 00 3c 00 01 04 00 00 00 00 "
       "3c 00 01 04 00 00 00 00 3c 00 01 04 00 00 00 00 3c 00 01 04 00 00 00 00 06 00 01 04 00 00 00 00",
       6, 104, 96},
  };
  guarded guard;
  for (const auto& c : cases) {
    const auto h = parse_ipv6(guard.hold(datagram(c.next, c.payload)));
    ASSERT_TRUE(h) << c.name;
    EXPECT_EQ(h->protocol, c.protocol) << c.name;
    EXPECT_EQ(h->header_length, c.header_length) << c.name;
    EXPECT_EQ(h->next_header_offset, c.next_header_offset) << c.name;
    EXPECT_FALSE(h->fragment) << c.name;
  }
}

TEST(rfc8200_ipv6, stops_at_a_fragment) {  // what follows belongs to the fragmented text, whatever it looks like
  const auto h = parse_ipv6(datagram(0, "2c 00 01 04 00 00 00 00 3c 00 00 01 00 00 00 07 ff ff ff ff ff ff ff ff"));
  ASSERT_TRUE(h && h->fragment);
  EXPECT_EQ(h->protocol, 60);
  EXPECT_EQ(h->header_length, 56);
  EXPECT_EQ(h->next_header_offset, 48);
}

TEST(rfc8200_ipv6, refuses_what_contradicts_itself) {
  struct bad_case {
    const char* name;
    std::uint8_t next;
    const char* payload;
    drop reason;
  };
  const bad_case cases[] = {
      {"options cut short", 60, "06 00 01 04 00 00 00", drop::bad_header_length},
      {"options with nothing behind the fixed header", 60, "", drop::bad_header_length},
      {"options longer than the datagram", 60, "06 01 01 04 00 00 00 00", drop::bad_header_length},
      {"routing longer than the datagram", 43, "06 ff 00 00 00 00 00 00", drop::bad_header_length},
      {"a fragment header cut short", 44, "06 00 00 01 12 34 56", drop::bad_header_length},
      {"segments left", 43, "06 00 00 01 00 00 00 00", drop::bad_option},
      {"an option that must be discarded", 60, "06 00 40 04 00 00 00 00", drop::bad_option},
      {"an option that must be reported", 60, "06 00 80 04 00 00 00 00", drop::bad_option},
      {"a jumbo payload", 0, "06 00 c2 04 00 01 00 00", drop::bad_option},
      {"an option without its length", 60, "06 00 00 00 00 00 00 01", drop::bad_option},
      {"an option beyond its header", 60, "06 00 01 05 00 00 00 00", drop::bad_option},
      {"nine headers", 60,
       "3c 00 01 04 00 00 00 00 3c 00 01 04 00 00 00 00 3c 00 01 04 00 00 00 00 3c 00 01 04 00 00 00 00 "
       "3c 00 01 04 00 00 00 00 3c 00 01 04 00 00 00 00 3c 00 01 04 00 00 00 00 3c 00 01 04 00 00 00 00 "
       "06 00 01 04 00 00 00 00",
       drop::bad_option},
  };
  guarded guard;
  for (const auto& c : cases) {
    const auto h = parse_ipv6(guard.hold(datagram(c.next, c.payload)));
    ASSERT_FALSE(h) << c.name;
    EXPECT_EQ(h.error(), c.reason) << c.name;
  }
}

TEST(rfc8200_ipv6, refuses_another_version) {
  for (const std::uint32_t version : {0u, 4u, 5u, 7u, 15u}) {
    auto o = datagram(59, "");
    store32(o.data(), version << 28);
    ASSERT_FALSE(parse_ipv6(o));
    EXPECT_EQ(parse_ipv6(o).error(), drop::bad_version);
  }
}

TEST(rfc8200_ipv6, refuses_addresses_that_would_pass_for_version_4) {
  const auto mapped = octets_of("00 00 00 00 00 00 00 00 00 00 ff ff c6 33 64 01");
  auto source = datagram(6, "");
  std::copy(mapped.begin(), mapped.end(), source.begin() + 8);
  ASSERT_FALSE(parse_ipv6(source));
  EXPECT_EQ(parse_ipv6(source).error(), drop::bad_source);
  auto destination = datagram(6, "");
  std::copy(mapped.begin(), mapped.end(), destination.begin() + 24);
  ASSERT_FALSE(parse_ipv6(destination));
  EXPECT_EQ(parse_ipv6(destination).error(), drop::not_for_us);
}

TEST(rfc8200_ipv6, refuses_every_truncation) {
  guarded guard;
  for (const auto hex :
       {packets::udp_v6, packets::hop_by_hop_v6, packets::destination_options_v6, packets::last_fragment_v6}) {
    const auto o = octets_of(hex);
    for (std::size_t n = 0; n < o.size(); ++n) {
      const auto h = parse_ipv6(guard.hold(octets{o}.first(n)));
      ASSERT_FALSE(h) << n;
      EXPECT_EQ(h.error(), n < 40 ? drop::too_short : drop::bad_length) << n;
    }
    // The same where the length agrees with what is left: only whole extension headers will do.
    const std::size_t headers = parse_ipv6(o)->header_length;
    for (std::size_t n = 40; n < o.size(); ++n) {
      auto cut = std::vector(o.begin(), o.begin() + static_cast<std::ptrdiff_t>(n));
      store16(&cut[4], static_cast<std::uint16_t>(n - 40));
      const auto h = parse_ipv6(guard.hold(cut));
      EXPECT_EQ(static_cast<bool>(h), n >= headers) << n;
      EXPECT_TRUE(h || h.error() == drop::bad_header_length) << n;
    }
  }
}

}  // namespace
}  // namespace tunic::wire
