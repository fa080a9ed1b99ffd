#include <gtest/gtest.h>

#include "tests/udp/host.hpp"

namespace tunic::test {
namespace {

const octets text = pattern(20);
const address any4 = address::any(family::v4);
const address any6 = address::any(family::v6);

// Sockets from the most to the least specific; each datagram goes to the first that is open and fits.
enum which { connected4, bound4, wildcard4, connected6, bound6, dual, nobody };

struct row {
  std::vector<which> open;
  endpoint source;
  endpoint destination;
  which gets;
};

TEST(demultiplexing, takes_the_most_specific_socket) {
  const endpoint near4{peer4, 1000}, far4{at("198.51.100.7"), 1000}, near6{peer6, 1000}, far6{at("2001:db8::7"), 1000};
  const endpoint us4{ours4, 53}, also4{at("198.51.100.3"), 53}, us6{ours6, 53}, also6{at("2001:db8::3"), 53};
  const std::vector<which> all{connected4, bound4, wildcard4, connected6, bound6, dual};
  const row table[] = {
      {all, near4, us4, connected4},
      {all, far4, us4, bound4},
      {all, {peer4, 1001}, us4, bound4},
      {all, near4, also4, wildcard4},
      {all, far4, also4, wildcard4},
      {all, near6, us6, connected6},
      {all, far6, us6, bound6},
      {all, near6, also6, dual},
      {all, near4, {ours4, 54}, nobody},
      {all, near6, {ours6, 54}, nobody},
      {{bound4, wildcard4, dual}, near4, us4, bound4},
      {{wildcard4, dual}, near4, us4, wildcard4},
      {{bound6, dual}, near4, us4, dual},
      {{dual}, far4, also4, dual},
      {{dual}, far6, also6, dual},
      {{connected4}, far4, us4, nobody},
      {{bound4}, near4, also4, nobody},
      {{wildcard4}, near6, us6, nobody},
      {{bound6}, near4, us4, nobody},
      {{}, near4, us4, nobody},
  };
  int number = 0;
  for (const row& r : table) {
    ++number;
    ip::config c = dual_stack();
    c.addresses.push_back(net("198.51.100.3/24"));
    c.addresses.push_back(net("2001:db8::3/64"));
    udp_host h{c};
    std::vector<udp::binding*> sockets(nobody);
    for (const which w : r.open) {
      udp::binding* s = sockets[w] = h.udp.open(nullptr);
      const bool v4 = w == connected4 || w == bound4;
      const endpoint wildcard{w == wildcard4 ? any4 : any6, 53};
      ASSERT_FALSE(s->bind(w == wildcard4 || w == dual ? wildcard : v4 ? us4 : us6)) << number;
      if (w == connected4 || w == connected6) {
        ASSERT_FALSE(s->connect(v4 ? near4 : near6)) << number;
      }
    }
    h.arrive(udp(r.source, r.destination, text));
    for (const which w : r.open) EXPECT_EQ(sockets[w]->readable(), w == r.gets) << "row " << number << ", socket " << w;
    EXPECT_EQ(h.dropped(drop::no_listener), r.gets == nobody ? 1u : 0u) << number;
    EXPECT_EQ(h.transmit_all().size(), r.gets == nobody ? 1u : 0u) << number;
  }
}

TEST(demultiplexing, keeps_version_4_from_a_socket_for_version_6_only) {
  udp_host h;
  udp::binding* s = h.udp.open(nullptr);
  ASSERT_FALSE(s->bind({any6, 53}, true));
  h.arrive(udp({peer4, 1000}, {ours4, 53}, text));
  EXPECT_FALSE(s->readable());
  EXPECT_EQ(h.dropped(drop::no_listener), 1u);
  h.arrive(udp({peer6, 1000}, {ours6, 53}, text));
  EXPECT_TRUE(s->readable());
  EXPECT_EQ(s->send_to(text, {peer4, 1}, h.now), std::errc::address_family_not_supported);
}

TEST(demultiplexing, answers_port_unreachable) {  // RFC 1122 §4.1.3.1
  udp_host h;
  const octets d = udp({peer4, 1000}, {ours4, 53}, text);
  h.arrive(d);
  const octets answer = h.transmit();
  const auto m = wire::parse_icmp(transport(answer), ours4, peer4);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->kind, wire::icmp_kind::destination_unreachable);
  EXPECT_EQ(m->unreachable(family::v4), wire::unreachable_code::port);
  EXPECT_TRUE(std::equal(d.begin(), d.end(), transport(answer).begin() + 8));
}

TEST(demultiplexing, counts_what_is_no_udp) {
  udp_host h;
  udp::binding* s = h.udp.open(nullptr);
  ASSERT_FALSE(s->bind({ours4, 53}));
  octets bad = udp({peer4, 1000}, {ours4, 53}, text);
  bad.back() ^= std::byte{1};
  h.arrive(bad);
  h.arrive(datagram(peer4, ours4, wire::protocol::udp, pattern(7)));
  EXPECT_FALSE(s->readable());
  EXPECT_FALSE(h.ip.has_output());
  EXPECT_EQ(h.dropped(drop::bad_checksum), 1u);
  EXPECT_EQ(h.dropped(drop::too_short), 1u);
}

TEST(demultiplexing, takes_any_address_for_a_wildcard_socket) {
  ip::config c = dual_stack();
  c.any_address = true;
  udp_host h{c};
  udp::binding* s = h.udp.open(nullptr);
  ASSERT_FALSE(s->bind({any4, 53}));
  h.arrive(udp({peer4, 1000}, {at("203.0.113.200"), 53}, text));
  const auto r = s->receive();
  ASSERT_TRUE(r);
  EXPECT_EQ(r->destination, (endpoint{at("203.0.113.200"), 53}));
}

TEST(demultiplexing, cuts_a_super_segment_into_its_datagrams) {
  udp_host h;
  recorder user;
  udp::binding* s = h.udp.open(&user);
  ASSERT_FALSE(s->bind({ours4, 53}));
  const octets long_text = pattern(2500);
  packet p = h.fill(udp({peer4, 1000}, {ours4, 53}, long_text));
  p.segment_size = 1000;
  p.checksum = checksum_state::partial;
  h.arrive(std::move(p));
  EXPECT_EQ(user.readable, 1);
  octets got;
  for (const std::size_t size : {1000u, 1000u, 500u}) {
    const auto r = s->receive();
    ASSERT_TRUE(r);
    EXPECT_EQ(r->text.size(), size);
    got = joined(std::move(got), r->text.octets());
  }
  EXPECT_EQ(got, long_text);
  EXPECT_FALSE(s->readable());
}

}  // namespace
}  // namespace tunic::test
