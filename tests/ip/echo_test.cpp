#include <gtest/gtest.h>

#include "tests/ip/host.hpp"

namespace tunic::test {
namespace {

using way = void (*)(std::vector<octets>&);

void in_order(std::vector<octets>&) {}
void reversed(std::vector<octets>& d) {
  std::reverse(d.begin(), d.end());
}
void shuffled(std::vector<octets>& d) {
  std::shuffle(d.begin(), d.end(), std::mt19937{3});
}
void duplicated(std::vector<octets>& d) {
  // Every fragment twice, all but the one that comes last: its copy would begin another datagram.
  const std::vector<octets> once{d.begin(), d.end() - 1};
  d.insert(d.begin(), once.begin(), once.end());
}

struct round_trip {
  family f;
  std::size_t size;
  const char* name;
  way order;
};

void PrintTo(const round_trip& r, std::ostream* out) {
  *out << (r.f == family::v4 ? "ping " : "ping6 ") << r.size << " " << r.name;
}

// Of 1,500 octets at most; all fragments but the last have a multiple of eight.
std::size_t frames(family f, std::size_t length) {
  if (length <= (f == family::v4 ? 1480u : 1460u)) return 1;
  const std::size_t most = f == family::v4 ? 1480 : 1448;
  return (length + most - 1) / most;
}

class echo : public testing::TestWithParam<round_trip> {};

TEST_P(echo, comes_back_as_it_was_sent) {
  ip::config other;
  other.addresses = {net("198.51.100.1/24"), net("2001:db8::1/64")};
  host we;
  host they{other};
  const auto [f, size, name, order] = GetParam();
  const octets text = pattern(size);
  const address to = f == family::v4 ? peer4 : peer6;
  ASSERT_FALSE(we.ip.send_echo(to, 0x1234, 0xfffe, we.share(text), 77, we.now));

  std::vector<octets> there = we.transmit_all();
  ASSERT_EQ(there.size(), frames(f, size + 8));
  order(there);
  for (const octets& d : there) {
    EXPECT_LE(d.size(), 1500u);
    EXPECT_TRUE(is_empty(they.receive(d)));
  }
  std::vector<octets> back = they.transmit_all();
  ASSERT_EQ(back.size(), frames(f, size + 8));
  order(back);
  ip::delivery got;
  for (const octets& d : back) {
    EXPECT_TRUE(is_empty(got)) << "before the last fragment";
    got = we.receive(d);
  }
  const auto* reply = std::get_if<ip::echo_reply>(&got);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->source, to);
  EXPECT_EQ(reply->identifier, 0x1234);
  EXPECT_EQ(reply->sequence, 0xfffe);
  EXPECT_EQ(reply->hop_limit, 64) << "the answerer's own";
  EXPECT_TRUE(copy(reply->text) == text);
  got = {};
  EXPECT_EQ(we.buffers.in_use() + they.buffers.in_use(), 0u);
  EXPECT_EQ(we.count.drops, counters{}.drops);
  EXPECT_EQ(they.count.drops, counters{}.drops);
}

std::vector<round_trip> round_trips() {
  std::vector<round_trip> all;
  for (const family f : {family::v4, family::v6})
    for (const std::size_t size : {0u, 56u, 1472u, 8000u, 65000u, f == family::v4 ? 65507u : 65527u})
      for (const auto& [name, order] : std::initializer_list<std::pair<const char*, way>>{
               {"in order", in_order}, {"reversed", reversed}, {"shuffled", shuffled}, {"duplicated", duplicated}})
        all.push_back({f, size, name, order});
  return all;
}

INSTANTIATE_TEST_SUITE_P(sizes, echo, testing::ValuesIn(round_trips()));

TEST(echo_request, is_answered_from_the_address_that_was_pinged) {
  ip::config c = dual_stack();
  c.addresses.push_back(net("203.0.113.5/32"));
  c.hop_limit = 99;
  host h{c};
  wire::ipv4_header v4;
  v4.source = peer4;
  v4.destination = at("203.0.113.5");
  v4.protocol = 1;
  v4.tos = 0xb9;  // expedited forwarding, with an ECN mark
  v4.ttl = 1;
  const octets ping = icmp(peer4, v4.destination, {wire::icmp_kind::echo_request, 0, 0, 0x00070001}, pattern(56));
  EXPECT_TRUE(is_empty(h.receive(ipv4(v4, transport(ping)))));
  const octets pong = h.transmit();
  const auto got = wire::parse_ipv4(pong);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->source, at("203.0.113.5"));
  EXPECT_EQ(got->destination, peer4);
  EXPECT_EQ(got->ttl, 99);
  EXPECT_EQ(got->tos, 0xb8);  // RFC 1122 §3.2.2.6
  const auto message = wire::parse_icmp(transport(pong), got->source, got->destination);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind, wire::icmp_kind::echo_reply);
  EXPECT_EQ(message->rest, 0x00070001u);
}

TEST(echo_request, shares_the_text_that_it_answers_with) {
  host h;
  const packet p = h.fill(icmp(peer6, ours6, {wire::icmp_kind::echo_request}, pattern(1400)));
  EXPECT_TRUE(is_empty(h.ip.on_packet(p, h.now)));
  frame f;
  ASSERT_TRUE(h.ip.poll_transmit(f, h.now));
  ASSERT_EQ(f.text.size(), 1u);
  EXPECT_EQ(f.text.begin()->data(), p.octets.data() + 48);
  EXPECT_FALSE(f.partial_checksum);
  EXPECT_TRUE(f.ipv6);
}

TEST(echo_request, to_a_broadcast_or_multicast_address_is_not_answered) {  // RFC 1122 §3.2.2.6 allows it
  host h;
  for (const char* a : {"198.51.100.255", "255.255.255.255", "224.0.0.1"})
    EXPECT_TRUE(is_empty(h.receive(icmp(peer4, at(a), {wire::icmp_kind::echo_request}, {}))));
  EXPECT_TRUE(is_empty(h.receive(icmp(peer6, at("ff02::1"), {wire::icmp_kind::echo_request}, {}))));
  EXPECT_FALSE(h.ip.has_output());
}

TEST(echo_request, with_no_way_back_is_counted) {
  host h;
  EXPECT_TRUE(is_empty(h.receive(icmp(at("203.0.113.1"), ours4, {wire::icmp_kind::echo_request}, {}))));
  EXPECT_FALSE(h.ip.has_output());
  EXPECT_EQ(h.dropped(drop::no_route), 1u);
}

TEST(echo_request, of_a_flood_fills_the_queue_and_no_more) {
  ip::config c = dual_stack();
  c.transmit_queue = 5;
  host h{c};
  const octets ping = icmp(peer4, ours4, {wire::icmp_kind::echo_request}, pattern(1000));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(is_empty(h.receive(ping)));
  EXPECT_EQ(h.buffers.in_use(), 5u);
  EXPECT_EQ(h.transmit_all().size(), 5u);
  EXPECT_EQ(h.dropped(drop::transmit_full), 95u);
}

TEST(send_echo, needs_a_way_and_an_address_of_the_version) {
  ip::config c;
  c.addresses = {net("198.51.100.2/24")};
  host h{c};
  EXPECT_EQ(h.ip.send_echo(at("203.0.113.1"), 1, 1, {}, 0, h.now), std::errc::network_unreachable);
  EXPECT_EQ(h.ip.send_echo(peer6, 1, 1, {}, 0, h.now), std::errc::network_unreachable);
  EXPECT_EQ(h.ip.send_echo(peer4, 1, 1, h.share(pattern(65508)), 0, h.now), std::errc::message_size);
  EXPECT_FALSE(h.ip.has_output());
}

}  // namespace
}  // namespace tunic::test
