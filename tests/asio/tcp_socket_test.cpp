#include <array>
#include <type_traits>

#include <asio/read.hpp>
#include <asio/write.hpp>

#include "http/core/capabilities.hpp"
#include "tests/asio/two_hosts.hpp"

namespace tunic::test {
namespace {

using asio::use_awaitable;

class tcp_socket : public testing::Test, public two_hosts {};

TEST_F(tcp_socket, echoes_what_it_is_sent) {
  tcp::acceptor acceptor{server, {.port = port}};
  run(
      [&]() -> asio::awaitable<void> {
        tcp::socket s = co_await acceptor.async_accept(use_awaitable);
        char octets[64];
        const std::size_t n = co_await s.async_read_some(asio::buffer(octets), use_awaitable);
        co_await asio::async_write(s, asio::buffer(octets, n), use_awaitable);
      },
      [&]() -> asio::awaitable<void> {
        tcp::socket s{client};
        co_await s.async_connect(server_at(), use_awaitable);
        co_await asio::async_write(s, asio::buffer("hello", 5), use_awaitable);
        std::string answer;
        std::error_code e;
        co_await asio::async_read(s, asio::dynamic_buffer(answer), asio::redirect_error(use_awaitable, e));
        EXPECT_EQ(e, asio::error::eof);
        EXPECT_EQ(answer, "hello");
      });
}

TEST_F(tcp_socket, connects_over_ipv6) {
  tcp::acceptor acceptor{server, {.port = port}};
  auto [ours, theirs] = connected(acceptor, server_at_v6());
  EXPECT_EQ(ours.remote_endpoint(), server_at_v6());
  EXPECT_EQ(ours.local_endpoint().address().to_string(), "2001:db8::1");
  EXPECT_EQ(theirs.remote_endpoint(), ours.local_endpoint());
}

TEST_F(tcp_socket, knows_its_ends) {
  auto [ours, theirs] = connected();
  EXPECT_EQ(ours.remote_endpoint(), server_at());
  EXPECT_EQ(theirs.local_endpoint(), server_at());
  EXPECT_EQ(theirs.remote_endpoint(), ours.local_endpoint());
  EXPECT_EQ(ours.status().state, tcp::state::established);
}

TEST_F(tcp_socket, connects_from_where_it_is_bound) {
  tcp::acceptor acceptor{server, {.port = port}};
  tcp::socket s{client};
  s.bind({asio::ip::make_address("198.51.100.1"), 5000});
  outcome connecting;
  s.async_connect(server_at(), connecting.handler());
  ASSERT_TRUE(run_until_done(connecting));
  EXPECT_EQ(s.local_endpoint().port(), 5000);

  tcp::socket other{client};
  std::error_code e;
  other.bind({asio::ip::make_address("198.51.100.9"), 0}, e);
  EXPECT_EQ(e, std::errc::address_not_available);
}

TEST_F(tcp_socket, is_refused_where_nobody_listens_and_may_try_again) {
  tcp::socket s{client};
  outcome refused;
  s.async_connect(server_at(), refused.handler());
  EXPECT_TRUE(s.is_open());
  ASSERT_TRUE(run_until_done(refused));
  EXPECT_EQ(refused.code(), asio::error::connection_refused);
  EXPECT_FALSE(s.is_open());

  tcp::acceptor acceptor{server, {.port = port}};
  outcome connecting;
  s.async_connect(server_at(), connecting.handler());
  ASSERT_TRUE(run_until_done(connecting));
  EXPECT_FALSE(connecting.code());
}

TEST_F(tcp_socket, times_out_where_nobody_answers) {
  tcp::socket s{client};
  outcome connecting;
  s.async_connect({asio::ip::make_address("198.51.100.77"), port}, connecting.handler());
  ASSERT_TRUE(run_until_done(connecting));
  EXPECT_EQ(connecting.code(), asio::error::timed_out);
}

TEST_F(tcp_socket, has_no_way_to_an_unrouted_address) {
  tcp::socket s{client};
  outcome connecting;
  s.async_connect({asio::ip::make_address("203.0.113.1"), port}, connecting.handler());
  ASSERT_TRUE(run_until_done(connecting));
  EXPECT_EQ(connecting.code(), asio::error::network_unreachable);
}

TEST_F(tcp_socket, connects_only_once) {
  auto [ours, theirs] = connected();
  outcome again;
  ours.async_connect(server_at(), again.handler());
  ASSERT_TRUE(run_until_done(again));
  EXPECT_EQ(again.code(), asio::error::already_connected);

  tcp::socket s{client};
  outcome first;
  outcome second;
  s.async_connect({asio::ip::make_address("198.51.100.77"), port}, first.handler());
  s.async_connect(server_at(), second.handler());
  settle();
  EXPECT_EQ(second.code(), asio::error::already_started);
  EXPECT_FALSE(first.done());
}

TEST_F(tcp_socket, reads_on_after_a_half_close) {
  auto [ours, theirs] = connected();
  ours.shutdown(tcp::socket::shutdown_send);
  outcome written;
  ours.async_write_some(asio::buffer("x", 1), written.handler());
  char octets[8];
  outcome end;
  theirs.async_read_some(asio::buffer(octets), end.handler());
  ASSERT_TRUE(run_until_done(end));
  EXPECT_EQ(end.code(), asio::error::eof);
  EXPECT_EQ(written.code(), asio::error::broken_pipe);

  outcome answered;
  theirs.async_write_some(asio::buffer("late", 4), answered.handler());
  outcome read;
  ours.async_read_some(asio::buffer(octets), read.handler());
  ASSERT_TRUE(run_until_done(read));
  EXPECT_FALSE(read.code());
  EXPECT_EQ(std::string_view(octets, read.octets), "late");
}

TEST_F(tcp_socket, ends_pending_reads_when_it_is_shut_for_receiving) {
  auto [ours, theirs] = connected();
  char octets[8];
  outcome read;
  ours.async_read_some(asio::buffer(octets), read.handler());
  ours.shutdown(tcp::socket::shutdown_receive);
  ASSERT_TRUE(run_until_done(read));
  EXPECT_EQ(read.code(), asio::error::eof);
  std::error_code e;
  EXPECT_EQ(theirs.try_write(octets_of("dropped"), e), 7u);
  settle();
  EXPECT_EQ(ours.available(), 0u);
}

TEST_F(tcp_socket, reports_a_reset) {
  auto [ours, theirs] = connected();
  char octets[8];
  outcome read;
  ours.async_read_some(asio::buffer(octets), read.handler());
  theirs.set_option(tcp::socket::linger(true, 0));
  theirs.close();
  ASSERT_TRUE(run_until_done(read));
  EXPECT_EQ(read.code(), asio::error::connection_reset);
  outcome written;
  ours.async_write_some(asio::buffer("x", 1), written.handler());
  ASSERT_TRUE(run_until_done(written));
  EXPECT_EQ(written.code(), asio::error::connection_reset);
}

TEST_F(tcp_socket, lingers_as_long_as_it_is_told) {
  for (const bool reads : {false, true}) {
    auto [ours, theirs] = connected();
    theirs.set_option(tcp::socket::linger(true, 5));
    const std::string text(600'000, 'x');  // more than the window takes at first
    std::error_code e;
    EXPECT_EQ(theirs.try_write(octets_of(text), e), text.size());
    settle();
    theirs.close();
    const instant closed = now;
    std::string got(text.size(), '\0');
    outcome read;
    if (reads) {
      asio::async_read(ours, asio::buffer(got), read.handler());
    } else {
      ours.async_wait(tcp::socket::wait_error, read.handler());  // which only a reset ends
    }
    ASSERT_TRUE(run_until_done(read));
    if (reads) {
      EXPECT_EQ(read.octets, text.size());
    } else {
      EXPECT_GE(now - closed, 5s);
      EXPECT_LT(now - closed, 6s);
      EXPECT_EQ(server.stack().tcp().connections(), 0u);
    }
  }
}

TEST_F(tcp_socket, does_not_linger_a_negative_time) {
  auto [ours, theirs] = connected();
  EXPECT_THROW(ours.set_option(tcp::socket::linger(true, -1)), std::system_error);
}

// RFC 2525 §2.17: closing with text unread must not look like an orderly end.
TEST_F(tcp_socket, resets_when_it_is_closed_with_text_unread) {
  auto [ours, theirs] = connected();
  std::error_code e;
  ours.try_write(octets_of("unread"), e);
  settle();
  EXPECT_EQ(theirs.available(), 6u);
  char octets[8];
  outcome read;
  ours.async_read_some(asio::buffer(octets), read.handler());
  theirs.close();
  ASSERT_TRUE(run_until_done(read));
  EXPECT_EQ(read.code(), asio::error::connection_reset);
}

TEST_F(tcp_socket, may_connect_again_after_close) {
  tcp::acceptor acceptor{server, {.port = port}};
  auto [ours, theirs] = connected(acceptor, server_at());
  ours.close();
  EXPECT_FALSE(ours.is_open());
  outcome connecting;
  ours.async_connect(server_at(), connecting.handler());
  ASSERT_TRUE(run_until_done(connecting));
  EXPECT_FALSE(connecting.code());
}

TEST_F(tcp_socket, fills_scattered_buffers) {
  auto [ours, theirs] = connected();
  outcome written;
  theirs.async_write_some(std::array{asio::buffer("ab", 2), asio::const_buffer{}, asio::buffer("cdef", 4)},
                          written.handler());
  settle();
  EXPECT_EQ(written.octets, 6u);
  char one[1];
  char rest[9];
  outcome read;
  ours.async_read_some(std::array{asio::mutable_buffer{}, asio::buffer(one), asio::buffer(rest)}, read.handler());
  settle();
  ASSERT_EQ(read.octets, 6u);
  EXPECT_EQ(one[0], 'a');
  EXPECT_EQ(std::string_view(rest, 5), "bcdef");
}

TEST_F(tcp_socket, waits_to_read_without_a_buffer) {
  auto [ours, theirs] = connected();
  outcome readable;
  ours.async_wait(tcp::socket::wait_read, readable.handler());
  settle();
  EXPECT_FALSE(readable.done());
  std::error_code e;
  theirs.try_write(octets_of("x"), e);
  settle();
  EXPECT_EQ(readable.code(), std::error_code{});
  EXPECT_EQ(ours.available(), 1u);
}

TEST_F(tcp_socket, names_the_batch_that_brought_what_is_readable) {
  auto [ours, theirs] = connected();
  std::error_code e;
  theirs.try_write(octets_of("x"), e);
  settle();
  const auto first = ours.batch();
  EXPECT_EQ(ours.available(), 1u);
  EXPECT_EQ(ours.batch(), first) << "nothing has come since";
  EXPECT_NE(theirs.batch().first, first.first) << "another host's batches are others";
  theirs.try_write(octets_of("y"), e);
  EXPECT_EQ(ours.batch(), first) << "it is under way";
  settle();
  EXPECT_EQ(ours.available(), 2u);
  EXPECT_NE(ours.batch(), first);
}

TEST_F(tcp_socket, ends_every_wait_with_a_reset) {
  auto [ours, theirs] = connected();
  outcome readable;
  outcome broken;
  ours.async_wait(tcp::socket::wait_read, readable.handler());
  ours.async_wait(tcp::socket::wait_error, broken.handler());
  theirs.set_option(tcp::socket::linger(true, 0));
  theirs.close();
  ASSERT_TRUE(run_until_done(broken));
  EXPECT_EQ(readable.code(), std::error_code{});
  EXPECT_EQ(broken.code(), std::error_code{});
  std::array<std::byte, 1> octets;
  std::error_code e;
  ours.try_read(octets, e);
  EXPECT_EQ(e, asio::error::connection_reset);
}

TEST_F(tcp_socket, has_no_ends_before_it_connects) {
  const tcp::socket s{client};
  std::error_code e;
  (void)s.local_endpoint(e);
  EXPECT_EQ(e, asio::error::bad_descriptor);
  (void)s.remote_endpoint(e);
  EXPECT_EQ(e, asio::error::bad_descriptor);
  EXPECT_THROW((void)s.available(), std::system_error);
  EXPECT_EQ(s.status().state, tcp::state::closed);
}

// What HTTP uses where a stream has it.
static_assert(http::tries<tcp::socket> && http::adopts<tcp::socket> && http::waits<tcp::socket> &&
              http::borrows<tcp::socket> && http::batches<tcp::socket>);
static_assert(std::is_nothrow_move_constructible_v<tcp::socket>);
static_assert(!std::is_copy_constructible_v<tcp::socket>);

}  // namespace
}  // namespace tunic::test
