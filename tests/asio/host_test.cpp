#include "stack/asio/host.hpp"

#include <algorithm>
#include <thread>

#include <asio/read.hpp>
#include <asio/write.hpp>

#include "tests/asio/descriptor_pair.hpp"
#include "tests/asio/two_hosts.hpp"

namespace tunic::test {
namespace {

using asio::use_awaitable;

std::string refusal(const std::function<host_options()>& options) {
  asio::io_context io;
  drivers::loopback_pair link;
  try {
    const host h{io, link.first(), options()};
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

void expect_refusal(const std::function<host_options()>& options, const std::string& advice) {
  const std::string said = refusal(options);
  EXPECT_NE(said.find(advice), std::string::npos) << '"' << said << "\" does not say \"" << advice << '"';
}

TEST(host_options, say_what_to_change) {
  expect_refusal([] { return host_options{}; }, "give .address");
  expect_refusal([] { return host_options{.address = "198.51.100"}; }, "\"198.51.100\" is no address");
  expect_refusal([] { return host_options{.address = "198.51.100.2/33"}; }, "write it as");
  expect_refusal([] { return host_options{.address = "224.0.0.1/4"}; }, "a peer can send to");
  expect_refusal([] { return host_options{.address = "198.51.100.2/24", .gateway = "nobody"}; }, "\"nobody\" is no");
  expect_refusal([] { return host_options{.address = "198.51.100.2/24", .gateway = "2001:db8::1"}; },
                 "an IPv6 gateway, but no IPv6 address");
  expect_refusal(
      [] {
        return host_options{.address = "198.51.100.2/24", .gateway = "198.51.100.1", .gateways = {"198.51.100.3"}};
      },
      "more than one IPv4 gateway");
  expect_refusal([] { return host_options{.address = "198.51.100.2/24", .mtu = 9000}; }, "carries only 1500");
  expect_refusal([] { return host_options{.address = "198.51.100.2/24", .mtu = 60}; }, "68 octets at least");
  expect_refusal([] { return host_options{.address = "2001:db8::2/64", .mtu = 1000}; }, "1280 octets at least");
  expect_refusal([] { return host_options{.address = "198.51.100.2/24", .hop_limit = 0}; }, "1 to 255");
  expect_refusal([] { return host_options{.address = "198.51.100.2/24", .busy_poll = -1us}; }, "busy polling");
  expect_refusal([] { return host_options{.address = "198.51.100.2/24", .busy_poll = 2s}; }, "more than 1 s");
  EXPECT_EQ(refusal([] { return host_options{.any_address = true}; }), "");
  EXPECT_EQ(refusal([] { return host_options{.address = prefix{address::v4(198, 51, 100, 2), 24}}; }), "");
}

/// The first number of a connection that a host with this secret, or one of its own, opens at a certain moment.
seq first_number(std::optional<secret> key) {
  struct watcher final : tcp::observer {
    std::optional<seq> number;
    void on_segment(bool, const four_tuple&, const wire::tcp_header& h, std::uint32_t, instant) override {
      if (!number) number = h.seq_number;
    }
  } seen;
  asio::io_context io;
  drivers::loopback_pair link;
  host h{io, link.first(), {.address = "198.51.100.1/24", .key = key, .observer = &seen, .clock = [] {
                              return instant{1h};
                            }}};
  tcp::socket s{h};
  s.async_connect({asio::ip::make_address("198.51.100.2"), 80}, [](std::error_code) {});
  io.poll();
  return seen.number.value_or(seq{0});
}

TEST(rfc6528_secret, is_drawn_for_each_host) {  // RFC 6528 §4
  EXPECT_EQ(first_number(secret{1, 2, 3}), first_number(secret{1, 2, 3}));
  EXPECT_NE(first_number({}), first_number({}));
}

class hosts : public testing::Test, public two_hosts {};

TEST_F(hosts, drain_waits_for_connections_to_finish) {
  auto [ours, theirs] = connected();
  outcome drained;
  client.async_drain(drained.handler());
  settle();
  EXPECT_FALSE(drained.done());
  ours.close();
  settle();
  EXPECT_FALSE(drained.done());  // the peer has not closed yet
  const instant before = now;
  theirs.close();
  ASSERT_TRUE(run_until_done(drained));
  EXPECT_FALSE(drained.code());
  EXPECT_LT(now - before, 10s);  // it does not wait for TIME-WAIT to end
}

TEST_F(hosts, drain_is_done_at_once_where_there_is_nothing) {
  outcome drained;
  client.async_drain(drained.handler());
  EXPECT_FALSE(drained.done());
  settle();
  EXPECT_EQ(drained.code(), std::error_code{});
}

TEST_F(hosts, close_ends_all_operations_and_tells_the_peers) {
  tcp::acceptor acceptor{client, {.port = 9}};
  auto [ours, theirs] = connected();
  tunic::udp::socket datagrams{client, {asio::ip::udp::v4(), 9}};
  char octets[8];
  outcome read;
  outcome received;
  outcome drained;
  outcome peer;
  std::optional<std::error_code> accepted;
  ours.async_read_some(asio::buffer(octets), read.handler());
  datagrams.async_receive(asio::buffer(octets), received.handler());
  client.async_drain(drained.handler());
  acceptor.async_accept([&](std::error_code e, const tcp::socket&) { accepted = e; });
  theirs.async_read_some(asio::buffer(octets), peer.handler());
  settle();
  client.close();
  EXPECT_FALSE(read.done());
  settle();
  EXPECT_EQ(read.code(), asio::error::operation_aborted);
  EXPECT_EQ(received.code(), asio::error::operation_aborted);
  EXPECT_EQ(drained.code(), asio::error::operation_aborted);
  EXPECT_EQ(accepted, asio::error::operation_aborted);
  EXPECT_EQ(peer.code(), asio::error::connection_reset);
}

TEST(host_end, tells_every_peer_however_many) {
  two_hosts n{{}, {.queue = 4096}};
  tcp::acceptor acceptor{n.server, {.port = two_hosts::port}};
  std::vector<std::pair<tcp::socket, tcp::socket>> all;
  for (int i = 0; i < 600; ++i) all.push_back(n.connected(acceptor, two_hosts::server_at()));
  std::vector<outcome> peers(all.size());
  char octet = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i].second.async_read_some(asio::buffer(&octet, 1), peers[i].handler());
  n.client.close();
  n.settle();
  EXPECT_TRUE(std::ranges::all_of(peers, [](const outcome& o) { return o.code() == asio::error::connection_reset; }));
}

TEST(host_end, lets_who_hears_of_the_device_let_go_of_sockets) {
  asio::io_context io;
  descriptor_pair link;
  std::vector<tcp::socket> ours;
  host h{io,
         link.first,
         {.address = "198.51.100.1/24",
          .on_device = [&](std::error_code) { ours.clear(); },
          .clock = [] { return instant{1h}; }}};
  host peer{io, link.second, {.address = "198.51.100.2/24", .clock = [] { return instant{1h}; }}};
  tcp::acceptor acceptor{peer, {.port = 7}};
  for (int i = 0; i < 3; ++i)
    ours.emplace_back(h).async_connect({asio::ip::make_address("198.51.100.2"), 7}, [](std::error_code) {});
  while (io.poll() > 0) {
  }
  link.first.transmit_failure = std::make_error_code(std::errc::network_down);
  h.close();
  EXPECT_TRUE(ours.empty());
}

TEST_F(hosts, are_survived_by_their_sockets) {
  std::optional<host> h;
  drivers::loopback_pair other;
  h.emplace(io, other.first(), options("198.51.100.1/24", "2001:db8::1/64"));
  tcp::socket s{*h};
  tcp::socket connecting{*h};
  tcp::acceptor acceptor{*h, {.port = port}};
  tunic::udp::socket datagrams{*h};
  outcome pending;
  connecting.async_connect(server_at(), pending.handler());
  h.reset();
  settle();
  EXPECT_EQ(pending.code(), asio::error::operation_aborted);

  char octets[8];
  outcome read;
  outcome connect;
  outcome received;
  std::optional<std::error_code> accepted;
  s.async_read_some(asio::buffer(octets), read.handler());
  connecting.async_connect(server_at(), connect.handler());
  datagrams.async_receive(asio::buffer(octets), received.handler());
  acceptor.async_accept([&](std::error_code e, const tcp::socket&) { accepted = e; });
  settle();
  EXPECT_EQ(read.code(), asio::error::operation_aborted);
  EXPECT_EQ(connect.code(), asio::error::operation_aborted);
  EXPECT_EQ(received.code(), asio::error::operation_aborted);
  EXPECT_EQ(accepted, asio::error::operation_aborted);
  std::error_code e;
  s.shutdown(tcp::socket::shutdown_send, e);
  EXPECT_EQ(e, asio::error::operation_aborted);
  EXPECT_EQ(s.get_executor(), io.get_executor());
}

TEST_F(hosts, may_be_destroyed_by_a_handler) {
  drivers::loopback_pair other;
  auto h = std::make_unique<host>(io, other.first(), options("198.51.100.1/24", "2001:db8::1/64"));
  tcp::socket s{*h};
  outcome second;
  s.async_read_some(asio::mutable_buffer{}, [&](std::error_code, std::size_t) { h.reset(); });
  s.async_read_some(asio::mutable_buffer{}, second.handler());
  settle();
  EXPECT_FALSE(h);
  EXPECT_TRUE(second.done());
}

TEST_F(hosts, go_on_after_a_handler_that_throws) {
  auto [ours, theirs] = connected();
  outcome second;
  ours.async_read_some(asio::mutable_buffer{}, [](std::error_code, std::size_t) { throw std::runtime_error("mine"); });
  ours.async_read_some(asio::mutable_buffer{}, second.handler());
  EXPECT_THROW(settle(), std::runtime_error);
  ASSERT_TRUE(run_until_done(second));
}

// Handlers that are never called are destroyed, and what they own with them.
TEST(host_end, destroys_suspended_coroutines) {
  const auto token = std::make_shared<int>(0);
  {
    two_hosts n;
    asio::co_spawn(
        n.io,
        [](host& h, std::shared_ptr<int>) -> asio::awaitable<void> {
          tcp::acceptor acceptor{h, {.port = 80}};
          tcp::socket s = co_await acceptor.async_accept(use_awaitable);
        }(n.server, token),
        [](std::exception_ptr) {});
    n.settle();
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(host_end, lets_run_return) {
  asio::io_context io;
  drivers::loopback_pair link;
  host h{io, link.first(), {.address = "198.51.100.2/24"}};
  asio::post(io, [&] { h.close(); });
  EXPECT_GT(io.run(), 0u);  // and no socket or timer holds it
  EXPECT_TRUE(io.stopped());
}

// One request after the other over two hosts; returns the octets that came back.
std::size_t ping_pong(asio::io_context& io, host& client, host& server, int rounds, std::size_t size) {
  tcp::acceptor acceptor{server, {.port = 7}};
  std::size_t echoed = 0;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        tcp::socket s = co_await acceptor.async_accept(use_awaitable);
        std::string text(size, '\0');
        for (int i = 0; i < rounds; ++i) {
          co_await asio::async_read(s, asio::buffer(text), use_awaitable);
          co_await asio::async_write(s, asio::buffer(text), use_awaitable);
        }
      },
      [](std::exception_ptr e) { EXPECT_FALSE(e); });
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        tcp::socket s{client};
        co_await s.async_connect({asio::ip::make_address("198.51.100.2"), 7}, use_awaitable);
        const std::string text = pattern(size);
        std::string got(size, '\0');
        for (int i = 0; i < rounds; ++i) {
          co_await asio::async_write(s, asio::buffer(text), use_awaitable);
          co_await asio::async_read(s, asio::buffer(got), use_awaitable);
          EXPECT_TRUE(got == text);
          echoed += got.size();
        }
      },
      [&](std::exception_ptr e) {
        EXPECT_FALSE(e);
        client.close();
        server.close();
      });
  io.run();
  return echoed;
}

TEST(host, works_on_a_descriptor_that_blocks) {
  asio::io_context io;
  descriptor_pair link;
  host client{io, link.first, {.address = "198.51.100.1/24"}};
  host server{io, link.second, {.address = "198.51.100.2/24"}};
  EXPECT_EQ(ping_pong(io, client, server, 3, 300'000), 900'000u);
  EXPECT_GT(link.first.blocked + link.second.blocked, 0u);
}

TEST(host, works_beside_others_on_other_threads) {
  std::array<std::size_t, 3> echoed{};
  std::vector<std::thread> threads;
  for (std::size_t& octets : echoed)
    threads.emplace_back([&octets] {
      asio::io_context io;
      drivers::loopback_pair link;
      host client{io, link.first(), {.address = "198.51.100.1/24"}};
      host server{io, link.second(), {.address = "198.51.100.2/24"}};
      octets = ping_pong(io, client, server, 20, 5000);
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(echoed, (std::array<std::size_t, 3>{100'000, 100'000, 100'000}));
}

TEST(host, sets_a_timer_where_the_clock_is_the_systems) {
  asio::io_context io;
  drivers::loopback_pair link;
  tcp::config quick;
  quick.rto_initial = 1ms;
  quick.syn_retries = 2;
  host h{io, link.first(), {.address = "198.51.100.1/24", .tcp = quick}};
  tcp::socket s{h};
  outcome connecting;
  s.async_connect({asio::ip::make_address("198.51.100.2"), 7}, connecting.handler());
  while (!connecting.done()) io.run_one();
  EXPECT_EQ(connecting.code(), asio::error::timed_out);
}

TEST(host, reports_a_device_that_fails_once_and_tries_it_every_second) {
  asio::io_context io;
  descriptor_pair link;
  instant now{1h};
  std::vector<std::error_code> reported;
  host client{io, link.first, {.address = "198.51.100.1/24", .clock = [&] { return now; }}};
  host server{io,
              link.second,
              {.address = "198.51.100.2/24",
               .on_device = [&](std::error_code e) { reported.push_back(e); },
               .clock = [&] { return now; }}};
  const auto settle = [&] {
    while (io.poll() > 0) {
    }
  };
  settle();
  link.second.failure = std::make_error_code(std::errc::no_such_device);
  server.wake();
  settle();
  EXPECT_EQ(reported, std::vector<std::error_code>{link.second.failure});
  EXPECT_EQ(server.next_deadline(), now + 1s);

  // It is left alone meanwhile, though its descriptor is readable.
  tcp::acceptor acceptor{server, {.port = 7}};
  tcp::socket s{client};
  outcome connecting;
  s.async_connect({asio::ip::make_address("198.51.100.2"), 7}, connecting.handler());
  const unsigned before = link.second.receives;
  settle();
  EXPECT_EQ(link.second.receives, before);

  now += 1s;
  server.wake();
  settle();
  EXPECT_EQ(link.second.receives, before + 1);
  EXPECT_EQ(reported.size(), 1u);

  link.second.failure = {};
  now += 1s;
  server.wake();
  settle();
  EXPECT_EQ(reported.size(), 2u);
  EXPECT_EQ(reported.back(), std::error_code{});
  EXPECT_EQ(connecting.code(), std::error_code{});
}

TEST(host, reports_a_device_that_does_not_send_and_that_it_does_again) {
  asio::io_context io;
  descriptor_pair link;
  std::vector<std::error_code> reported;
  host h{io,
         link.first,
         {.address = "198.51.100.1/24",
          .on_device = [&](std::error_code e) { reported.push_back(e); },
          .clock = [] { return instant{1h}; }}};
  tcp::socket lost{h}, lost_too{h}, sent{h};
  const auto say_something = [&](tcp::socket& s) {
    s.async_connect({asio::ip::make_address("198.51.100.2"), 7}, [](std::error_code) {});
    while (io.poll() > 0) {
    }
  };
  const auto down = link.first.transmit_failure = std::make_error_code(std::errc::network_down);
  say_something(lost);
  say_something(lost_too);
  EXPECT_EQ(reported, std::vector{down});
  link.first.transmit_failure = {};
  say_something(sent);
  EXPECT_EQ(reported, (std::vector{down, std::error_code{}}));
}

}  // namespace
}  // namespace tunic::test
