#include <gtest/gtest.h>

#include "tests/ip/host.hpp"

namespace tunic::test {
namespace {

// A fragment of a UDP datagram from the peer: octets [from, from + n) of the text.
octets piece(family f, std::span<const std::byte> text, std::size_t from, std::size_t n, bool more,
             std::uint32_t id = 1, std::uint8_t tos = 0) {
  const auto part = text.subspan(from, n);
  if (f == family::v4) {
    wire::ipv4_header h;
    h.source = peer4;
    h.destination = ours4;
    h.protocol = 17;
    h.tos = tos;
    h.id = static_cast<std::uint16_t>(id);
    h.fragment_offset = static_cast<std::uint16_t>(from);
    h.more_fragments = more;
    return ipv4(h, part);
  }
  wire::ipv6_header h;
  h.source = peer6;
  h.destination = ours6;
  h.protocol = 17;
  h.traffic_class = tos;
  h.fragment = wire::ipv6_fragment{static_cast<std::uint16_t>(from), more, id};
  return ipv6(h, part);
}

class reassembly : public testing::TestWithParam<family> {
 protected:
  [[nodiscard]] octets part(std::size_t from, std::size_t n, bool more, std::uint32_t id = 1,
                            std::uint8_t tos = 0) const {
    return piece(GetParam(), text_, from, n, more, id, tos);
  }
  bool completes(host& h, const octets& d) {
    const auto got = h.receive(d);
    const auto* whole = std::get_if<ip::datagram>(&got);
    if (!whole) return false;
    EXPECT_EQ(copy(whole->transport.octets), octets(text_.begin(), text_.begin() + 3000));
    EXPECT_EQ(whole->transport.checksum, checksum_state::unknown);
    EXPECT_EQ(whole->protocol, 17);
    EXPECT_EQ(whole->source, GetParam() == family::v4 ? peer4 : peer6);
    return true;
  }
  const octets text_ = pattern(4000);
};

INSTANTIATE_TEST_SUITE_P(versions, reassembly, testing::Values(family::v4, family::v6),
                         [](const auto& p) { return p.param == family::v4 ? "v4" : "v6"; });

TEST_P(reassembly, finishes_with_the_last_missing_fragment_in_any_order) {
  std::vector<octets> parts{part(0, 1000, true), part(1000, 8, true), part(1008, 992, true), part(2000, 1000, false)};
  std::vector<int> order{0, 1, 2, 3};
  do {
    host h;
    for (int i = 0; i < 3; ++i)
      EXPECT_FALSE(completes(h, parts[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]));
    EXPECT_NE(h.ip.next_deadline(), never);
    EXPECT_TRUE(completes(h, parts[static_cast<std::size_t>(order[3])]));
    EXPECT_EQ(h.ip.next_deadline(), never);
    EXPECT_EQ(h.buffers.in_use(), 0u);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_P(reassembly, keeps_datagrams_apart_by_their_identification) {
  host h;
  EXPECT_FALSE(completes(h, part(0, 2000, true, 1)));
  EXPECT_FALSE(completes(h, part(2000, 1000, false, 2)));
  EXPECT_TRUE(completes(h, part(0, 2000, true, 2)));
  EXPECT_TRUE(completes(h, part(2000, 1000, false, 1)));
}

TEST_P(reassembly, ignores_copies_of_a_fragment) {
  host h;
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(completes(h, part(0, 1000, true)));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(completes(h, part(2000, 1000, false)));
  EXPECT_TRUE(completes(h, part(1000, 1000, true)));
  EXPECT_EQ(h.count.drops, counters{}.drops);
}

TEST_P(reassembly, refuses_the_whole_datagram_where_fragments_overlap) {  // RFC 5722 §4
  const std::vector<std::pair<const char*, octets>> overlaps{
      {"into the first", part(992, 1008, true)},
      {"into the last", part(1000, 1008, true)},
      {"around the first", part(0, 1008, true)},
      {"within the first", part(8, 16, true)},
      {"the last at another end", part(2000, 1008, false)},
      {"the last shorter", part(2000, 8, false)},
      {"beyond the end", part(3000, 8, true)},
      {"a second end before held text", part(1000, 8, false)},
  };
  for (const auto& [what, overlap] : overlaps) {
    host h;
    EXPECT_FALSE(completes(h, part(0, 1000, true)));
    EXPECT_FALSE(completes(h, part(2000, 1000, false)));
    EXPECT_FALSE(completes(h, overlap)) << what;
    EXPECT_EQ(h.dropped(drop::fragment_overlap), 1u) << what;
    EXPECT_EQ(h.buffers.in_use(), 0u) << what;
    EXPECT_FALSE(completes(h, part(0, 1000, true))) << what;
    EXPECT_FALSE(completes(h, part(1000, 1000, true))) << what;
    EXPECT_FALSE(completes(h, part(2000, 1000, false))) << what << ": fragments not yet received are dropped, too";
    EXPECT_EQ(h.dropped(drop::fragment_overlap), 4u) << what;
    h.pass(30s);
    EXPECT_FALSE(h.ip.has_output()) << what << ": silently";
    EXPECT_EQ(h.dropped(drop::fragment_limit), 0u) << what << ": it has been counted already";
    EXPECT_EQ(h.ip.next_deadline(), never);
  }
}

TEST_P(reassembly, reports_time_exceeded_where_the_first_fragment_came) {  // RFC 1122 §3.3.2, RFC 8200 §4.5
  host h;
  const octets first = part(0, 2000, true);
  EXPECT_FALSE(completes(h, first));
  h.pass(29s);
  EXPECT_FALSE(h.ip.has_output());
  h.pass(1s);
  const octets d = h.transmit();
  ASSERT_FALSE(d.empty());
  const bool v4 = GetParam() == family::v4;
  const auto m = wire::parse_icmp(transport(d), v4 ? ours4 : ours6, v4 ? peer4 : peer6);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->kind, wire::icmp_kind::time_exceeded);
  EXPECT_EQ(m->code, 1);
  const auto quoted = transport(d).subspan(8);
  EXPECT_TRUE(std::equal(quoted.begin(), quoted.end(), first.begin()));
  EXPECT_EQ(d.size(), v4 ? 576u : 1280u);
  EXPECT_EQ(h.dropped(drop::fragment_limit), 1u);
  EXPECT_EQ(h.ip.next_deadline(), never);
  EXPECT_EQ(h.buffers.in_use(), 0u);
}

TEST_P(reassembly, says_nothing_of_a_datagram_whose_first_fragment_never_came) {
  host h;
  EXPECT_FALSE(completes(h, part(2000, 1000, false)));
  h.pass(30s);
  EXPECT_FALSE(h.ip.has_output());
  EXPECT_EQ(h.dropped(drop::fragment_limit), 1u);
  EXPECT_FALSE(completes(h, part(0, 2000, true))) << "what came before is forgotten";
}

TEST_P(reassembly, refuses_ragged_and_empty_fragments) {
  host h;
  EXPECT_FALSE(completes(h, part(0, 1001, true)));
  EXPECT_FALSE(completes(h, part(1000, 7, true)));
  EXPECT_FALSE(completes(h, part(0, 0, true)));
  EXPECT_FALSE(completes(h, part(1000, 0, false)));
  EXPECT_EQ(h.dropped(drop::fragment_bad), 4u);
  EXPECT_EQ(h.ip.next_deadline(), never);
}

TEST_P(reassembly, refuses_what_ends_beyond_65535) {
  const octets long_text = pattern(65536 + 1000);
  const bool v4 = GetParam() == family::v4;
  const std::size_t longest = v4 ? 65515 : 65535;
  host h;
  EXPECT_TRUE(is_empty(h.receive(piece(GetParam(), long_text, 65000, longest + 1 - 65000, false))));
  EXPECT_TRUE(is_empty(h.receive(piece(GetParam(), long_text, 65528, 800, true))));
  EXPECT_EQ(h.dropped(drop::fragment_bad), 2u);
  EXPECT_TRUE(is_empty(h.receive(piece(GetParam(), long_text, 65000, longest - 65000, false))));
  EXPECT_EQ(h.dropped(drop::fragment_bad), 2u);
  h.transmit_all();
  const auto d = h.receive(piece(GetParam(), std::span{long_text}.first(65000), 0, 65000, true));
  ASSERT_TRUE(std::holds_alternative<ip::datagram>(d));
  EXPECT_EQ(std::get<ip::datagram>(d).transport.octets.size(), longest);
}

TEST_P(reassembly, keeps_a_congestion_mark_of_any_fragment) {  // RFC 3168 §5.3
  host h;
  EXPECT_TRUE(is_empty(h.receive(part(0, 1000, true, 1, 2))));
  EXPECT_TRUE(is_empty(h.receive(part(1000, 1000, true, 1, 3))));
  const auto d = h.receive(part(2000, 1000, false, 1, 2));
  EXPECT_EQ(std::get<ip::datagram>(d).tos, 3);
}

TEST_P(reassembly, gives_up_the_oldest_datagram_for_memory) {
  ip::config c = dual_stack();
  c.reassembly_octets = 10 * pool::small_size;
  host h{c};
  for (std::uint32_t id = 1; id <= 12; ++id) {
    EXPECT_FALSE(completes(h, part(0, 8, true, id))) << "few octets are charged as the buffer that they hold";
    EXPECT_LE(h.buffers.in_use(), 10u);
  }
  EXPECT_EQ(h.dropped(drop::fragment_limit), 2u);
  EXPECT_FALSE(completes(h, part(8, 1000, true, 3)))
      << "the third is the oldest now, and goes to make room for its own";
  EXPECT_EQ(h.dropped(drop::fragment_limit), 3u);
}

TEST_P(reassembly, charges_a_large_buffer_whole) {
  ip::config c = dual_stack();
  c.reassembly_octets = 3 * pool::large_size;
  host h{c};
  for (std::uint32_t id = 1; id <= 4; ++id) {
    packet p;
    const octets d = part(0, 8, true, id);
    const buffer_ref b = h.buffers.large();
    std::memcpy(b->room().data(), d.data(), d.size());
    p.octets = pool::view(b, d.size());
    EXPECT_TRUE(is_empty(h.ip.on_packet(std::move(p), h.now)));
  }
  EXPECT_EQ(h.dropped(drop::fragment_limit), 1u);
  EXPECT_EQ(h.buffers.in_use(), 3u);
}

TEST_P(reassembly, gives_up_the_oldest_datagram_for_their_number) {
  ip::config c = dual_stack();
  c.reassembly_datagrams = 3;
  host h{c};
  for (std::uint32_t id = 1; id <= 4; ++id) EXPECT_FALSE(completes(h, part(0, 2000, true, id)));
  EXPECT_EQ(h.dropped(drop::fragment_limit), 1u);
  EXPECT_TRUE(completes(h, part(2000, 1000, false, 2)));
  EXPECT_TRUE(completes(h, part(2000, 1000, false, 3)));
  EXPECT_TRUE(completes(h, part(2000, 1000, false, 4)));
}

TEST_P(reassembly, of_nothing_is_allowed_with_limits_of_zero) {
  ip::config c = dual_stack();
  c.reassembly_datagrams = 0;
  host h{c};
  EXPECT_FALSE(completes(h, part(0, 2000, true)));
  ip::config d = dual_stack();
  d.reassembly_octets = 0;
  host i{d};
  EXPECT_FALSE(completes(i, part(0, 2000, true)));
  EXPECT_EQ(h.dropped(drop::fragment_limit) + i.dropped(drop::fragment_limit), 2u);
  EXPECT_EQ(h.buffers.in_use() + i.buffers.in_use(), 0u);
}

TEST_P(reassembly, quotes_the_whole_datagram_it_has_put_together) {
  host h;
  EXPECT_FALSE(completes(h, part(0, 2000, true)));
  const auto d = h.receive(part(2000, 1000, false));
  const auto& whole = std::get<ip::datagram>(d).whole;
  host again;
  const auto read = again.ip.on_packet(packet{whole, 0, {}}, again.now);
  EXPECT_EQ(copy(std::get<ip::datagram>(read).transport.octets), octets(text_.begin(), text_.begin() + 3000));
}

TEST(reassembly_key, has_the_protocol_in_version_4_only) {  // RFC 791 §3.2, RFC 8200 §4.5
  host h;
  const octets text = pattern(200);
  const auto tcp = [](octets d, std::size_t offset) {
    d[offset] = std::byte{6};
    if (offset == 9) wire::store16(d.data() + 10, static_cast<std::uint16_t>(wire::load16(d.data() + 10) + 11));
    return d;
  };
  EXPECT_TRUE(is_empty(h.receive(piece(family::v4, text, 0, 96, true))));
  EXPECT_TRUE(is_empty(h.receive(tcp(piece(family::v4, text, 96, 104, false), 9))));
  EXPECT_FALSE(is_empty(h.receive(piece(family::v4, text, 96, 104, false))));
  EXPECT_TRUE(is_empty(h.receive(piece(family::v6, text, 0, 96, true))));
  const auto d = h.receive(tcp(piece(family::v6, text, 96, 104, false), 40));
  ASSERT_TRUE(std::holds_alternative<ip::datagram>(d));
  EXPECT_EQ(std::get<ip::datagram>(d).protocol, 17) << "the first fragment says it";
}

TEST(atomic_fragment, is_a_datagram_by_itself) {  // RFC 6946 §4
  host h;
  const octets text = pattern(100);
  EXPECT_TRUE(is_empty(h.receive(piece(family::v6, text, 0, 48, true, 5))));
  const auto d = h.receive(piece(family::v6, text, 0, 100, false, 5));
  EXPECT_EQ(copy(std::get<ip::datagram>(d).transport.octets), text);
  const auto rest = h.receive(piece(family::v6, text, 48, 52, false, 5));
  EXPECT_TRUE(std::holds_alternative<ip::datagram>(rest)) << "the other datagram was left alone";
}

TEST(bad_fragment, is_a_parameter_problem_in_version_6) {  // RFC 8200 §4.5
  const octets text = pattern(66000);
  const auto pointer = [](host& h) {
    const octets d = h.transmit();
    const auto m = wire::parse_icmp(transport(d), ours6, peer6);
    EXPECT_TRUE(m);
    EXPECT_EQ(m->kind, wire::icmp_kind::parameter_problem);
    EXPECT_EQ(m->code, 0);
    return m->rest;
  };
  host h;
  EXPECT_TRUE(is_empty(h.receive(piece(family::v6, text, 0, 1001, true))));
  EXPECT_EQ(pointer(h), 4u) << "the payload length";
  EXPECT_TRUE(is_empty(h.receive(piece(family::v6, text, 65528, 100, false))));
  EXPECT_EQ(pointer(h), 42u) << "the fragment offset";
  EXPECT_TRUE(is_empty(h.receive(piece(family::v4, text, 0, 1001, true))));
  EXPECT_FALSE(h.ip.has_output());
}

TEST(fragments, of_an_icmp_error_are_not_answered) {
  host h;
  const octets error = icmp(peer4, ours4, {wire::icmp_kind::destination_unreachable, 0, 1, 0}, pattern(800));
  wire::ipv4_header v4;
  v4.source = peer4;
  v4.destination = ours4;
  v4.protocol = 1;
  v4.more_fragments = true;
  EXPECT_TRUE(is_empty(h.receive(ipv4(v4, transport(error).first(400)))));
  h.pass(30s);
  EXPECT_FALSE(h.ip.has_output());
}

TEST(fragments, that_may_belong_to_an_icmp_error_are_not_answered) {
  host h;
  wire::ipv6_header later;
  later.source = peer6;
  later.destination = ours6;
  later.protocol = 58;
  later.fragment = wire::ipv6_fragment{65528, false, 1};
  octets text(100);
  text[0] = std::byte{128};  // no message's type, but text
  EXPECT_TRUE(is_empty(h.receive(ipv6(later, text))));
  EXPECT_EQ(h.dropped(drop::fragment_bad), 1u);
  EXPECT_FALSE(h.ip.has_output());
}

TEST(fragments, within_fragments_are_refused) {
  host h;
  wire::ipv6_header inner;
  inner.source = peer6;
  inner.destination = ours6;
  inner.protocol = 17;
  inner.fragment = wire::ipv6_fragment{0, true, 9};
  const octets nested = ipv6(inner, pattern(64));
  wire::ipv6_header outer = inner;
  outer.protocol = 44;
  outer.fragment = wire::ipv6_fragment{0, true, 1};
  const std::span<const std::byte> text = std::span{nested}.subspan(40);
  EXPECT_TRUE(is_empty(h.receive(ipv6(outer, text.first(32)))));
  outer.fragment = wire::ipv6_fragment{32, false, 1};
  EXPECT_TRUE(is_empty(h.receive(ipv6(outer, text.subspan(32)))));
  EXPECT_EQ(h.dropped(drop::fragment_bad), 1u);
  EXPECT_EQ(h.ip.next_deadline(), never);
}

// One of several stacks with the same addresses does not know whose they are.
TEST(fragments, of_tcp_are_dropped_where_they_are_not_to_be) {
  for (const bool taken : {true, false}) {
    ip::config c = dual_stack();
    c.tcp_fragments = taken;
    host h{c};
    const octets text = pattern(64);
    for (const std::uint8_t protocol : {std::uint8_t{6}, std::uint8_t{17}}) {
      wire::ipv4_header four;
      four.source = peer4;
      four.destination = ours4;
      four.protocol = protocol;
      four.id = 7;
      four.more_fragments = true;
      EXPECT_TRUE(is_empty(h.receive(ipv4(four, std::span{text}.first(32)))));
      four.more_fragments = false;
      four.fragment_offset = 32;
      EXPECT_EQ(is_empty(h.receive(ipv4(four, std::span{text}.subspan(32)))), protocol == 6 && !taken);
      wire::ipv6_header six;
      six.source = peer6;
      six.destination = ours6;
      six.protocol = protocol;
      six.fragment = wire::ipv6_fragment{0, true, 7};
      EXPECT_TRUE(is_empty(h.receive(ipv6(six, std::span{text}.first(32)))));
      six.fragment = wire::ipv6_fragment{32, false, 7};
      EXPECT_EQ(is_empty(h.receive(ipv6(six, std::span{text}.subspan(32)))), protocol == 6 && !taken);
    }
    EXPECT_EQ(h.dropped(drop::fragment_unsteered), taken ? 0u : 2u);
    EXPECT_FALSE(h.ip.has_output());
  }
}

}  // namespace
}  // namespace tunic::test
