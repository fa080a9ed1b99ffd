#include <asio/ip/unicast.hpp>
#include <asio/ip/v6_only.hpp>

#include "tests/asio/two_hosts.hpp"

namespace tunic::test {
namespace {

using asio::use_awaitable;

class udp_sockets : public testing::Test, public two_hosts {};

TEST_F(udp_sockets, echo) {
  tunic::udp::socket echo{server, server_udp()};
  run(
      [&]() -> asio::awaitable<void> {
        char octets[64];
        asio::ip::udp::endpoint sender;
        const std::size_t n = co_await echo.async_receive_from(asio::buffer(octets), sender, use_awaitable);
        EXPECT_EQ(sender.address().to_string(), "198.51.100.1");
        co_await echo.async_send_to(asio::buffer(octets, n), sender, use_awaitable);
      },
      [&]() -> asio::awaitable<void> {
        tunic::udp::socket s{client};
        s.connect(server_udp());
        EXPECT_EQ(s.remote_endpoint(), server_udp());
        EXPECT_EQ(co_await s.async_send(asio::buffer("hello", 5), use_awaitable), 5u);
        char octets[64];
        const std::size_t n = co_await s.async_receive(asio::buffer(octets), use_awaitable);
        EXPECT_EQ(std::string_view(octets, n), "hello");
      });
}

TEST_F(udp_sockets, gather_and_scatter) {
  tunic::udp::socket to{server, server_udp()};
  tunic::udp::socket from{client};
  std::error_code e;
  EXPECT_EQ(from.send_to(std::array{asio::buffer("ab", 2), asio::buffer("cde", 3)}, server_udp(), e), 5u);
  settle();
  EXPECT_EQ(to.available(e), 5u);
  char one[1];
  char rest[8];
  EXPECT_EQ(to.receive(std::array{asio::buffer(one), asio::buffer(rest)}, e), 5u);
  EXPECT_EQ(std::string_view(rest, 4), "bcde");
}

TEST_F(udp_sockets, cut_off_what_exceeds_the_buffer) {
  tunic::udp::socket to{server, server_udp()};
  tunic::udp::socket from{client};
  std::error_code e;
  from.send_to(asio::buffer("0123456789", 10), server_udp(), e);
  from.send_to(asio::buffer("next", 4), server_udp(), e);
  settle();
  char octets[4];
  asio::ip::udp::endpoint sender;
  EXPECT_EQ(to.receive_from(asio::buffer(octets), sender, e), 4u);
  EXPECT_EQ(std::string_view(octets, 4), "0123");
  EXPECT_EQ(to.receive_from(asio::buffer(octets), sender, e), 4u);
  EXPECT_EQ(std::string_view(octets, 4), "next");
}

TEST_F(udp_sockets, carry_what_needs_fragments) {
  tunic::udp::socket to{server, server_udp()};
  tunic::udp::socket from{client};
  const std::string text = pattern(30'000);
  std::error_code e;
  EXPECT_EQ(from.send_to(asio::buffer(text), server_udp(), e), text.size());
  std::string got(65'536, '\0');
  outcome received;
  to.async_receive(asio::buffer(got), received.handler());
  ASSERT_TRUE(run_until_done(received));
  got.resize(received.octets);
  EXPECT_TRUE(got == text);
  EXPECT_EQ(from.send_to(asio::buffer(std::string(65'508, 'x')), server_udp(), e), 0u);
  EXPECT_EQ(e, asio::error::message_size);
}

TEST_F(udp_sockets, hear_that_a_port_is_closed) {
  tunic::udp::socket s{client};
  s.connect(server_udp());
  char octet;
  outcome received;
  outcome broken;
  s.async_receive(asio::buffer(&octet, 1), received.handler());
  s.async_wait(tunic::udp::socket::wait_error, broken.handler());
  std::error_code e;
  s.send(asio::buffer("x", 1), e);
  ASSERT_TRUE(run_until_done(received));
  EXPECT_EQ(received.code(), asio::error::connection_refused);
  EXPECT_EQ(broken.code(), std::error_code{});

  s.send(asio::buffer("x", 1), e);  // nobody waits: the next call is told
  EXPECT_FALSE(e);
  settle();
  s.send(asio::buffer("x", 1), e);
  EXPECT_EQ(e, asio::error::connection_refused);
}

TEST_F(udp_sockets, would_block_or_cannot_wait) {
  tunic::udp::socket s{server, server_udp()};
  char octet;
  std::error_code e;
  EXPECT_EQ(s.receive(asio::buffer(&octet, 1), e), 0u);
  EXPECT_EQ(e, asio::error::operation_not_supported);
  s.non_blocking(true);
  EXPECT_EQ(s.receive(asio::buffer(&octet, 1), e), 0u);
  EXPECT_EQ(e, asio::error::would_block);
}

TEST_F(udp_sockets, wait_for_a_datagram) {
  tunic::udp::socket to{server, server_udp()};
  tunic::udp::socket from{client};
  outcome readable;
  outcome writable;
  to.async_wait(tunic::udp::socket::wait_read, readable.handler());
  to.async_wait(tunic::udp::socket::wait_write, writable.handler());
  settle();
  EXPECT_FALSE(readable.done());
  EXPECT_EQ(writable.code(), std::error_code{});
  std::error_code e;
  from.send_to(asio::buffer("", 0), server_udp(), e);  // an empty one is a datagram, too
  settle();
  EXPECT_EQ(readable.code(), std::error_code{});
  char octet;
  EXPECT_EQ(to.receive(asio::buffer(&octet, 1), e), 0u);
  EXPECT_FALSE(e);
}

TEST_F(udp_sockets, bind_once_and_for_both_versions) {
  tunic::udp::socket both{server, {asio::ip::udp::v6(), port}};
  EXPECT_THROW(both.bind({asio::ip::udp::v6(), 8}), std::system_error);
  EXPECT_THROW((tunic::udp::socket{server, {asio::ip::udp::v6(), port}}), std::system_error);
  tunic::udp::socket from{client};
  std::error_code e;
  from.send_to(asio::buffer("4", 1), server_udp(), e);
  settle();
  char octet;
  asio::ip::udp::endpoint sender;
  EXPECT_EQ(both.receive_from(asio::buffer(&octet, 1), sender, e), 1u);
  EXPECT_TRUE(sender.address().is_v4());
  tunic::udp::socket six{client};
  six.send_to(asio::buffer("6", 1), {asio::ip::make_address("2001:db8::2"), port}, e);
  settle();
  EXPECT_EQ(both.receive_from(asio::buffer(&octet, 1), sender, e), 1u);
  EXPECT_TRUE(sender.address().is_v6());
}

TEST_F(udp_sockets, options_come_back_as_they_were_set) {
  tunic::udp::socket s{client};
  asio::ip::unicast::hops hops;
  s.get_option(hops);
  EXPECT_EQ(hops.value(), 64);
  s.set_option(asio::ip::unicast::hops(3));
  s.get_option(hops);
  EXPECT_EQ(hops.value(), 3);
  s.set_option(dscp(46));
  dscp code_point;
  s.get_option(code_point);
  EXPECT_EQ(code_point.value(), 46);
  s.set_option(tunic::udp::socket::receive_buffer_size(9000));
  tunic::udp::socket::receive_buffer_size size;
  s.get_option(size);
  EXPECT_EQ(size.value(), 9000);
  s.set_option(asio::ip::v6_only(true));
  asio::ip::v6_only only;
  s.get_option(only);
  EXPECT_TRUE(only.value());
  EXPECT_THROW(s.set_option(asio::ip::unicast::hops(0)), std::system_error);
}

TEST_F(udp_sockets, closed_or_moved_from_are_of_no_use) {
  tunic::udp::socket s{server, server_udp()};
  tunic::udp::socket t{std::move(s)};
  char octet;
  outcome pending;
  t.async_receive(asio::buffer(&octet, 1), pending.handler());
  t.close();
  settle();
  EXPECT_EQ(pending.code(), asio::error::operation_aborted);
  std::error_code e;
  t.send_to(asio::buffer("x", 1), server_udp(), e);
  EXPECT_EQ(e, asio::error::bad_descriptor);
  EXPECT_FALSE(s.is_open());  // NOLINT: moved from
  s.bind(server_udp(), e);
  EXPECT_FALSE(e);
}

}  // namespace
}  // namespace tunic::test
