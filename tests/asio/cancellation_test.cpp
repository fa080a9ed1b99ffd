#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/read.hpp>

#include "tests/asio/two_hosts.hpp"

namespace tunic::test {
namespace {

using asio::use_awaitable;
using namespace asio::experimental::awaitable_operators;

class cancellation : public testing::Test, public two_hosts {};

constexpr auto aborted = asio::error::operation_aborted;

TEST_F(cancellation, cancel_ends_all_that_is_pending) {
  auto [ours, theirs] = connected();
  char octets[8];
  outcome read;
  outcome waited;
  outcome broken;
  ours.async_read_some(asio::buffer(octets), read.handler());
  ours.async_wait(tcp::socket::wait_read, waited.handler());
  ours.async_wait(tcp::socket::wait_error, broken.handler());
  ours.cancel();
  EXPECT_FALSE(read.done());
  settle();
  EXPECT_EQ(read.code(), aborted);
  EXPECT_EQ(waited.code(), aborted);
  EXPECT_EQ(broken.code(), aborted);
  EXPECT_EQ(ours.status().state, tcp::state::established);
}

TEST_F(cancellation, a_slot_ends_its_own_operation_alone) {
  auto [ours, theirs] = connected();
  for (const auto type :
       {asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total}) {
    char octets[8];
    asio::cancellation_signal signal;
    outcome cancelled;
    outcome other;
    ours.async_read_some(asio::buffer(octets), asio::bind_cancellation_slot(signal.slot(), cancelled.handler()));
    ours.async_read_some(asio::buffer(octets), other.handler());
    signal.emit(type);
    settle();
    EXPECT_EQ(cancelled.code(), aborted);
    EXPECT_FALSE(other.done());
    signal.emit(type);  // nothing is left to cancel
    std::error_code e;
    theirs.try_write(octets_of("x"), e);
    settle();
    EXPECT_EQ(other.octets, 1u);
  }
}

TEST_F(cancellation, does_not_undo_what_is_done) {
  auto [ours, theirs] = connected();
  char octets[8];
  asio::cancellation_signal signal;
  outcome read;
  ours.async_read_some(asio::buffer(octets), asio::bind_cancellation_slot(signal.slot(), read.handler()));
  std::error_code e;
  theirs.try_write(octets_of("x"), e);
  // One handler at a time, until the octet has been taken and its completion waits for delivery, or was delivered.
  while (ours.status().receive_queued == 0 && !read.done() && io.poll_one() > 0) signal.slot();
  signal.emit(asio::cancellation_type::terminal);
  settle();
  EXPECT_EQ(read.octets + ours.available(), 1u);
}

TEST_F(cancellation, a_signal_may_end_before_its_operation) {
  auto [ours, theirs] = connected();
  char octets[8];
  outcome read;
  {
    asio::cancellation_signal signal;
    ours.async_read_some(asio::buffer(octets), asio::bind_cancellation_slot(signal.slot(), read.handler()));
  }
  std::error_code e;
  theirs.try_write(octets_of("x"), e);
  settle();
  EXPECT_EQ(read.octets, 1u);
}

TEST_F(cancellation, ends_a_connect) {
  tcp::socket s{client};
  asio::cancellation_signal signal;
  outcome connecting;
  s.async_connect({asio::ip::make_address("198.51.100.77"), port},
                  asio::bind_cancellation_slot(signal.slot(), connecting.handler()));
  settle();
  signal.emit(asio::cancellation_type::total);
  settle();
  EXPECT_EQ(connecting.code(), aborted);
  EXPECT_TRUE(s.is_open());  // the attempt itself ends with the socket
  s.close();
  settle();
  EXPECT_EQ(client.stack().tcp().connections(), 0u);
}

TEST_F(cancellation, ends_a_write) {
  auto [ours, theirs] = connected();
  const std::string much(1 << 20, 'x');
  std::error_code e;
  while (ours.try_write(octets_of(much), e) > 0) {
  }
  asio::cancellation_signal signal;
  outcome written;
  ours.async_write_some(asio::buffer(much), asio::bind_cancellation_slot(signal.slot(), written.handler()));
  signal.emit(asio::cancellation_type::partial);
  settle();
  EXPECT_EQ(written.code(), aborted);
  EXPECT_EQ(written.octets, 0u);
}

TEST_F(cancellation, ends_an_accept) {
  tcp::acceptor acceptor{server, {.port = port}};
  asio::cancellation_signal signal;
  std::optional<std::error_code> by_slot;
  std::optional<std::error_code> by_call;
  acceptor.async_accept(
      asio::bind_cancellation_slot(signal.slot(), [&](std::error_code e, const tcp::socket&) { by_slot = e; }));
  acceptor.async_accept([&](std::error_code e, const tcp::socket&) { by_call = e; });
  signal.emit(asio::cancellation_type::terminal);
  settle();
  EXPECT_EQ(by_slot, aborted);
  EXPECT_FALSE(by_call);
  acceptor.cancel();
  settle();
  EXPECT_EQ(by_call, aborted);
}

TEST_F(cancellation, ends_a_udp_receive) {
  tunic::udp::socket s{server, server_udp()};
  char octets[8];
  asio::ip::udp::endpoint sender;
  asio::cancellation_signal signal;
  outcome by_slot;
  outcome by_call;
  s.async_receive_from(asio::buffer(octets), sender, asio::bind_cancellation_slot(signal.slot(), by_slot.handler()));
  s.async_receive(asio::buffer(octets), by_call.handler());
  signal.emit(asio::cancellation_type::terminal);
  settle();
  EXPECT_EQ(by_slot.code(), aborted);
  s.cancel();
  settle();
  EXPECT_EQ(by_call.code(), aborted);
}

TEST_F(cancellation, works_with_the_operators_of_awaitables) {
  auto [ours, theirs] = connected();
  run([&, s = &ours, t = &theirs]() -> asio::awaitable<void> {
    char octets[8];
    std::error_code e;
    t->try_write(octets_of("x"), e);
    // What can be read is read, and the wait for an error that never comes is cancelled; then the other way round.
    const auto first = co_await (s->async_read_some(asio::buffer(octets), use_awaitable) ||
                                 s->async_wait(tcp::socket::wait_error, use_awaitable));
    EXPECT_EQ(first.index(), 0u);
    const auto second = co_await (s->async_read_some(asio::buffer(octets), use_awaitable) ||
                                  t->async_wait(tcp::socket::wait_write, use_awaitable));
    EXPECT_EQ(second.index(), 1u);
    t->try_write(octets_of("y"), e);
    EXPECT_EQ(co_await s->async_read_some(asio::buffer(octets), use_awaitable), 1u);
    EXPECT_EQ(octets[0], 'y');
  });
}

TEST_F(cancellation, reaches_into_composed_operations) {
  auto [ours, theirs] = connected();
  std::string text(100, '\0');
  asio::cancellation_signal signal;
  outcome read;
  asio::async_read(ours, asio::buffer(text), asio::bind_cancellation_slot(signal.slot(), read.handler()));
  std::error_code e;
  theirs.try_write(octets_of("some"), e);
  settle();
  signal.emit(asio::cancellation_type::total);  // a composed read has had an effect by now: it does not heed this one
  settle();
  EXPECT_FALSE(read.done());
  signal.emit(asio::cancellation_type::terminal);
  settle();
  EXPECT_EQ(read.code(), aborted);
  EXPECT_EQ(read.octets, 4u);
}

TEST_F(cancellation, closing_or_destroying_a_socket_ends_what_is_pending) {
  char octets[8];
  outcome by_close;
  outcome by_end;
  {
    tcp::acceptor acceptor{server, {.port = port}};
    auto [ours, theirs] = connected(acceptor, server_at());
    ours.async_read_some(asio::buffer(octets), by_close.handler());
    theirs.async_read_some(asio::buffer(octets), by_end.handler());
    ours.close();
  }
  settle();
  EXPECT_EQ(by_close.code(), aborted);
  EXPECT_EQ(by_end.code(), aborted);
}

}  // namespace
}  // namespace tunic::test
