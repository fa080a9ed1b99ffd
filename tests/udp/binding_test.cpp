#include <set>

#include <gtest/gtest.h>

#include "tests/udp/host.hpp"

namespace tunic::test {
namespace {

const octets text = pattern(20);
const address any4 = address::any(family::v4);
const address any6 = address::any(family::v6);

TEST(udp_socket, exchanges_datagrams_of_every_size) {
  for (const bool v6 : {false, true}) {
    udp_host we;
    udp_host they{peer_config()};
    const endpoint server{v6 ? peer6 : peer4, 7};
    udp::binding* client = we.udp.open(nullptr);
    udp::binding* echo = they.udp.open(nullptr);
    ASSERT_FALSE(echo->bind({any6, 7}));
    for (const std::size_t size : {0u, 1u, 512u, 1472u, 9001u, v6 ? 65527u : 65507u}) {
      const octets sent = pattern(size);
      ASSERT_FALSE(client->send_to(sent, server, we.now));
      we.flush_to(they);
      ASSERT_TRUE(echo->readable()) << size;
      EXPECT_EQ(echo->available(), size);
      const auto request = echo->receive();
      EXPECT_EQ(request->source, (endpoint{v6 ? ours6 : ours4, client->local().port}));
      EXPECT_EQ(request->destination, server);
      EXPECT_TRUE(copy(request->text) == sent);
      ASSERT_FALSE(echo->send_to(std::vector{request->text}, request->source, they.now));
      they.flush_to(we);
      const auto answer = client->receive();
      ASSERT_TRUE(answer) << size;
      EXPECT_EQ(answer->source, server);
      EXPECT_TRUE(copy(answer->text) == sent);
    }
    EXPECT_EQ(we.count.drops, counters{}.drops);
    EXPECT_EQ(they.count.drops, counters{}.drops);
  }
}

TEST(udp_socket, never_sends_a_checksum_of_zero) {  // RFC 768
  udp_host h;
  udp::binding* s = h.udp.open(nullptr);
  ASSERT_FALSE(s->bind({ours6, 9}));
  octets two(2);
  bool seen = false;
  for (unsigned v = 0; v < 65536; ++v) {
    wire::store16(two.data(), static_cast<std::uint16_t>(v));
    ASSERT_FALSE(s->send_to(two, {peer6, 9}, h.now));
    const octets d = h.transmit();
    const std::uint16_t sum = wire::load16(transport(d).data() + 6);
    ASSERT_NE(sum, 0);
    if (sum != 0xffff) continue;
    seen = true;
    EXPECT_TRUE(wire::parse_udp(transport(d), ours6, peer6, checksum_state::unknown));
  }
  EXPECT_TRUE(seen);
}

TEST(udp_socket, refuses_more_than_a_datagram_holds) {
  udp_host h;
  udp::binding* s = h.udp.open(nullptr);
  ASSERT_FALSE(s->bind({any6, 9}));
  EXPECT_EQ(s->send_to(pattern(65508), {peer4, 9}, h.now), std::errc::message_size);
  EXPECT_EQ(s->send_to(pattern(65528), {peer6, 9}, h.now), std::errc::message_size);
  EXPECT_EQ(s->send_to(std::vector{h.share(pattern(60000)), h.share(pattern(6000))}, {peer4, 9}, h.now),
            std::errc::message_size);
  s->settings().dont_fragment = true;
  EXPECT_EQ(s->send_to(pattern(1473), {peer4, 9}, h.now), std::errc::message_size);
  EXPECT_FALSE(s->send_to(pattern(1472), {peer4, 9}, h.now));
  EXPECT_EQ(s->send_to(pattern(1453), {peer6, 9}, h.now), std::errc::message_size);
  EXPECT_FALSE(s->send_to(pattern(1452), {peer6, 9}, h.now));
  for (const octets& d : h.transmit_all()) EXPECT_EQ(d.size(), 1500u);
}

TEST(udp_socket, says_why_it_cannot_send) {
  ip::config c = dual_stack();
  c.transmit_queue = 2;
  udp_host h{c};
  udp::binding* s = h.udp.open(nullptr);
  EXPECT_EQ(s->send_to(text, {peer4, 0}, h.now), std::errc::invalid_argument);
  ASSERT_FALSE(s->bind({ours4, 9}));
  EXPECT_EQ(s->send_to(text, {at("203.0.113.1"), 9}, h.now), std::errc::network_unreachable);
  EXPECT_EQ(s->send_to(text, {peer6, 9}, h.now), std::errc::address_family_not_supported);
  EXPECT_FALSE(s->send_to(text, {peer4, 9}, h.now));
  EXPECT_FALSE(s->send_to(text, {peer4, 9}, h.now));
  EXPECT_EQ(s->send_to(text, {peer4, 9}, h.now), std::errc::no_buffer_space);
}

TEST(udp_socket, sends_with_its_options) {
  udp_host h;
  udp::binding* s = h.udp.open(nullptr);
  s->settings().hop_limit = 5;
  s->settings().tos = 0x88;
  s->settings().dont_fragment = true;
  ASSERT_FALSE(s->send_to(text, {peer4, 9}, h.now));
  const auto d = wire::parse_ipv4(h.transmit());
  EXPECT_EQ(d->ttl, 5);
  EXPECT_EQ(d->tos, 0x88);
  EXPECT_TRUE(d->dont_fragment);
}

TEST(udp_socket, tells_what_the_datagram_came_with) {
  udp_host h;
  udp::binding* s = h.udp.open(nullptr);
  ASSERT_FALSE(s->bind({ours4, 53}));
  wire::ipv4_header v4;
  v4.source = peer4;
  v4.destination = ours4;
  v4.protocol = 17;
  v4.ttl = 1;
  v4.tos = 0x2a;
  const octets d = udp({peer4, 1000}, {ours4, 53}, text);
  h.arrive(ipv4(v4, transport(d)));
  const auto r = s->receive();
  ASSERT_TRUE(r);
  EXPECT_EQ(r->hop_limit, 1);
  EXPECT_EQ(r->tos, 0x2a);
  EXPECT_FALSE(s->receive());
}

TEST(bind, gives_an_endpoint_to_one_socket) {
  udp_host h;
  udp::binding* a = h.udp.open(nullptr);
  udp::binding* b = h.udp.open(nullptr);
  EXPECT_EQ(a->bind({at("198.51.100.9"), 53}), std::errc::address_not_available);
  EXPECT_EQ(a->bind({at("224.0.0.1"), 53}), std::errc::address_not_available);
  EXPECT_FALSE(a->is_bound());
  ASSERT_FALSE(a->bind({ours4, 53}));
  EXPECT_EQ(a->local(), (endpoint{ours4, 53}));
  EXPECT_EQ(a->bind({ours4, 54}), std::errc::invalid_argument);
  EXPECT_EQ(b->bind({ours4, 53}), std::errc::address_in_use);
  h.udp.close(a);
  EXPECT_FALSE(b->bind({ours4, 53}));
}

TEST(bind, draws_ephemeral_ports_until_none_is_left) {  // RFC 6056 §3.3.1
  udp_host h;
  std::vector<std::uint16_t> ports;
  for (;;) {
    udp::binding* s = h.udp.open(nullptr);
    if (const auto e = s->bind({any4, 0})) {
      EXPECT_EQ(e, std::errc::address_in_use);
      break;
    }
    ports.push_back(s->local().port);
  }
  EXPECT_EQ(std::set(ports.begin(), ports.end()).size(), 16384u);
  EXPECT_GE(*std::min_element(ports.begin(), ports.end()), 49152);
  int successors = 0;
  for (std::size_t i = 1; i < 1000; ++i) successors += ports[i] == ports[i - 1] + 1 ? 1 : 0;
  EXPECT_LT(successors, 10) << "the next port must not be a guess";
}

TEST(bind, gives_ports_back) {
  udp_host h;
  for (int i = 0; i < 20'000; ++i) {
    udp::binding* s = h.udp.open(nullptr);
    ASSERT_FALSE(s->connect({peer4, 9})) << i;
    h.udp.close(s);
  }
}

TEST(connect, chooses_the_local_end_and_filters_the_remote_one) {
  udp_host h;
  udp::binding* s = h.udp.open(nullptr);
  EXPECT_EQ(s->connect({peer4, 0}), std::errc::invalid_argument);
  EXPECT_EQ(h.udp.open(nullptr)->connect({at("203.0.113.1"), 9}), std::errc::network_unreachable);
  ASSERT_FALSE(s->connect({peer4, 9}));
  EXPECT_EQ(s->local().address, ours4);
  EXPECT_GE(s->local().port, 49152);
  EXPECT_EQ(s->remote(), (endpoint{peer4, 9}));
  h.arrive(udp({peer4, 9}, s->local(), text));
  EXPECT_TRUE(s->receive());
  h.arrive(udp({peer4, 10}, s->local(), text));
  EXPECT_FALSE(s->receive());
  EXPECT_EQ(s->connect({peer6, 9}), std::errc::address_family_not_supported);
  ASSERT_FALSE(s->connect({peer4, 10}));
  EXPECT_FALSE(s->connect({peer4, 10})) << "again";
  EXPECT_EQ(s->connect({at("203.0.113.1"), 9}), std::errc::network_unreachable);
  EXPECT_EQ(s->remote(), (endpoint{peer4, 10}));
  h.arrive(udp({peer4, 10}, s->local(), text));
  EXPECT_TRUE(s->receive());
  h.arrive(udp({peer4, 9}, s->local(), text));
  EXPECT_FALSE(s->receive());
}

TEST(connect, lets_one_port_serve_many_remotes) {
  udp_host h;
  udp::binding* listener = h.udp.open(nullptr);
  ASSERT_FALSE(listener->bind({any4, 53}));
  udp::binding* one = h.udp.open(nullptr);
  ASSERT_FALSE(one->bind({ours4, 53}));
  ASSERT_FALSE(one->connect({peer4, 1}));
  udp::binding* two = h.udp.open(nullptr);
  ASSERT_FALSE(two->bind({ours4, 53}));
  EXPECT_EQ(two->connect({peer4, 1}), std::errc::address_in_use);
  ASSERT_FALSE(two->connect({peer4, 2}));
  for (const std::uint16_t port : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{3}})
    h.arrive(udp({peer4, port}, {ours4, 53}, text));
  EXPECT_EQ(one->receive()->source.port, 1);
  EXPECT_EQ(two->receive()->source.port, 2);
  EXPECT_EQ(listener->receive()->source.port, 3);
  h.udp.close(one);
  h.arrive(udp({peer4, 1}, {ours4, 53}, text));
  EXPECT_EQ(listener->receive()->source.port, 1);
}

TEST(connect, hears_of_a_closed_port) {
  udp_host we;
  udp_host they{peer_config()};
  recorder connected;
  recorder unconnected;
  udp::binding* a = we.udp.open(&connected);
  udp::binding* b = we.udp.open(&unconnected);
  ASSERT_FALSE(a->connect({peer6, 9}));
  ASSERT_FALSE(a->send_to(text, {peer6, 9}, we.now));
  ASSERT_FALSE(b->send_to(text, {peer6, 9}, we.now));
  we.flush_to(they);
  they.flush_to(we);
  ASSERT_EQ(connected.errors.size(), 1u);
  EXPECT_EQ(connected.errors[0], std::errc::connection_refused);
  EXPECT_TRUE(unconnected.errors.empty()) << "it could not tell whom it is about";
}

TEST(icmp_error, lowers_the_path_mtu_of_a_socket_only) {
  udp_host h;
  recorder user;
  udp::binding* s = h.udp.open(&user);
  ASSERT_FALSE(s->connect({peer4, 9}));
  s->settings().dont_fragment = true;
  const auto too_big = [&](const endpoint& from) {
    h.arrive(icmp(at("203.0.113.1"), ours4, {wire::icmp_kind::packet_too_big, 0, 4, 1400},
                  udp(from, {peer4, 9}, pattern(1472))));
  };
  recorder other;
  udp::binding* cut = h.udp.open(&other);
  ASSERT_FALSE(cut->connect({peer6, 9}));
  h.arrive(icmp(peer6, ours6, {wire::icmp_kind::packet_too_big, 0, 0, 1400}, udp(cut->local(), {peer6, 9}, text)));
  EXPECT_EQ(h.ip.path_mtu(peer6), 1400u);
  EXPECT_TRUE(other.errors.empty()) << "what follows is cut";
  too_big({ours4, 4444});
  EXPECT_EQ(h.ip.path_mtu(peer4), 1500u) << "nobody sent that";
  EXPECT_EQ(h.dropped(drop::icmp_unrelated), 1u);
  too_big(s->local());
  EXPECT_EQ(h.ip.path_mtu(peer4), 1400u);
  ASSERT_EQ(user.errors.size(), 1u);
  EXPECT_EQ(user.errors[0], std::errc::message_size);
  EXPECT_EQ(s->send_to(pattern(1373), {peer4, 9}, h.now), std::errc::message_size);
  EXPECT_FALSE(s->send_to(pattern(1372), {peer4, 9}, h.now));
}

TEST(receive_queue, is_bounded_by_the_memory_it_holds) {
  udp_host h;
  recorder user;
  udp::binding* s = h.udp.open(&user);
  ASSERT_FALSE(s->bind({ours4, 53}));
  const octets d = udp({peer4, 1000}, {ours4, 53}, octets(1));
  for (int i = 0; i < 1000; ++i) h.arrive(d);
  EXPECT_LE(h.buffers.in_use() * pool::small_size, s->settings().receive_buffer);
  EXPECT_GT(h.buffers.in_use(), 100u);
  EXPECT_EQ(h.dropped(drop::receive_full), 1000 - h.buffers.in_use());
  EXPECT_EQ(static_cast<std::size_t>(user.readable), h.buffers.in_use());
  EXPECT_FALSE(h.ip.has_output()) << "a full queue is no closed port";
  while (s->receive()) continue;
  EXPECT_EQ(h.buffers.in_use(), 0u);
  h.arrive(d);
  EXPECT_TRUE(s->readable());
}

TEST(receive_queue, bounds_datagrams_without_text) {
  udp_host h;
  udp::binding* s = h.udp.open(nullptr);
  ASSERT_FALSE(s->bind({ours4, 53}));
  const octets d = udp({peer4, 1000}, {ours4, 53}, {});
  for (int i = 0; i < 100'000; ++i) h.arrive(d);
  EXPECT_GT(h.dropped(drop::receive_full), 90'000u);
  EXPECT_EQ(h.buffers.in_use(), 0u);
}

TEST(receive_queue, does_not_hold_a_large_buffer_for_few_octets) {
  udp_host h;
  udp::binding* s = h.udp.open(nullptr);
  ASSERT_FALSE(s->bind({ours4, 53}));
  const octets d = udp({peer4, 1000}, {ours4, 53}, text);
  for (int i = 0; i < 100; ++i) {
    const buffer_ref b = h.buffers.large();
    std::copy(d.begin(), d.end(), b->room().begin());
    h.arrive(packet{pool::view(b, d.size()), 0, {}});
  }
  EXPECT_EQ(h.dropped(drop::receive_full), 0u);
  while (const auto r = s->receive()) EXPECT_EQ(copy(r->text), text);
}

TEST(receive_queue, keeps_the_order_while_it_is_read) {
  udp_host h;
  udp::binding* s = h.udp.open(nullptr);
  ASSERT_FALSE(s->bind({ours4, 53}));
  std::uint16_t sent = 0;
  std::uint16_t got = 0;
  std::mt19937 random{5};
  for (int i = 0; i < 2000; ++i) {
    for (auto n = random() % 4; n > 0; --n) {
      octets number(2);
      wire::store16(number.data(), sent++);
      h.arrive(udp({peer4, 1000}, {ours4, 53}, number));
    }
    for (auto n = random() % 5; n > 0; --n) {
      const auto r = s->receive();
      if (!r) break;
      EXPECT_EQ(wire::load16(r->text.data()), got++);
    }
  }
  EXPECT_GT(got, 2000);
  EXPECT_EQ(h.dropped(drop::receive_full), 0u);
}

TEST(close, drops_what_was_received_and_sends_what_was_sent) {
  udp_host h;
  udp::binding* s = h.udp.open(nullptr);
  ASSERT_FALSE(s->bind({ours4, 53}));
  h.arrive(udp({peer4, 1000}, {ours4, 53}, text));
  ASSERT_FALSE(s->send_to(text, {peer4, 1000}, h.now));
  h.udp.close(s);
  EXPECT_EQ(h.transmit_all().size(), 1u);
  EXPECT_EQ(h.buffers.in_use(), 0u);
}

TEST(close, is_allowed_within_a_call_to_the_user) {
  struct closer : udp::user {
    void on_readable() override { host->udp.close(socket); }
    void on_error(std::error_code) override { host->udp.close(socket); }
    udp_host* host = nullptr;
    udp::binding* socket = nullptr;
  };
  udp_host h;
  closer user;
  user.host = &h;
  user.socket = h.udp.open(&user);
  ASSERT_FALSE(user.socket->bind({ours4, 53}));
  h.arrive(udp({peer4, 1000}, {ours4, 53}, text));
  h.arrive(udp({peer4, 1000}, {ours4, 53}, text));
  EXPECT_EQ(h.dropped(drop::no_listener), 1u);
  user.socket = h.udp.open(&user);
  ASSERT_FALSE(user.socket->connect({peer4, 9}));
  const octets sent = udp(user.socket->local(), {peer4, 9}, text);
  const octets error = icmp(peer4, ours4, {wire::icmp_kind::destination_unreachable, 0, 3, 0}, sent);
  h.arrive(error);
  h.arrive(error);
  EXPECT_EQ(h.dropped(drop::icmp_unrelated), 1u);
}

}  // namespace
}  // namespace tunic::test
