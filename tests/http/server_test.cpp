#include "http/server/server.hpp"

#include <string>

#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <catch2/catch.hpp>

#include "tests/http/support/memory_stream.hpp"
#include "tests/http/support/site.hpp"

using namespace tunic::http;
using namespace std::chrono_literals;
using test::capable_stream;
using test::memory_stream;
using test::site;

#define STREAMS memory_stream, capable_stream

using test::first_line;

namespace {

const std::string type = "Content-Type: text/plain; charset=utf-8\r\n";

std::string ok(const std::string& content, const std::string& more = "") {
  return "HTTP/1.1 200 OK\r\n" + type + more + "Content-Length: " + std::to_string(content.size()) + "\r\n\r\n" +
         content;
}

std::string get(const std::string& path, const std::string& more = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n";
}

response echo_path(const request& in) {
  return response::text(in.path);
}

const std::string closing = "Connection: close\r\n";

}  // namespace

TEMPLATE_TEST_CASE("a function serves, and the connection stays for the next request", "", STREAMS) {
  site<TestType> s(echo_path);
  auto peer = s.connect();
  CHECK(s.answer(peer, get("/1")) == ok("/1"));
  CHECK(s.answer(peer, get("/2?q")) == ok("/2"));
  CHECK_FALSE(peer.sees_end());
}

TEMPLATE_TEST_CASE("a request may arrive octet by octet", "", STREAMS) {
  site<TestType> s(echo_path);
  auto peer = s.connect();
  const auto text = get("/a");
  for (std::size_t i = 0; i + 1 < text.size(); ++i) CHECK(s.answer(peer, text.substr(i, 1)).empty());
  CHECK(s.answer(peer, text.substr(text.size() - 1)) == ok("/a"));
}

TEMPLATE_TEST_CASE("each response says when it was made", "", STREAMS) {
  site<TestType> s(echo_path);
  auto peer = s.connect();
  peer.sends(get("/"));
  s.settle();
  const auto text = peer.receives();
  const auto at = text.find("Date: ");
  REQUIRE(at != std::string::npos);
  CHECK(parse_imf_fixdate(std::string_view(text).substr(at + 6, 29)));
}

TEMPLATE_TEST_CASE("who closes follows RFC 9112 §9.3", "", STREAMS) {
  site<TestType> s(echo_path);
  SECTION("1.1 with close") {
    auto peer = s.connect();
    CHECK(s.answer(peer, get("/", closing)) == ok("/", closing));
    CHECK(peer.sees_end());
  }
  SECTION("1.0") {
    auto peer = s.connect();
    CHECK(s.answer(peer, "GET / HTTP/1.0\r\n\r\n") == ok("/", closing));
    CHECK(peer.sees_end());
  }
  SECTION("1.0 with keep-alive") {
    auto peer = s.connect();
    CHECK(s.answer(peer, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n") == ok("/", "Connection: keep-alive\r\n"));
    CHECK_FALSE(peer.sees_end());
  }
  SECTION("the handler may ask for it") {
    site<TestType> closer([](const request&) {
      auto out = response::text("x");
      out.head.header.add("Connection", "close");
      return out;
    });
    auto peer = closer.connect();
    CHECK(closer.answer(peer, get("/")) == ok("x", closing));
    CHECK(peer.sees_end());
  }
}

TEMPLATE_TEST_CASE("pipelined requests are answered in order", "", STREAMS) {
  site<TestType> s(echo_path);
  std::string asked, expected;
  for (int i = 0; i < 500; ++i) {
    asked += get("/" + std::to_string(i));
    expected += ok("/" + std::to_string(i));
  }
  auto peer = s.connect();
  CHECK(s.answer(peer, asked) == expected);
}

TEST_CASE("what is pipelined and fits is answered in one write") {
  site<memory_stream> s(echo_path);
  const auto operations = std::make_shared<test::faults>();
  auto peer = s.connect(operations);
  s.answer(peer, get("/1") + get("/2") + get("/3"));
  CHECK(operations->count == 3);  // a read, a write, the read that waits for more
}

TEMPLATE_TEST_CASE("a coroutine may answer, and later requests wait for it", "", STREAMS) {
  site<TestType> s([](const request& in) -> asio::awaitable<response> {
    if (in.path == "/slow")
      for (int i = 0; i < 5; ++i) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    if (in.path == "/bad") throw std::runtime_error("no");
    co_return response::text(in.path);
  });
  auto peer = s.connect();
  const auto said = s.answer(peer, get("/slow") + get("/fast") + get("/bad") + get("/end"));
  CHECK(said.substr(0, ok("/slow").size() + ok("/fast").size()) == ok("/slow") + ok("/fast"));
  CHECK(said.find("HTTP/1.1 500 Internal Server Error") == ok("/slow").size() + ok("/fast").size());
  CHECK(said.substr(said.size() - ok("/end").size()) == ok("/end"));
}

TEMPLATE_TEST_CASE("a handler that throws is answered with 500, and the connection stays", "", STREAMS) {
  site<TestType> s([](const request& in) -> response {
    if (in.path == "/bad") throw std::runtime_error("secret");
    return response::text("x");
  });
  auto peer = s.connect();
  const auto said = s.answer(peer, get("/bad"));
  CHECK(first_line(said) == "HTTP/1.1 500 Internal Server Error");
  CHECK(said.find("secret") == std::string::npos);
  CHECK(s.answer(peer, get("/")) == ok("x"));
}

TEMPLATE_TEST_CASE("HEAD has the fields of GET and no content", "", STREAMS) {
  site<TestType> s(echo_path);
  auto peer = s.connect();
  const auto head = ok("/abc").substr(0, ok("/abc").size() - 4);
  CHECK(s.answer(peer, "HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n" + get("/x")) == head + ok("/x"));
}

TEMPLATE_TEST_CASE("a refused HEAD has no content either", "", STREAMS) {
  site<TestType> s(echo_path);
  const auto said = s.ask("HEAD /%zz HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(first_line(said) == "HTTP/1.1 400 Bad Request");
  CHECK(said.substr(said.size() - 4) == "\r\n\r\n");
}

TEMPLATE_TEST_CASE("204 and 304 have neither content nor length", "", STREAMS) {
  site<TestType> s([](const request& in) {
    return response::text("x", in.path == "/204" ? status_code::no_content : status_code::not_modified);
  });
  auto peer = s.connect();
  CHECK(s.answer(peer, get("/204")) == "HTTP/1.1 204 No Content\r\n" + type + "\r\n");
  CHECK(s.answer(peer, get("/304")) == "HTTP/1.1 304 Not Modified\r\n" + type + "\r\n");
}

TEMPLATE_TEST_CASE("content that a handler does not want is passed over", "", STREAMS) {
  site<TestType> s(echo_path);
  auto peer = s.connect();
  const std::string post = "POST /p HTTP/1.1\r\nHost: a\r\n";
  CHECK(s.answer(peer, post + "Content-Length: 5\r\n\r\nhello" + get("/1")) == ok("/p") + ok("/1"));
  CHECK(s.answer(peer, post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + get("/2")) ==
        ok("/p") + ok("/2"));
  CHECK(s.answer(peer, post + "Content-Length: 5\r\n\r\nhe") == ok("/p"));
  CHECK(s.answer(peer, "llo" + get("/3")) == ok("/3"));
  CHECK_FALSE(peer.sees_end());
}

TEMPLATE_TEST_CASE("a broken request is answered once, and what is behind it is not", "", STREAMS) {
  auto options = test::patient();
  options.bounds.body = 100;
  site<TestType> s(echo_path, options);
  const auto told = [&](const std::string& text) {
    auto peer = s.connect();
    const auto said = s.answer(peer, text + get("/smuggled"));
    CHECK(said.find("Content-Length") == said.rfind("Content-Length"));  // one response
    CHECK(said.find(closing) != std::string::npos);
    CHECK(peer.sees_end());
    return first_line(said);
  };
  CHECK(told("GET / HTTP/1.1\r\n\r\n") == "HTTP/1.1 400 Bad Request");
  CHECK(told("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n") == "HTTP/1.1 400 Bad Request");
  CHECK(told(get("/", "Content-Length: 101\r\n")) == "HTTP/1.1 413 Content Too Large");
  CHECK(told(get("/" + std::string(9000, 'x'))) == "HTTP/1.1 414 URI Too Long");
  CHECK(told(get("/", "A: " + std::string(9000, 'x') + "\r\n")) == "HTTP/1.1 431 Request Header Fields Too Large");
  CHECK(told(get("/", "Transfer-Encoding: gzip\r\n")) == "HTTP/1.1 501 Not Implemented");
  CHECK(told("GET / HTTP/3.0\r\n\r\n") == "HTTP/1.1 505 HTTP Version Not Supported");
  CHECK(told(get("/", "Expect: wonders\r\n")) == "HTTP/1.1 417 Expectation Failed");
}

TEMPLATE_TEST_CASE("a broken content after its response ends the connection", "", STREAMS) {
  site<TestType> s(echo_path);
  auto peer = s.connect();
  CHECK(s.answer(peer, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n" + get("/smuggled")) ==
        ok("/"));
  CHECK(peer.sees_end());
}

TEMPLATE_TEST_CASE("who waits for 100 Continue gets the final response and the end (RFC 9110 §10.1.1)", "", STREAMS) {
  site<TestType> s(echo_path);
  auto peer = s.connect();
  CHECK(s.answer(peer, "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n") ==
        ok("/", closing));
  CHECK(peer.sees_end());
}

TEMPLATE_TEST_CASE("an early response arrives although the request goes on: the close lingers (RFC 9112 §9.6)", "",
                   STREAMS) {
  site<TestType> s(echo_path);
  auto peer = s.connect();
  const auto said = s.answer(peer, get("/", "Content-Length: 99999999999\r\n"));
  CHECK(first_line(said) == "HTTP/1.1 413 Content Too Large");
  CHECK(peer.sees_end());
  CHECK(s.serving.connections() == 1);
  s.answer(peer, std::string(200000, 'x'));
  CHECK(s.serving.connections() == 1);
  SECTION("until the peer closes") {
    peer.ends();
  }
  SECTION("until the peer resets") {
    peer.resets();
  }
  SECTION("until its time is over") {
    s.after(3h);
  }
  SECTION("until too much has come") {
    s.answer(peer, std::string(1000000, 'x'));
  }
  s.settle();
  CHECK(s.serving.connections() == 0);
}

TEMPLATE_TEST_CASE("a large content passes through a small window", "", STREAMS) {
  std::string large;
  for (int i = 0; i < 100000; ++i) large += static_cast<char>('a' + i % 23);
  site<TestType> s([&](const request&) { return response::text(large); });
  auto peer = s.connect();
  peer.takes_at_most(1000);
  CHECK(s.answer(peer, get("/1") + get("/2")) == ok(large) + ok(large));
}

TEMPLATE_TEST_CASE("a peer that ends its side still gets its answers", "", STREAMS) {
  site<TestType> s(echo_path);
  auto peer = s.connect();
  peer.sends(get("/1") + get("/2"));
  peer.ends();
  CHECK(s.rest(peer) == ok("/1") + ok("/2"));
  CHECK(peer.sees_end());
  CHECK(s.serving.connections() == 0);
}

TEMPLATE_TEST_CASE("a peer that goes away in the middle takes its connection with it", "", STREAMS) {
  site<TestType> s(echo_path);
  for (const auto text : {"", "GET / HT", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"}) {
    auto ended = s.connect(), reset = s.connect();
    ended.sends(text);
    reset.sends(text);
    s.settle();
    CHECK(s.serving.connections() == 2);
    ended.ends();
    reset.resets();
    s.settle();
    CHECK(s.serving.connections() == 0);
  }
}

TEMPLATE_TEST_CASE("time is bounded", "", STREAMS) {
  site<TestType> s(echo_path);
  auto peer = s.connect();
  SECTION("between requests: the connection is closed without a word") {
    s.answer(peer, get("/"));
    s.after(74h);
    CHECK_FALSE(peer.sees_end());
    s.after(76h);
    CHECK(s.rest(peer).empty());
    CHECK(peer.sees_end());
  }
  SECTION("within a head: 408") {
    s.answer(peer, "GET / HTTP/1.1\r\n");
    s.after(9h);
    CHECK_FALSE(peer.sees_end());
    s.answer(peer, "Host: a\r\n");  // does not begin the time anew
    s.after(11h);
    CHECK(first_line(s.rest(peer)) == "HTTP/1.1 408 Request Timeout");
    CHECK(peer.sees_end());
    CHECK(s.serving.connections() == 1);  // lingers
    s.after(3h);
    CHECK(s.serving.connections() == 0);
  }
  SECTION("within a content") {
    s.answer(peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    s.after(29h);
    CHECK_FALSE(peer.sees_end());
    s.after(31h);
    CHECK(peer.sees_end());
  }
  SECTION("for a peer that takes nothing") {
    peer.takes_at_most(10);
    peer.sends(get("/"));
    s.settle();
    s.after(59h);
    CHECK(s.serving.connections() == 1);
    s.after(61h);
    CHECK(s.serving.connections() == 0);
  }
}

TEMPLATE_TEST_CASE("a stopping server closes idle connections at once and finishes the others", "", STREAMS) {
  asio::steady_timer* gate = nullptr;
  site<TestType> s([&](const request&) -> asio::awaitable<response> {
    asio::steady_timer wait(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    gate = &wait;
    std::error_code ignored;
    co_await wait.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return response::text("done");
  });
  auto idle = s.connect(), busy = s.connect();
  CHECK(s.answer(busy, get("/") + get("/pipelined")).empty());
  s.serving.stop();
  s.settle();
  CHECK(idle.sees_end());
  CHECK(s.rest(idle).empty());
  CHECK_FALSE(busy.sees_end());
  REQUIRE(gate != nullptr);
  gate->cancel();
  CHECK(s.rest(busy) == ok("done"));  // a request that was here before: it is answered, too
  gate->cancel();
  CHECK(s.rest(busy) == ok("done", closing));
  CHECK(busy.sees_end());
  busy.ends();
  s.settle();
  CHECK(s.serving.connections() == 0);
}

TEMPLATE_TEST_CASE("a handler may change the request that it is given: the answer is still framed for who asked", "",
                   STREAMS) {
  site<TestType> s([](request& in) {
    in.method = "GET";
    in.version = protocol_version::http_1_0;
    in.header.clear();
    return response::text("x");
  });
  auto peer = s.connect();
  CHECK(s.answer(peer, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n") == ok("x").substr(0, ok("x").size() - 1));
  CHECK(s.answer(peer, get("/", closing)) == ok("x", closing));
  CHECK(peer.sees_end());
}

TEMPLATE_TEST_CASE("what a handler's status does not allow is not sent", "", STREAMS) {
  site<TestType> s([](const request& in) {
    return response::text("x", in.path == "/205" ? status_code{205} : status_code::continue_);
  });
  auto peer = s.connect();
  CHECK(s.answer(peer, get("/205")) == "HTTP/1.1 205 Reset Content\r\n" + type + "Content-Length: 0\r\n\r\n");
  CHECK(first_line(s.answer(peer, get("/100"))) == "HTTP/1.1 500 Internal Server Error");
}

TEMPLATE_TEST_CASE("closing a server ends everything now", "", STREAMS) {
  site<TestType> s(echo_path);
  auto idle = s.connect(), half = s.connect();
  s.answer(half, "GET /");
  s.serving.close();
  s.settle();
  CHECK(idle.sees_end());
  CHECK(half.sees_end());
  CHECK(s.serving.connections() == 0);
}

TEMPLATE_TEST_CASE("what a handler may not set is set by the server", "", STREAMS) {
  site<TestType> s([](const request&) {
    auto out = response::text("abc");
    out.head.header.add("Content-Length", "99");
    out.head.header.add("Transfer-Encoding", "chunked");
    return out;
  });
  CHECK(s.ask(get("/")) == ok("abc"));
}
