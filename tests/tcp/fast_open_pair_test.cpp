#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "stack/stack.hpp"

// TCP Fast Open (RFC 7413) between two stacks of ours.

namespace tunic::test {
namespace {

using namespace std::chrono_literals;

// A host with its user, who keeps what it hears.
struct host final : tcp::user, tcp::listener_user {
  host(const char* own, std::uint8_t seed, const stack_config& c = {}) : stack(with(c, own), secret{seed}) {}
  static stack_config with(stack_config c, const char* own) {
    c.ip.addresses = {*prefix::parse(own)};
    return c;
  }
  void on_events(tcp::events) override { read(); }
  void on_acceptable() override {
    connection = stack.tcp().accept(*listener, *this);
    read();
  }
  void read() {
    std::array<char, 100> octets{};
    while (connection) {
      const std::size_t n = stack.tcp().receive(*connection, std::as_writable_bytes(std::span{octets}));
      if (n == 0) return;
      heard.append(octets.data(), n);
    }
  }
  void say(std::string_view what) { stack.tcp().send(*connection, std::as_bytes(std::span{what})); }

  tunic::stack stack;
  tcp::listener* listener = nullptr;
  tcp::tcb* connection = nullptr;
  std::string heard;
};

struct pair {
  explicit pair(const stack_config& of_server = {}) : server("198.51.100.2/24", 2, of_server) {
    server.listener = *server.stack.tcp().listen(
        {.local = {address::v4(198, 51, 100, 2), 80}, .fast_open = tcp::fast_open_use::on}, server);
  }

  void open() {
    tcp::open_options o;
    o.remote = {address::v4(198, 51, 100, 2), 80};
    o.fast_open = tcp::fast_open_use::on;
    client.connection = *client.stack.tcp().open(o, client, now);
  }
  void finish() {
    client.stack.tcp().abort(*client.connection, now);
    client.stack.tcp().release(*std::exchange(client.connection, nullptr), now);
    settle();
    if (server.connection) server.stack.tcp().release(*std::exchange(server.connection, nullptr), now);
    client.heard.clear();
    server.heard.clear();
  }
  // What `from` has to say arrives, half a round trip later.
  void flight(host& from, host& to) {
    now += 10ms;
    frame f;
    while (from.stack.poll_transmit(f, now)) {
      std::vector<std::byte> octets(f.header().begin(), f.header().end());
      for (const slice& s : f.text) octets.insert(octets.end(), s.octets().begin(), s.octets().end());
      const buffer_ref b = to.stack.pool().fitting(octets.size());
      std::copy(octets.begin(), octets.end(), b->room().begin());
      to.stack.on_packet(
          {pool::view(b, octets.size()), 0, f.partial_checksum ? checksum_state::partial : checksum_state::unknown},
          now);
    }
  }
  void settle() {
    for (int i = 0; i < 5; ++i) {
      flight(client, server);
      flight(server, client);
    }
  }

  instant now{1h};
  host client{"198.51.100.1/24", 1};
  host server;
};

TEST(rfc7413_fast_open, the_second_request_is_answered_within_a_round_trip) {
  pair p;
  p.open();
  p.client.say("GET 1");
  p.flight(p.client, p.server);
  EXPECT_EQ(p.server.heard, "");
  p.flight(p.server, p.client);
  p.flight(p.client, p.server);
  EXPECT_EQ(p.server.heard, "GET 1");
  p.finish();

  p.open();
  p.client.say("GET 2");
  p.flight(p.client, p.server);
  EXPECT_EQ(p.server.heard, "GET 2");
  p.server.say("200 OK");
  p.flight(p.server, p.client);
  EXPECT_EQ(p.client.heard, "200 OK");
  p.settle();
  EXPECT_EQ(p.server.connection->state, tcp::state::established);
  EXPECT_EQ(p.server.heard, "GET 2") << "once";
  EXPECT_EQ(p.client.stack.counters().fast_opens_active, 1u);
  EXPECT_EQ(p.server.stack.counters().fast_opens_passive, 1u);
  EXPECT_EQ(p.client.stack.counters().retransmits + p.server.stack.counters().retransmits, 0u);
  p.finish();
}

TEST(rfc7413_fast_open, a_client_follows_its_servers_keys) {
  stack_config c;
  c.tcp.fast_open_period = 1h;
  pair p{c};
  const auto ask = [&] {
    p.open();
    p.client.say("GET");
    p.flight(p.client, p.server);
    const bool fast = p.server.heard == "GET";
    p.settle();
    EXPECT_EQ(p.server.heard, "GET");
    p.finish();
    return fast;
  };
  EXPECT_FALSE(ask());
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(ask());
    p.now += 1h;
  }
  p.now += 1h;
  EXPECT_FALSE(ask()) << "both keys are new";
  EXPECT_TRUE(ask());
  EXPECT_EQ(p.server.stack.counters().fast_open_refusals, 1u);
}

}  // namespace
}  // namespace tunic::test
