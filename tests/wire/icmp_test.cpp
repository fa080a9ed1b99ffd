#include "stack/wire/icmp.hpp"

#include "tests/wire/packets.hpp"
#include "tests/wire/support.hpp"

namespace tunic::wire {
namespace {

// The ICMP message of a datagram that has no IP options.
std::vector<std::byte> message_of(std::string_view hex) {
  auto o = octets_of(hex);
  o.erase(o.begin(), o.begin() + (load8(o.data()) >> 4 == 4 ? 20 : 40));
  return o;
}

struct icmp_case {
  const char* name;
  family version;
  std::string_view octets;  // a message with its checksum zero
  icmp_kind kind;
  std::uint32_t rest;
};

constexpr icmp_case messages[] = {
    {"echo reply", family::v4, "00 00 00 00 12 34 00 01", icmp_kind::echo_reply, 0x12340001},
    {"network unreachable", family::v4, "03 00 00 00 00 00 00 00 45", icmp_kind::destination_unreachable, 0},
    {"fragmentation needed", family::v4, "03 04 00 00 00 00 05 78 45 00", icmp_kind::packet_too_big, 1400},
    {"echo request", family::v4, "08 00 00 00 ff ff fe ff 61", icmp_kind::echo_request, 0xfffffeff},
    {"time exceeded", family::v4, "0b 01 00 00 00 00 00 00", icmp_kind::time_exceeded, 0},
    {"parameter problem", family::v4, "0c 00 00 00 14 00 00 00", icmp_kind::parameter_problem, 0x14000000},
    {"redirect", family::v4, "05 01 00 00 c6 33 64 fe", icmp_kind::other, 0xc63364fe},
    {"no route", family::v6, "01 00 00 00 00 00 00 00 60", icmp_kind::destination_unreachable, 0},
    {"packet too big", family::v6, "02 00 00 00 00 01 05 00", icmp_kind::packet_too_big, 66816},
    {"time exceeded", family::v6, "03 00 00 00 00 00 00 00", icmp_kind::time_exceeded, 0},
    {"parameter problem", family::v6, "04 01 00 00 00 00 00 28", icmp_kind::parameter_problem, 40},
    {"echo request", family::v6, "80 00 00 00 12 34 00 01 70 69 6e 67", icmp_kind::echo_request, 0x12340001},
    {"echo reply", family::v6, "81 00 00 00 12 34 00 01 70 69 6e 67", icmp_kind::echo_reply, 0x12340001},
    {"neighbour solicitation", family::v6, "87 00 00 00 00 00 00 00", icmp_kind::other, 0},
    {"the other version's echo request", family::v6, "08 00 00 00 00 00 00 00", icmp_kind::other, 0},
};

result<icmp_header, drop> parsed(const icmp_case& c) {
  auto o = octets_of(c.octets);
  if (c.version == family::v4) {
    set_checksum(o, 2);
    return parse_icmp(o, kernel_v4, peer_v4);
  }
  set_checksum(o, 2, kernel_v6, peer_v6, 58);
  return parse_icmp(o, kernel_v6, peer_v6);
}

TEST(icmp, reads_what_linux_sends) {
  const auto echo = parse_icmp(message_of(packets::echo_reply_v4), kernel_v4, peer_v4);
  ASSERT_TRUE(echo);
  EXPECT_EQ(echo->kind, icmp_kind::echo_reply);
  EXPECT_EQ(echo->identifier(), 0x1234);
  EXPECT_EQ(echo->sequence(), 1);
  const auto port = parse_icmp(message_of(packets::port_unreachable_v4), kernel_v4, peer_v4);
  ASSERT_TRUE(port);
  EXPECT_EQ(port->kind, icmp_kind::destination_unreachable);
  EXPECT_EQ(port->unreachable(family::v4), unreachable_code::port);
  const auto protocol = parse_icmp(message_of(packets::protocol_unreachable_v4), kernel_v4, peer_v4);
  ASSERT_TRUE(protocol);
  EXPECT_EQ(protocol->unreachable(family::v4), unreachable_code::protocol);

  const auto echo6 = parse_icmp(message_of(packets::echo_reply_v6), kernel_v6, peer_v6);
  ASSERT_TRUE(echo6);
  EXPECT_EQ(echo6->kind, icmp_kind::echo_reply);
  EXPECT_EQ(echo6->identifier(), 0x1234);
  const auto port6 = parse_icmp(message_of(packets::port_unreachable_v6), kernel_v6, peer_v6);
  ASSERT_TRUE(port6);
  EXPECT_EQ(port6->kind, icmp_kind::destination_unreachable);
  EXPECT_EQ(port6->unreachable(family::v6), unreachable_code::port);
  const auto problem = parse_icmp(message_of(packets::parameter_problem_v6), kernel_v6, peer_v6);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->kind, icmp_kind::parameter_problem);
  EXPECT_EQ(problem->code, code_of(unreachable_code::protocol, family::v6));
  EXPECT_EQ(problem->rest, 6u);  // where the next header stands
}

TEST(icmp, knows_the_messages_of_both_versions) {
  for (const auto& c : messages) {
    const auto h = parsed(c);
    ASSERT_TRUE(h) << c.name;
    EXPECT_EQ(h->kind, c.kind) << c.name;
    EXPECT_EQ(h->rest, c.rest) << c.name;
  }
}

TEST(icmp, writes_what_it_read) {
  for (const auto& c : messages) {
    std::vector<std::byte> o(icmp_header::size, std::byte{0xee});
    emit_icmp(*parsed(c), c.version, o);
    auto expected = octets_of(c.octets);
    expected.resize(icmp_header::size);
    EXPECT_EQ(o, expected) << c.name;
  }
}

TEST(icmp, gives_each_kind_the_type_of_its_version) {
  struct type_case {
    icmp_kind kind;
    std::uint8_t v4, v6;
  };
  for (const auto& c : {type_case{icmp_kind::echo_request, 8, 128}, type_case{icmp_kind::echo_reply, 0, 129},
                        type_case{icmp_kind::destination_unreachable, 3, 1}, type_case{icmp_kind::packet_too_big, 3, 2},
                        type_case{icmp_kind::time_exceeded, 11, 3}, type_case{icmp_kind::parameter_problem, 12, 4},
                        type_case{icmp_kind::other, 77, 77}}) {
    const icmp_header h{.kind = c.kind, .type = 77};
    std::vector<std::byte> o(icmp_header::size);
    emit_icmp(h, family::v4, o);
    EXPECT_EQ(load8(&o[0]), c.v4);
    EXPECT_EQ(load8(&o[1]), c.kind == icmp_kind::packet_too_big ? 4 : 0);  // RFC 1191 §4
    emit_icmp(h, family::v6, o);
    EXPECT_EQ(load8(&o[0]), c.v6);
    EXPECT_EQ(load8(&o[1]), 0);
  }
}

TEST(icmp, tells_what_a_packet_is_too_big_for) {
  EXPECT_EQ((icmp_header{.rest = 0x00000578}.mtu(family::v4)), 1400u);
  EXPECT_EQ((icmp_header{.rest = 0xffff0578}.mtu(family::v4)), 1400u);  // the upper half is unused there
  EXPECT_EQ((icmp_header{.rest = 0x00000000}.mtu(family::v4)), 0u);
  EXPECT_EQ((icmp_header{.rest = 0x00010500}.mtu(family::v6)), 66816u);
}

TEST(icmp, tells_why_a_destination_is_unreachable) {
  using enum unreachable_code;
  const unreachable_code v4[] = {network, host,       protocol,   port,    other, other,      network, host,
                                 host,    prohibited, prohibited, network, host,  prohibited, other};
  for (std::uint8_t code = 0; code < std::size(v4); ++code)
    EXPECT_EQ((icmp_header{.code = code}.unreachable(family::v4)), v4[code]) << int{code};
  const unreachable_code v6[] = {network, prohibited, other, host, port, prohibited, prohibited, other};
  for (std::uint8_t code = 0; code < std::size(v6); ++code)
    EXPECT_EQ((icmp_header{.code = code}.unreachable(family::v6)), v6[code]) << int{code};
}

TEST(icmp, codes_say_what_they_are_read_as) {
  using enum unreachable_code;
  for (const auto reason : {network, host, protocol, port, prohibited})
    EXPECT_EQ((icmp_header{.code = code_of(reason, family::v4)}.unreachable(family::v4)), reason);
  for (const auto reason : {network, host, port, prohibited})
    EXPECT_EQ((icmp_header{.code = code_of(reason, family::v6)}.unreachable(family::v6)), reason);
}

TEST(icmp, refuses_what_is_cut_or_garbled) {
  guarded guard;
  const auto v4 = message_of(packets::port_unreachable_v4);
  const auto v6 = message_of(packets::port_unreachable_v6);
  for (std::size_t n = 0; n < v4.size(); ++n) {
    const auto h = parse_icmp(guard.hold(octets{v4}.first(n)), kernel_v4, peer_v4);
    ASSERT_FALSE(h) << n;
    EXPECT_EQ(h.error(), n < 8 ? drop::too_short : drop::bad_checksum) << n;
  }
  for (std::size_t n = 0; n < v6.size(); ++n) {
    const auto h = parse_icmp(guard.hold(octets{v6}.first(n)), kernel_v6, peer_v6);
    ASSERT_FALSE(h) << n;
    EXPECT_EQ(h.error(), n < 8 ? drop::too_short : drop::bad_checksum) << n;
  }
  auto garbled = v4;
  garbled.back() ^= std::byte{1};
  EXPECT_EQ(parse_icmp(garbled, kernel_v4, peer_v4).error(), drop::bad_checksum);
  // In version 6 the addresses are covered too (RFC 4443 §2.3).
  EXPECT_EQ(parse_icmp(v6, kernel_v6, *address::parse("2001:db8::3")).error(), drop::bad_checksum);
  EXPECT_TRUE(parse_icmp(v4, kernel_v4, address::v4(198, 51, 100, 3)));
}

}  // namespace
}  // namespace tunic::wire
