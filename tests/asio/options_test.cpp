#include <asio/ip/unicast.hpp>

#include "tests/asio/two_hosts.hpp"

namespace tunic::test {
namespace {

template <class Option>
Option asked(const tcp::socket& s) {
  Option o;
  s.get_option(o);
  return o;
}

class socket_options : public testing::Test, public two_hosts {};

TEST_F(socket_options, have_sensible_defaults) {
  const tcp::socket s{client};
  EXPECT_TRUE(asked<asio::ip::tcp::no_delay>(s).value());
  EXPECT_FALSE(asked<tcp::socket::keep_alive>(s).value());
  EXPECT_FALSE(asked<tcp::socket::linger>(s).enabled());
  EXPECT_EQ(asked<asio::ip::unicast::hops>(s).value(), 64);
  EXPECT_EQ(asked<tcp::socket::receive_buffer_size>(s).value(), 256 << 10);  // where they begin to grow from
  EXPECT_EQ(asked<tcp::socket::send_buffer_size>(s).value(), 1 << 20);
}

void set_and_ask(tcp::socket& s) {
  s.set_option(asio::ip::tcp::no_delay(false));
  s.set_option(tcp::socket::keep_alive(true));
  s.set_option(tcp::socket::linger(true, 5));
  s.set_option(asio::ip::unicast::hops(9));
  s.set_option(dscp(46));
  s.set_option(tcp::socket::receive_buffer_size(50'000));
  s.set_option(tcp::socket::send_buffer_size(60'000));
  EXPECT_FALSE(asked<asio::ip::tcp::no_delay>(s).value());
  EXPECT_TRUE(asked<tcp::socket::keep_alive>(s).value());
  EXPECT_TRUE(asked<tcp::socket::linger>(s).enabled());
  EXPECT_EQ(asked<tcp::socket::linger>(s).timeout(), 5);
  EXPECT_EQ(asked<asio::ip::unicast::hops>(s).value(), 9);
  EXPECT_EQ(asked<dscp>(s).value(), 46);
  EXPECT_EQ(asked<tcp::socket::receive_buffer_size>(s).value(), 50'000);
  EXPECT_EQ(asked<tcp::socket::send_buffer_size>(s).value(), 60'000);
}

TEST_F(socket_options, come_back_as_they_were_set) {
  tcp::socket unopened{client};
  set_and_ask(unopened);
  auto [ours, theirs] = connected();
  set_and_ask(ours);
}

TEST_F(socket_options, refuse_numbers_out_of_range) {
  tcp::socket s{client};
  std::error_code e;
  s.set_option(asio::ip::unicast::hops(256), e);
  EXPECT_EQ(e, asio::error::invalid_argument);
  s.set_option(tcp::socket::send_buffer_size(0), e);
  EXPECT_EQ(e, asio::error::invalid_argument);
  s.set_option(dscp(64), e);
  EXPECT_EQ(e, asio::error::invalid_argument);
  EXPECT_THROW(s.set_option(tcp::socket::receive_buffer_size(-1)), std::system_error);
}

TEST_F(socket_options, set_before_connecting_apply_to_the_connection) {
  tcp::acceptor acceptor{server, {.port = port}};
  tcp::socket s{client};
  s.set_option(tcp::socket::send_buffer_size(10'000));
  outcome connecting;
  s.async_connect(server_at(), connecting.handler());
  ASSERT_TRUE(run_until_done(connecting));
  std::error_code e;
  EXPECT_EQ(s.try_write(octets_of(std::string(20'000, 'x')), e), 10'000u);
}

// RFC 9293 §3.7.4: with Nagle's algorithm a second small segment waits for the acknowledgement of the first.
TEST(no_delay, sends_small_text_at_once) {
  for (const bool no_delay : {true, false}) {
    two_hosts n;
    auto [ours, theirs] = n.connected();
    ours.set_option(asio::ip::tcp::no_delay(no_delay));
    n.link.second().set_waker(nullptr);  // so nothing is acknowledged
    std::error_code e;
    ours.try_write(octets_of("a"), e);
    n.settle();
    ours.try_write(octets_of("b"), e);
    n.settle();
    EXPECT_EQ(ours.status().in_flight, no_delay ? 2u : 1u);
  }
}

// RFC 9293 §3.8.4: a connection whose peer is gone is found out.
TEST_F(socket_options, keep_alive_finds_a_peer_that_is_gone) {
  auto [ours, theirs] = connected();
  ours.set_option(tcp::socket::keep_alive(true));
  char octet;
  outcome read;
  ours.async_read_some(asio::buffer(&octet, 1), read.handler());
  settle();
  link.second().set_waker(nullptr);  // the server's cable is pulled
  const instant from = now;
  for (int i = 0; i < 1000 && !read.done(); ++i) {
    settle();
    if (read.done()) break;
    now = std::max(now, client.next_deadline());
    client.wake();
    settle();
  }
  EXPECT_EQ(read.code(), asio::error::timed_out);
  EXPECT_GE(now - from, 2h);
}

}  // namespace
}  // namespace tunic::test
