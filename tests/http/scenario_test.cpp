// What articles about HTTP over TCP watch in Wireshark, stack to stack and in virtual time, with their own figures: a
// keep-alive after 45 s, an answer after 60. With the kernel's TCP on one side they are in tests/e2e.
#include <string>

#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <catch2/catch.hpp>

#include "http/server/server.hpp"
#include "tests/http/support/site.hpp"
#include "tests/http/support/two_ends.hpp"

using namespace tunic;
using namespace tunic::http;
using namespace std::chrono_literals;

namespace {

const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

tcp::config with_keep_alive() {
  tcp::config c;
  c.keep_alive_idle = c.keep_alive_interval = 45s;
  return c;
}

// A server of "hello", of an answer at /wait when the gate opens, and a client that is connected to it.
struct scene : http::test::two_ends {
  explicit scene(const std::string& name) : two_ends(name, with_keep_alive()) {
    asio::co_spawn(io, web.serve(acceptor), [](std::exception_ptr) {});
    connect(browser);
    run_until([&] { return browser.is_open() && web.connections() == 1; });
    passes(1s);
    browser.set_option(asio::socket_base::keep_alive(true));
    wire.said();
  }
  // The server's closes and its handlers have nothing that waits for real time.
  ~scene() {
    web.close();
    passes(1s);
  }

  void connect(tcp::socket& s) {
    s.async_connect({asio::ip::make_address("198.51.100.2"), 80}, [this](std::error_code e) { connected = e; });
  }
  void asks(const std::string& text) {
    std::error_code error;
    REQUIRE(browser.try_write(std::as_bytes(std::span(text)), error) == text.size());
  }
  // What the browser has received; how its stream has ended is in `ended`.
  std::string receives() {
    std::string all;
    for (ended = {};;) {
      const auto octets = browser.borrow(ended);
      if (ended) return all;
      all.append(reinterpret_cast<const char*>(octets.data()), octets.size());
      browser.consume(octets.size());
    }
  }

  asio::awaitable<response> answer(request& in) {
    if (in.path == "/wait") {
      asio::steady_timer wait(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
      gate = &wait;
      std::error_code ignored;
      co_await wait.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      gate = nullptr;
      co_return response::text("job done");
    }
    co_return response::text("hello");
  }

  asio::steady_timer* gate = nullptr;
  std::error_code connected, ended;
  tcp::acceptor acceptor{server(), {.port = 80}};
  http::server web{io.get_executor(), [this](request& in) { return answer(in); }, http::test::patient()};
  tcp::socket browser{client};
};

}  // namespace

TEST_CASE("scenario A: a client that does not close learns by its probe") {
  scene s("a");
  s.web.expire(std::chrono::steady_clock::now() + 76h);  // the time of an idle connection is over
  s.passes(1s);
  CHECK(s.receives().empty());
  CHECK(s.ended == asio::error::eof);
  CHECK(s.wire.said() == "1 server F. 1(0) ack 1\n1 client . 1(0) ack 2\n");
  s.web.expire(std::chrono::steady_clock::now() + 79h);  // it has lingered long enough
  s.passes(200s);                                        // FIN-WAIT-2 lasts 60 s
  const auto said = s.wire.said();
  CHECK(said.find("client . 0(0) ack 2\n") != std::string::npos);
  CHECK(said.find("server R 2(0)\n") != std::string::npos);
  CHECK(said.find(" F") == std::string::npos);
  std::error_code error;
  s.browser.try_write(std::as_bytes(std::span(get)), error);
  CHECK(error == asio::error::connection_reset);
}

TEST_CASE("scenario B: two requests on one connection, and no FIN between") {
  scene s("b");
  for (int i = 0; i < 2; ++i) {
    s.asks(get);
    s.passes(1s);
    CHECK(s.receives().ends_with("\r\n\r\nhello"));
    CHECK(s.ended == asio::error::would_block);
  }
  const auto said = s.wire.said();
  CHECK(said.find('S') == std::string::npos);
  CHECK(said.find('F') == std::string::npos);
}

TEST_CASE("scenario C: the server closes first, and then the browser") {
  scene s("c");
  s.asks("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  s.passes(1s);
  CHECK(s.receives().ends_with("\r\n\r\nhello"));
  CHECK(s.ended == asio::error::eof);
  s.wire.said();
  s.browser.close();
  s.passes(100s);
  const auto said = s.wire.said();
  CHECK(said == "2 client F. 47(0) ack 142\n2 server . 142(0) ack 48\n");
  CHECK(s.web.connections() == 0);
}

TEST_CASE("scenario D: a keep-alive goes out after 45 s while the handler thinks for 60") {
  scene s("d");
  s.asks("GET /wait?s=60 HTTP/1.1\r\nHost: a\r\n\r\n");
  s.passes(60s);
  CHECK(s.wire.said() ==
        "1 client P. 1(36) ack 1\n1 server . 1(0) ack 37\n46 client . 36(0) ack 1\n46 server . 1(0) ack 37\n");
  REQUIRE(s.gate != nullptr);
  s.gate->cancel();
  s.passes(1s);
  CHECK(s.receives().ends_with("\r\n\r\njob done"));
}

TEST_CASE("scenario E: an idle connection gets FIN after its last response") {
  scene s("e");
  s.asks(get);
  s.passes(40s);
  CHECK(s.receives().ends_with("\r\n\r\nhello"));
  s.wire.said();
  s.web.expire(std::chrono::steady_clock::now() + 74h);
  s.passes(1s);
  CHECK(s.wire.said().empty());
  s.web.expire(std::chrono::steady_clock::now() + 76h);
  s.passes(1s);
  CHECK(s.receives().empty());
  CHECK(s.ended == asio::error::eof);
  s.browser.close();
  s.passes(100s);
  const auto said = s.wire.said();
  CHECK(said.find("server F.") < said.find("client F."));
  CHECK(said.find('R') == std::string::npos);
}

TEST_CASE("scenario F: the server goes while a client waits, and a new connection is refused") {
  scene s("f");
  s.asks("GET /wait?s=60 HTTP/1.1\r\nHost: a\r\n\r\n");
  s.passes(5s);
  REQUIRE(s.gate != nullptr);
  s.wire.said();
  s.web.close();  // as its system ends what a killed process leaves
  s.passes(1s);
  CHECK(s.receives().empty());
  CHECK(s.ended == asio::error::eof);
  CHECK(s.gate == nullptr);  // the handler has been cancelled
  CHECK(s.wire.said() == "6 server F. 1(0) ack 37\n6 client . 37(0) ack 2\n");
  tcp::socket again(s.client);
  s.connected = {};
  s.connect(again);
  s.passes(1s);
  CHECK(s.connected == asio::error::connection_refused);
  const auto said = s.wire.said();
  CHECK(said.starts_with("7 client S 0(0)\n7 server R. "));
  CHECK(said.ends_with(" ack 1\n"));
}
