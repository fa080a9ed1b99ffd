// How the operations of a socket complete: when, in which order, on which executor, for which token.
#include <array>

#include <asio/bind_executor.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/strand.hpp>
#include <asio/use_future.hpp>
#include <asio/write.hpp>

#include "tests/asio/two_hosts.hpp"

namespace tunic::test {
namespace {

using asio::use_awaitable;

class completion : public testing::Test, public two_hosts {};

TEST_F(completion, never_completes_inside_the_call) {
  auto [ours, theirs] = connected();
  std::error_code e;
  theirs.try_write(octets_of("ready"), e);
  settle();
  ASSERT_EQ(ours.available(), 5u);
  char octets[8];
  outcome read;
  outcome written;
  outcome waited;
  outcome nothing;
  ours.async_read_some(asio::buffer(octets), read.handler());
  ours.async_write_some(asio::buffer("x", 1), written.handler());
  ours.async_wait(tcp::socket::wait_write, waited.handler());
  tcp::socket{client}.async_read_some(asio::buffer(octets), nothing.handler());
  EXPECT_FALSE(read.done() || written.done() || waited.done() || nothing.done());
  settle();
  EXPECT_EQ(read.octets, 5u);
  EXPECT_EQ(written.octets, 1u);
  EXPECT_FALSE(waited.code());
  EXPECT_EQ(nothing.code(), asio::error::bad_descriptor);
}

TEST_F(completion, completes_a_read_of_no_octets_at_once) {
  auto [ours, theirs] = connected();
  outcome read;
  ours.async_read_some(asio::mutable_buffer{}, read.handler());
  EXPECT_FALSE(read.done());
  settle();
  EXPECT_EQ(read.code(), std::error_code{});
  theirs.shutdown(tcp::socket::shutdown_send);
  settle();
  outcome at_end;
  ours.async_read_some(std::array<asio::mutable_buffer, 2>{}, at_end.handler());
  settle();
  EXPECT_EQ(at_end.code(), std::error_code{});
}

TEST_F(completion, completes_reads_in_order) {
  auto [ours, theirs] = connected();
  char first[2];
  char second[2];
  outcome one;
  outcome two;
  ours.async_read_some(asio::buffer(first), one.handler());
  ours.async_read_some(asio::buffer(second), two.handler());
  std::error_code e;
  theirs.try_write(octets_of("abcd"), e);
  ASSERT_TRUE(run_until_done(two));
  EXPECT_EQ(std::string_view(first, one.octets), "ab");
  EXPECT_EQ(std::string_view(second, two.octets), "cd");
}

TEST_F(completion, works_with_read_until) {
  auto [ours, theirs] = connected();
  run([&, s = &ours, t = &theirs]() -> asio::awaitable<void> {
    co_await asio::async_write(*t, asio::buffer("line\r\nrest", 10), use_awaitable);
    std::string text;
    const std::size_t n = co_await asio::async_read_until(*s, asio::dynamic_buffer(text), "\r\n", use_awaitable);
    EXPECT_EQ(text.substr(0, n), "line\r\n");
  });
}

TEST_F(completion, works_with_use_future) {
  auto [ours, theirs] = connected();
  char octets[8];
  auto read = ours.async_read_some(asio::buffer(octets), asio::use_future);
  auto written = theirs.async_write_some(asio::buffer("abc", 3), asio::use_future);
  settle();
  ASSERT_EQ(read.wait_for(0s), std::future_status::ready);
  EXPECT_EQ(read.get(), 3u);
  EXPECT_EQ(written.get(), 3u);
  auto refused = tcp::socket{client}.async_read_some(asio::buffer(octets), asio::use_future);
  settle();
  EXPECT_THROW(refused.get(), std::system_error);
}

TEST_F(completion, moves_with_what_is_pending) {
  auto [ours, theirs] = connected();
  char octets[8];
  outcome read;
  ours.async_read_some(asio::buffer(octets), read.handler());
  tcp::socket moved{std::move(ours)};
  std::error_code e;
  theirs.try_write(octets_of("abc"), e);
  ASSERT_TRUE(run_until_done(read));
  EXPECT_EQ(read.octets, 3u);

  EXPECT_FALSE(ours.is_open());  // NOLINT: a moved-from socket is like a new one
  outcome nothing;
  ours.async_read_some(asio::buffer(octets), nothing.handler());
  ASSERT_TRUE(run_until_done(nothing));
  EXPECT_EQ(nothing.code(), asio::error::bad_descriptor);
  ours = std::move(moved);
  EXPECT_EQ(ours.remote_endpoint(), server_at());
}

TEST_F(completion, calls_handlers_on_their_own_executor) {
  auto [ours, theirs] = connected();
  asio::io_context other;
  char octets[8];
  outcome read;
  ours.async_read_some(asio::buffer(octets), asio::bind_executor(other, read.handler()));
  std::error_code e;
  theirs.try_write(octets_of("abc"), e);
  settle();
  EXPECT_FALSE(read.done());
  EXPECT_EQ(other.run(), 1u);  // a pending operation is work, so run() has not stopped before
  EXPECT_EQ(read.octets, 3u);
}

TEST_F(completion, works_on_a_strand) {
  tcp::acceptor acceptor{server, {.port = port}};
  const auto strand = asio::make_strand(io);
  std::string got;
  asio::co_spawn(
      strand,
      [&]() -> asio::awaitable<void> {
        tcp::socket s = co_await acceptor.async_accept(use_awaitable);
        EXPECT_TRUE(strand.running_in_this_thread());
        got.resize(3);
        co_await asio::async_read(s, asio::buffer(got), use_awaitable);
        EXPECT_TRUE(strand.running_in_this_thread());
      },
      [](std::exception_ptr e) { EXPECT_FALSE(e); });
  tcp::socket ours{client};
  outcome connecting;
  ours.async_connect(server_at(), connecting.handler());
  ASSERT_TRUE(run_until_done(connecting));
  std::error_code e;
  ours.try_write(octets_of("abc"), e);
  settle();
  EXPECT_EQ(got, "abc");
}

}  // namespace
}  // namespace tunic::test
