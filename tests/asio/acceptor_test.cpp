#include <asio/ip/v6_only.hpp>
#include <asio/read.hpp>

#include "tests/asio/two_hosts.hpp"

namespace tunic::test {
namespace {

class acceptor : public testing::Test, public two_hosts {
 protected:
  /// Starts a connection without waiting for anybody to accept it.
  tcp::socket& dial(const asio::ip::tcp::endpoint& to, outcome& o) {
    tcp::socket& s = dialled_.emplace_back(client);
    s.async_connect(to, o.handler());
    return s;
  }

 private:
  std::vector<tcp::socket> dialled_;
};

TEST_F(acceptor, accepts_both_versions_on_any_address) {
  tcp::acceptor a{server, {.port = port}};
  auto v4 = connected(a, server_at());
  EXPECT_EQ(v4.second.remote_endpoint().address().to_string(), "198.51.100.1");
  auto v6 = connected(a, server_at_v6());
  EXPECT_EQ(v6.second.remote_endpoint().address().to_string(), "2001:db8::1");
  EXPECT_EQ(a.local_endpoint(), asio::ip::tcp::endpoint(asio::ip::address_v6::any(), port));
}

TEST_F(acceptor, keeps_to_one_version_where_told) {
  tcp::acceptor six{server, {.port = port, .v6_only = true}};
  asio::ip::v6_only only;
  std::error_code e;
  six.get_option(only, e);
  EXPECT_TRUE(only.value());
  outcome refused;
  dial(server_at(), refused);
  ASSERT_TRUE(run_until_done(refused));
  EXPECT_EQ(refused.code(), asio::error::connection_refused);
  tcp::acceptor four{server, asio::ip::tcp::endpoint{asio::ip::tcp::v4(), port}};
  EXPECT_NO_THROW(connected(four, server_at()));
  EXPECT_NO_THROW(connected(six, server_at_v6()));
}

TEST_F(acceptor, listens_on_one_address) {
  tcp::acceptor a{server, {.address = "198.51.100.2", .port = port}};
  EXPECT_NO_THROW(connected(a, server_at()));
  outcome refused;
  dial(server_at_v6(), refused);
  ASSERT_TRUE(run_until_done(refused));
  EXPECT_EQ(refused.code(), asio::error::connection_refused);
}

TEST_F(acceptor, says_why_it_cannot_listen) {
  tcp::acceptor first{server, {.port = port}};
  try {
    tcp::acceptor second{server, {.port = port}};
    FAIL() << "the port is taken";
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), asio::error::address_in_use);
    EXPECT_NE(std::string(e.what()).find("[::]:7"), std::string::npos) << e.what();
  }
  EXPECT_THROW((tcp::acceptor{server, {.address = "198.51.100.9", .port = port}}), std::system_error);
  EXPECT_THROW((tcp::acceptor{server, {.address = "nowhere", .port = port}}), std::invalid_argument);
  EXPECT_THROW((tcp::acceptor{server, {.port = 8, .backlog = 0}}), std::invalid_argument);
}

TEST_F(acceptor, takes_a_free_port) {
  tcp::acceptor a{server, {.port = 0}};
  tcp::acceptor b{server, {.port = 0}};
  EXPECT_NE(a.local_endpoint().port(), b.local_endpoint().port());
  EXPECT_NO_THROW(connected(b, server_at(b.local_endpoint().port())));
}

TEST_F(acceptor, holds_connections_until_they_are_accepted) {
  tcp::acceptor a{server, {.port = port}};
  std::error_code e;
  EXPECT_FALSE(a.accept(e).is_open());
  EXPECT_EQ(e, asio::error::would_block);
  EXPECT_THROW(a.accept(), std::system_error);

  outcome ready;
  a.async_wait(tcp::acceptor::wait_read, ready.handler());
  outcome connecting;
  tcp::socket& ours = dial(server_at(), connecting);
  ASSERT_TRUE(run_until_done(connecting));
  ours.try_write(octets_of("early"), e);
  settle();
  EXPECT_EQ(ready.code(), std::error_code{});
  tcp::socket theirs = a.accept();
  EXPECT_EQ(theirs.available(), 5u);
}

TEST_F(acceptor, accepts_in_order) {
  tcp::acceptor a{server, {.port = port}};
  std::vector<asio::ip::tcp::endpoint> from;
  for (int i = 0; i < 3; ++i)
    a.async_accept([&](std::error_code, const tcp::socket& s) { from.push_back(s.remote_endpoint()); });
  std::vector<asio::ip::tcp::endpoint> expected;
  for (int i = 0; i < 3; ++i) {
    tcp::socket s{client};
    outcome connecting;
    s.async_connect(server_at(), connecting.handler());
    ASSERT_TRUE(run_until_done(connecting));
    expected.push_back(s.local_endpoint());
    settle();
  }
  EXPECT_EQ(from, expected);
}

TEST_F(acceptor, lets_its_backlog_fill_and_goes_on_once_there_is_room) {
  tcp::acceptor a{server, {.port = port, .backlog = 2}};
  std::array<outcome, 4> connecting;
  std::vector<tcp::socket> clients;
  for (outcome& o : connecting) clients.emplace_back(client).async_connect(server_at(), o.handler());
  settle();
  int accepted = 0;
  std::error_code e;
  while (a.accept(e).is_open()) ++accepted;
  EXPECT_EQ(accepted, 2);
  EXPECT_TRUE(run_until([&] {  // the others try again
    while (a.accept(e).is_open()) ++accepted;
    return accepted == 4;
  }));
}

TEST_F(acceptor, aborts_what_nobody_has_accepted) {
  tcp::acceptor a{server, {.port = port}};
  outcome connecting;
  tcp::socket& ours = dial(server_at(), connecting);
  ASSERT_TRUE(run_until_done(connecting));
  settle();
  std::optional<std::error_code> pending;
  char octet;
  outcome read;
  ours.async_read_some(asio::buffer(&octet, 1), read.handler());
  a.close();
  EXPECT_FALSE(a.is_open());
  a.async_accept([&](std::error_code e, const tcp::socket&) { pending = e; });
  ASSERT_TRUE(run_until_done(read));
  EXPECT_EQ(read.code(), asio::error::connection_reset);
  EXPECT_EQ(pending, asio::error::bad_descriptor);
}

TEST_F(acceptor, ends_a_pending_accept_when_it_is_closed) {
  std::optional<std::error_code> by_close;
  std::optional<std::error_code> by_end;
  {
    tcp::acceptor a{server, {.port = port}};
    tcp::acceptor b{server, {.port = 8}};
    a.async_accept([&](std::error_code e, const tcp::socket& s) {
      EXPECT_FALSE(s.is_open());
      by_close = e;
    });
    b.async_accept([&](std::error_code e, const tcp::socket&) { by_end = e; });
    a.close();
  }
  settle();
  EXPECT_EQ(by_close, asio::error::operation_aborted);
  EXPECT_EQ(by_end, asio::error::operation_aborted);
  tcp::acceptor again{server, {.port = port}};
  EXPECT_NO_THROW(connected(again, server_at()));
}

TEST_F(acceptor, asks_about_every_syn) {
  std::vector<four_tuple> asked;
  tcp::verdict answer = tcp::verdict::refuse;
  tcp::acceptor a{server, {.port = port, .on_syn = [&](const four_tuple& ends) {
                             asked.push_back(ends);
                             return answer;
                           }}};
  outcome refused;
  dial(server_at(), refused);
  ASSERT_TRUE(run_until_done(refused));
  EXPECT_EQ(refused.code(), asio::error::connection_refused);
  answer = tcp::verdict::drop;
  outcome dropped;
  dial(server_at(), dropped);
  settle();
  EXPECT_FALSE(dropped.done());
  answer = tcp::verdict::accept;
  ASSERT_TRUE(run_until_done(dropped));
  EXPECT_FALSE(dropped.code());
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].local, from_asio(server_at()));
  EXPECT_EQ(asked[0].remote.address, address::v4(198, 51, 100, 1));
}

TEST_F(acceptor, gives_its_options_to_what_it_accepts) {
  tcp::acceptor a{server, {.port = port}};
  a.set_option(asio::ip::tcp::no_delay(false));
  a.set_option(tcp::acceptor::receive_buffer_size(100'000));
  a.set_option(tcp::acceptor::keep_alive(true));
  auto [ours, theirs] = connected(a, server_at());
  asio::ip::tcp::no_delay no_delay;
  theirs.get_option(no_delay);
  EXPECT_FALSE(no_delay.value());
  tcp::socket::receive_buffer_size size;
  theirs.get_option(size);
  EXPECT_EQ(size.value(), 100'000);
  tcp::socket::keep_alive keep;
  theirs.get_option(keep);
  EXPECT_TRUE(keep.value());
}

TEST_F(acceptor, moves) {
  tcp::acceptor a{server, {.port = port}};
  std::optional<tcp::socket> accepted;
  a.async_accept([&](std::error_code, tcp::socket s) { accepted.emplace(std::move(s)); });
  tcp::acceptor b{std::move(a)};
  EXPECT_FALSE(a.is_open());  // NOLINT: moved from
  EXPECT_EQ(a.get_executor(), io.get_executor());
  outcome connecting;
  dial(server_at(), connecting);
  ASSERT_TRUE(run_until([&] { return accepted.has_value(); }));
}

// What tunnels and transparent proxies need: one listener for every destination.
TEST(any_address, accepts_for_whatever_the_peer_dialled) {
  two_hosts n;
  drivers::loopback_pair link;
  host_options o;
  o.address = "198.51.100.1/24";
  o.gateway = "198.51.100.2";
  o.clock = [&] { return n.now; };
  host dialler{n.io, link.first(), o};
  host_options any;
  any.any_address = true;
  any.clock = o.clock;
  host proxy{n.io, link.second(), any};
  tcp::acceptor a{proxy, {.port = 80}};
  tcp::socket s{dialler};
  outcome connecting;
  s.async_connect({asio::ip::make_address("203.0.113.5"), 80}, connecting.handler());
  std::optional<tcp::socket> accepted;
  a.async_accept([&](std::error_code, tcp::socket t) { accepted.emplace(std::move(t)); });
  n.settle();
  EXPECT_EQ(connecting.code(), std::error_code{});
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->local_endpoint().address().to_string(), "203.0.113.5");
}

}  // namespace
}  // namespace tunic::test
