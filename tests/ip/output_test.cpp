#include <set>

#include <gtest/gtest.h>

#include "tests/ip/host.hpp"

namespace tunic::test {
namespace {

ip::outgoing to_peer(family f, octets header, std::vector<slice> text) {
  ip::outgoing d;
  d.source = f == family::v4 ? ours4 : ours6;
  d.destination = f == family::v4 ? peer4 : peer6;
  d.protocol = 17;
  d.header = std::move(header);
  d.text = std::move(text);
  return d;
}

// What the peer makes of the frames.
octets put_together(const std::vector<octets>& frames) {
  ip::config c;
  c.addresses = {net("198.51.100.1/24"), net("2001:db8::1/64")};
  host peer{c};
  ip::delivery d;
  for (const octets& f : frames) d = peer.receive(f);
  const auto* whole = std::get_if<ip::datagram>(&d);
  return whole ? copy(whole->transport.octets) : octets{};
}

class queued : public testing::TestWithParam<family> {};

INSTANTIATE_TEST_SUITE_P(versions, queued, testing::Values(family::v4, family::v6),
                         [](const auto& p) { return p.param == family::v4 ? "v4" : "v6"; });

TEST_P(queued, cuts_at_any_mtu) {
  const octets header = pattern(8);
  const octets text = pattern(5000);
  for (const std::size_t mtu : {68u, 576u, 577u, 1280u, 1500u, 4999u, 5048u, 5047u, 9000u}) {
    ip::config c = dual_stack();
    c.mtu = mtu;
    host h{c};
    std::vector<slice> pieces{h.share(std::span{text}.first(1)), h.share(std::span{text}.subspan(1, 2000)), h.share({}),
                              h.share(std::span{text}.subspan(2001))};
    ASSERT_FALSE(h.ip.send(to_peer(GetParam(), header, std::move(pieces)), h.now));
    const auto frames = h.transmit_all();
    for (const octets& d : frames) EXPECT_LE(d.size(), mtu);
    EXPECT_EQ(put_together(frames), joined(header, text)) << mtu;
    EXPECT_EQ(h.buffers.in_use(), 0u);
  }
}

TEST_P(queued, cuts_at_the_path_mtu_of_the_first_fragment) {
  host h;
  const octets text = pattern(4000);
  ASSERT_FALSE(h.ip.send(to_peer(GetParam(), {}, {h.share(text)}), h.now));
  const address peer = GetParam() == family::v4 ? peer4 : peer6;
  std::vector<octets> frames{h.transmit()};
  h.ip.lower_path_mtu(peer, 1300, h.now);
  const auto rest = h.transmit_all();
  frames.insert(frames.end(), rest.begin(), rest.end());
  EXPECT_EQ(frames.size(), 3u);
  EXPECT_EQ(put_together(frames), text);

  ASSERT_FALSE(h.ip.send(to_peer(GetParam(), {}, {h.share(text)}), h.now));
  for (const octets& d : h.transmit_all()) EXPECT_LE(d.size(), 1300u);
}

TEST_P(queued, copies_text_of_more_slices_than_a_frame_takes) {
  host h;
  const octets text = pattern(3000);
  std::vector<slice> pieces;
  const slice whole = h.share(text);
  for (std::uint32_t i = 0; i < 3000; i += 10) pieces.push_back(whole.sub(i, 10));
  ASSERT_FALSE(h.ip.send(to_peer(GetParam(), pattern(8), pieces), h.now));
  EXPECT_EQ(put_together(h.transmit_all()), joined(pattern(8), text));
}

TEST_P(queued, takes_a_transport_header_longer_than_a_frame_has_room_for) {
  host h;
  const octets header = pattern(200);
  const octets text = pattern(1800, 3);
  ASSERT_FALSE(h.ip.send(to_peer(GetParam(), header, {h.share(text)}), h.now));
  EXPECT_EQ(put_together(h.transmit_all()), joined(header, text));
}

TEST_P(queued, shares_the_text) {
  host h;
  const slice text = h.share(pattern(2000));
  ASSERT_FALSE(h.ip.send(to_peer(GetParam(), pattern(8), {text}), h.now));
  frame f;
  std::uint32_t offset = 0;
  while (h.ip.poll_transmit(f, h.now)) {
    ASSERT_EQ(f.text.size(), 1u);
    EXPECT_EQ(f.text.begin()->data(), text.data() + offset);
    EXPECT_FALSE(f.partial_checksum);
    EXPECT_EQ(f.segment_size, 0);
    offset += f.text.begin()->size();
  }
  EXPECT_EQ(offset, 2000u);
}

TEST_P(queued, refuses_what_exceeds_the_mtu_and_must_not_be_cut) {
  host h;
  const std::size_t header = GetParam() == family::v4 ? 20 : 40;
  const auto send = [&](std::size_t length) {
    auto d = to_peer(GetParam(), {}, {h.share(pattern(length))});
    d.dont_fragment = true;
    return h.ip.send(std::move(d), h.now);
  };
  EXPECT_EQ(send(1501 - header), std::errc::message_size);
  EXPECT_FALSE(send(1500 - header));
  const octets d = h.transmit();
  EXPECT_EQ(d.size(), 1500u);
  if (GetParam() == family::v4) {
    EXPECT_TRUE(wire::parse_ipv4(d)->dont_fragment);
  }
  h.ip.lower_path_mtu(GetParam() == family::v4 ? peer4 : peer6, 1400, h.now);
  EXPECT_EQ(send(1401 - header), std::errc::message_size);
  EXPECT_FALSE(send(1400 - header));
}

TEST_P(queued, refuses_what_the_length_field_cannot_say) {
  host h;
  const std::size_t longest = GetParam() == family::v4 ? 65515 : 65535;
  EXPECT_EQ(h.ip.send(to_peer(GetParam(), {}, {h.share(pattern(longest + 1))}), h.now), std::errc::message_size);
  const octets text = pattern(longest);
  ASSERT_FALSE(h.ip.send(to_peer(GetParam(), {}, {h.share(text)}), h.now));
  EXPECT_TRUE(put_together(h.transmit_all()) == text);
}

TEST_P(queued, keeps_to_its_queue) {
  ip::config c = dual_stack();
  c.transmit_queue = 3;
  host h{c};
  for (unsigned round = 0; round < 4; ++round) {
    for (unsigned i = 0; i < 3; ++i) EXPECT_FALSE(h.ip.send(to_peer(GetParam(), pattern(9, i), {}), h.now));
    EXPECT_EQ(h.ip.send(to_peer(GetParam(), pattern(9), {}), h.now), std::errc::no_buffer_space);
    EXPECT_TRUE(h.ip.has_output());
    for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(put_together({h.transmit()}), pattern(9, i)) << "first in, first out";
    EXPECT_FALSE(h.ip.has_output());
    EXPECT_TRUE(h.transmit().empty());
  }
}

TEST_P(queued, sends_a_datagram_without_octets) {
  host h;
  ASSERT_FALSE(h.ip.send(to_peer(GetParam(), {}, {}), h.now));
  EXPECT_EQ(h.transmit().size(), GetParam() == family::v4 ? 20u : 40u);
  EXPECT_FALSE(h.ip.has_output());
}

TEST_P(queued, states_class_and_hop_limit) {
  host h;
  auto d = to_peer(GetParam(), pattern(8), {});
  d.tos = 0xb8;
  d.hop_limit = 3;
  ASSERT_FALSE(h.ip.send(d, h.now));
  d.hop_limit = 0;
  ASSERT_FALSE(h.ip.send(d, h.now));
  for (const int hop_limit : {3, 64}) {
    const octets sent = h.transmit();
    if (GetParam() == family::v4) {
      EXPECT_EQ(wire::parse_ipv4(sent)->ttl, hop_limit);
      EXPECT_EQ(wire::parse_ipv4(sent)->tos, 0xb8);
    } else {
      EXPECT_EQ(wire::parse_ipv6(sent)->hop_limit, hop_limit);
      EXPECT_EQ(wire::parse_ipv6(sent)->traffic_class, 0xb8);
    }
  }
}

TEST_P(queued, gives_each_fragmented_datagram_its_own_identification) {
  const auto ids = [&](const secret& k) {
    pool buffers;
    counters count;
    ip::layer layer{dual_stack(), k, buffers, count};
    std::vector<std::uint32_t> found;
    for (int i = 0; i < 50; ++i) {
      const buffer_ref b = buffers.large();
      EXPECT_FALSE(layer.send(to_peer(GetParam(), {}, {pool::view(b, 2000)}), instant{}));
      frame f;
      while (layer.poll_transmit(f, instant{})) {
        const auto at =
            GetParam() == family::v4 ? wire::load16(f.header_room.data() + 4) : wire::load32(f.header_room.data() + 44);
        if (found.empty() || found.back() != at) found.push_back(at);
      }
    }
    return found;
  };
  const auto some = ids(key);
  EXPECT_EQ(some.size(), 50u) << "one for both fragments";
  EXPECT_EQ(std::set(some.begin(), some.end()).size(), 50u);
  EXPECT_EQ(some, ids(key)) << "the secret decides";
  secret other = key;
  other[0] ^= 1;
  EXPECT_NE(some, ids(other));
}

TEST(send, refuses_destinations_without_a_route) {
  host h;
  auto d = to_peer(family::v4, pattern(8), {});
  d.destination = at("203.0.113.9");
  EXPECT_EQ(h.ip.send(d, h.now), std::errc::network_unreachable);
}

TEST(compose, writes_headers_that_parse) {
  host h;
  frame f;
  f.header_size = 20;
  h.ip.compose(f, ours4, peer4, wire::protocol::tcp, 2, 33, 100);
  octets d = joined({f.header().begin(), f.header().end()}, pattern(100));
  const auto v4 = wire::parse_ipv4(d);
  ASSERT_TRUE(v4);
  EXPECT_FALSE(f.ipv6);
  EXPECT_EQ(v4->total_length, 120);
  EXPECT_TRUE(v4->dont_fragment);
  EXPECT_EQ(v4->id, 0);
  EXPECT_EQ(v4->ttl, 33);
  EXPECT_EQ(v4->tos, 2);
  EXPECT_EQ(v4->protocol, 6);
  EXPECT_EQ(v4->source, ours4);
  EXPECT_EQ(v4->destination, peer4);

  f.header_size = 40;
  h.ip.compose(f, ours6, peer6, wire::protocol::tcp, 2, 0, 100);
  d = joined({f.header().begin(), f.header().end()}, pattern(100));
  const auto v6 = wire::parse_ipv6(d);
  ASSERT_TRUE(v6);
  EXPECT_TRUE(f.ipv6);
  EXPECT_EQ(v6->payload_length, 100);
  EXPECT_EQ(v6->hop_limit, 64) << "the configured one";
  EXPECT_EQ(v6->traffic_class, 2);
  EXPECT_EQ(v6->protocol, 6);
  EXPECT_EQ(v6->source, ours6);
  EXPECT_EQ(v6->destination, peer6);
}

}  // namespace
}  // namespace tunic::test
