#include <netinet/tcp.h>

#include <asio/read.hpp>
#include <asio/write.hpp>

#include "tests/asio/two_hosts.hpp"

// TCP Fast Open (RFC 7413) by Asio's options.

namespace tunic::test {
namespace {

// As a program has them that runs on the kernel's sockets.
using kernel_fast_open = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_FASTOPEN>;
using kernel_fast_open_connect = asio::detail::socket_option::boolean<IPPROTO_TCP, TCP_FASTOPEN_CONNECT>;

class rfc7413_fast_open : public testing::Test, public two_hosts {
 protected:
  // A request and its answer over a new connection; how long the answer took, in one-way delays.
  asio::awaitable<void> serve(tcp::acceptor& acceptor) {
    for (int i = 0; i < 2; ++i) {
      tcp::socket s = co_await acceptor.async_accept(asio::use_awaitable);
      std::string request(7, '\0');
      co_await asio::async_read(s, asio::buffer(request), asio::use_awaitable);
      EXPECT_EQ(request, "request");
      early.push_back(s.status().state == tcp::state::syn_received);
      const std::string answer = "answer";
      co_await asio::async_write(s, asio::buffer(answer), asio::use_awaitable);
    }
  }
  asio::awaitable<void> ask() {
    for (int i = 0; i < 2; ++i) {
      tcp::socket s{client};
      s.set_option(kernel_fast_open_connect{true});
      co_await s.async_connect(server_at(), asio::use_awaitable);
      states.push_back(s.status().state);
      const std::string request = "request";
      co_await asio::async_write(s, asio::buffer(request), asio::use_awaitable);
      std::string answer(6, '\0');
      co_await asio::async_read(s, asio::buffer(answer), asio::use_awaitable);
      EXPECT_EQ(answer, "answer");
      with_syn.push_back(s.status().syn_text_sent);
    }
  }

  std::vector<bool> early;
  std::vector<tcp::state> states;
  std::vector<std::uint32_t> with_syn;
};

TEST_F(rfc7413_fast_open, the_second_request_goes_with_its_syn) {
  tcp::acceptor acceptor{server, {.port = port}};
  acceptor.set_option(kernel_fast_open{5});
  run(serve(acceptor), ask());
  EXPECT_EQ(early, (std::vector{false, true}));
  EXPECT_EQ(states, (std::vector{tcp::state::established, tcp::state::syn_sent})) << "connect() need not wait";
  EXPECT_EQ(with_syn, (std::vector<std::uint32_t>{0, 7}));
}

TEST_F(rfc7413_fast_open, an_acceptor_has_it_off_unless_told) {
  tcp::acceptor acceptor{server, {.port = port}};
  run(serve(acceptor), ask());
  EXPECT_EQ(early, (std::vector{false, false}));
  EXPECT_EQ(with_syn, (std::vector<std::uint32_t>{0, 0}));
}

TEST_F(rfc7413_fast_open, a_refusal_is_told_by_the_read) {
  {
    tcp::acceptor acceptor{server, {.port = port, .fast_open = 5}};
    run(serve(acceptor), ask());
  }
  tcp::socket s{client};
  s.set_option(tcp::fast_open_connect{true});
  outcome connecting, writing, reading;
  s.async_connect(server_at(), connecting.handler());
  ASSERT_TRUE(run_until_done(connecting));
  EXPECT_FALSE(connecting.code());
  std::array<char, 10> octets{};
  s.async_read_some(asio::buffer(octets), reading.handler());
  s.async_write_some(asio::buffer(octets), writing.handler());
  ASSERT_TRUE(run_until_done(reading));
  EXPECT_FALSE(writing.code());
  EXPECT_EQ(reading.code(), asio::error::connection_refused);
}

TEST_F(rfc7413_fast_open, options_come_back_as_they_were_set) {
  tcp::socket s{client};
  tcp::fast_open_connect connect;
  s.get_option(connect);
  EXPECT_FALSE(connect.value());
  s.set_option(tcp::fast_open_connect{true});
  s.get_option(connect);
  EXPECT_TRUE(connect.value());
  tcp::fast_open_no_cookie without;
  s.set_option(tcp::fast_open_no_cookie{true});
  s.get_option(without);
  EXPECT_TRUE(without.value());
  std::error_code e;
  tcp::acceptor acceptor{server, {.port = port}};
  acceptor.set_option(tcp::fast_open{-1}, e);
  EXPECT_EQ(e, asio::error::invalid_argument);
}

}  // namespace
}  // namespace tunic::test
