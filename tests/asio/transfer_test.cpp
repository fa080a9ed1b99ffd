#include <asio/read.hpp>
#include <asio/write.hpp>

#include "tests/asio/two_hosts.hpp"

namespace tunic::test {
namespace {

using asio::use_awaitable;

asio::awaitable<void> send_all(tcp::socket& s, const std::string& text) {
  co_await asio::async_write(s, asio::buffer(text), use_awaitable);
  s.shutdown(tcp::socket::shutdown_send);
}

asio::awaitable<void> expect_all(tcp::socket& s, const std::string& text) {
  std::string got(text.size() + 1, '\0');
  std::error_code e;
  const std::size_t n = co_await asio::async_read(s, asio::buffer(got), asio::redirect_error(use_awaitable, e));
  EXPECT_EQ(e, asio::error::eof);
  got.resize(n);
  EXPECT_TRUE(got == text) << n << " octets of " << text.size();
}

void transfer(two_hosts& n, std::size_t octets) {
  auto [ours, theirs] = n.connected();
  const std::string there = pattern(octets, 1);
  const std::string back = pattern(octets, 2);
  n.run(send_all(ours, there), expect_all(ours, back), send_all(theirs, back), expect_all(theirs, there));
}

TEST(transfer, carries_much_both_ways_at_once) {
  two_hosts n;
  transfer(n, 20u << 20);
}

TEST(transfer, works_without_offload) {
  two_hosts n{{}, {.offload = false}};
  transfer(n, 2u << 20);
}

TEST(transfer, works_with_a_small_mtu) {
  two_hosts n{{}, {.mtu = 1280, .offload = false}};
  transfer(n, 200u << 10);
}

TEST(transfer, recovers_what_a_short_queue_loses) {
  two_hosts n{{}, {.offload = false, .queue = 8}};
  transfer(n, 100u << 10);
  EXPECT_GT(n.link.first().dropped() + n.link.second().dropped(), 0u);
}

TEST(transfer, recovers_from_a_bad_path) {
  const drivers::path_options bad{.loss = 0.01,
                                  .duplicate = 0.01,
                                  .rate = 50'000'000,
                                  .queue = {.packets = 100},
                                  .corrupt = 0.01,
                                  .delay = 10ms,
                                  .jitter = 1ms,
                                  .reorder = 0.02,
                                  .reorder_by = 3ms};
  two_hosts n{drivers::impairment_options{.out = bad, .in = bad}};
  const instant began = n.now;
  transfer(n, 2u << 20);
  EXPECT_GE(n.now - began, 335ms);  // 2 MiB at 50 Mbit/s
  for (const drivers::path_counters& c : {n.path->out(), n.path->in()}) {
    EXPECT_GT(c.passed, (2u << 20) / 1460);  // single segments
    EXPECT_TRUE(c.lost > 0 && c.duplicated > 0 && c.corrupted > 0 && c.reordered > 0);
  }
}

TEST(transfer, waits_for_a_slow_reader) {
  tcp::config small;
  small.receive_buffer = 64u << 10;
  small.send_buffer = 64u << 10;
  two_hosts n{small};
  auto [ours, theirs] = n.connected();
  const std::string text = pattern(1u << 20);
  outcome written;
  asio::async_write(ours, asio::buffer(text), written.handler());
  n.settle();
  EXPECT_FALSE(written.done());
  EXPECT_LE(theirs.available(), 64u << 10);
  std::string got(text.size(), '\0');
  outcome read;
  asio::async_read(theirs, asio::buffer(got), read.handler());
  ASSERT_TRUE(n.run_until_done(read));
  EXPECT_TRUE(written.done());
  EXPECT_TRUE(got == text);
}

asio::awaitable<void> echo(tcp::socket s) {
  std::string text(1000, '\0');
  co_await asio::async_read(s, asio::buffer(text), use_awaitable);
  co_await asio::async_write(s, asio::buffer(text), use_awaitable);
}

TEST(transfer, serves_many_connections_at_once) {
  two_hosts n;
  tcp::acceptor acceptor{n.server, {.port = n.port}};
  constexpr int many = 200;
  int echoed = 0;
  asio::co_spawn(
      n.io,
      [&]() -> asio::awaitable<void> {
        for (;;) {
          tcp::socket accepted = co_await acceptor.async_accept(use_awaitable);
          asio::co_spawn(n.io, echo(std::move(accepted)), [](std::exception_ptr e) { EXPECT_FALSE(e); });
        }
      },
      [](std::exception_ptr) {});
  for (unsigned i = 0; i < many; ++i)
    asio::co_spawn(
        n.io,
        [&, i]() -> asio::awaitable<void> {
          tcp::socket s{n.client};
          co_await s.async_connect(n.server_at(), use_awaitable);
          const std::string text = pattern(1000, i);
          co_await asio::async_write(s, asio::buffer(text), use_awaitable);
          std::string got(text.size(), '\0');
          co_await asio::async_read(s, asio::buffer(got), use_awaitable);
          EXPECT_EQ(got, text);
          ++echoed;
        },
        [](std::exception_ptr e) { EXPECT_FALSE(e); });
  EXPECT_TRUE(n.run_until([&] { return echoed == many; }));
  acceptor.close();
  n.settle();
}

}  // namespace
}  // namespace tunic::test
