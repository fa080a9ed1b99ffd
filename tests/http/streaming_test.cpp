// Contents that are read and made while they travel.
#include <array>
#include <string>

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <catch2/catch.hpp>

#include "http/server/server.hpp"
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

const std::string text = "Content-Type: text/plain\r\n", closing = "Connection: close\r\n";
const std::string chunked = "Transfer-Encoding: chunked\r\n";
const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n", get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::string ok(const std::string& content, const std::string& more = "") {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n" + more +
         "Content-Length: " + std::to_string(content.size()) + "\r\n\r\n" + content;
}

asio::awaitable<response> count(request& in) {
  std::size_t octets = 0, pieces = 0;
  for (;; ++pieces) {
    const auto piece = co_await in.content.read();
    if (piece.empty()) break;
    octets += piece.size();
  }
  std::string told = std::to_string(octets);
  for (const auto [name, value] : in.content.trailer()) told.append(" ").append(name).append("=").append(value);
  co_return response::text(told);
}

asio::awaitable<response> whole(request& in) {
  co_return response::text(co_await in.content.read_all(10));
}

response three(const request&) {
  return response::stream("text/plain", [](content_sink& to) -> asio::awaitable<void> {
    for (const auto* word : {"one", "two", "three"}) co_await to.write(std::string_view(word));
    to.trailer.add("Words", "3");
  });
}

// Waits for ever; says how it ended.
asio::awaitable<void> wait_in_vain(std::string& ended) {
  asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  std::error_code error;
  co_await never.async_wait(asio::redirect_error(asio::use_awaitable, error));
  ended = error == asio::error::operation_aborted ? "cancelled" : "woken";
  co_await never.async_wait(asio::use_awaitable);  // who goes on regardless is stopped here
  ended = "went on";
}

}  // namespace

TEMPLATE_TEST_CASE("a handler reads the content of a request, and the next request is found behind it", "", STREAMS) {
  site<TestType> s(count);
  auto peer = s.connect();
  CHECK(s.answer(peer, post + "Content-Length: 5\r\n\r\nhello" + get) == ok("5") + ok("0"));
  CHECK(s.answer(peer, post + chunked + "\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n" + get) == ok("7") + ok("0"));
  CHECK(s.answer(peer, post + chunked + "\r\n0\r\nSum: 0\r\nA: b\r\n\r\n" + get) == ok("0 Sum=0 A=b") + ok("0"));
  const auto octets = post + chunked + "\r\n3\r\nabc\r\n0\r\nSum: 1\r\n\r\n";
  for (std::size_t i = 0; i + 1 < octets.size(); ++i) CHECK(s.answer(peer, octets.substr(i, 1)).empty());
  CHECK(s.answer(peer, "\n") == ok("3 Sum=1"));
}

TEMPLATE_TEST_CASE("a content is read as it comes: no faster than the handler takes it", "", STREAMS) {
  asio::steady_timer* gate = nullptr;
  std::size_t read = 0;
  site<TestType> s([&](request& in) -> asio::awaitable<response> {
    asio::steady_timer wait(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    gate = &wait;
    for (;;) {
      std::error_code ignored;
      co_await wait.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      const auto piece = co_await in.content.read();
      if (piece.empty()) break;
      read += piece.size();
    }
    co_return response::text("done");
  });
  auto peer = s.connect();
  CHECK(s.answer(peer, post + "Content-Length: 100000\r\n\r\n" + std::string(100000, 'x')).empty());
  CHECK(read == 0);
  std::string said;
  int turns = 0;
  for (; said.empty(); ++turns) {
    gate->cancel();
    said = s.rest(peer);
    CHECK(read <= 17'000U * static_cast<std::size_t>(turns + 1));  // what the transport reads at once, a turn
  }
  CHECK(said == ok("done"));
}

TEMPLATE_TEST_CASE("a content that is read whole has a bound", "", STREAMS) {
  site<TestType> s(whole);
  auto peer = s.connect();
  CHECK(s.answer(peer, post + "Content-Length: 10\r\n\r\n0123456789") == ok("0123456789"));
  CHECK(first_line(s.answer(peer, post + "Content-Length: 11\r\n\r\n01234567890")) == "HTTP/1.1 413 Content Too Large");
  CHECK(s.answer(peer, get) == ok(""));  // eleven octets are passed over
  CHECK(first_line(s.answer(peer, post + chunked + "\r\nb\r\n01234567890\r\n0\r\n\r\n")) ==
        "HTTP/1.1 413 Content Too Large");
  CHECK(s.answer(peer, get) == ok(""));
}

TEMPLATE_TEST_CASE("a content that breaks a rule while it is read is answered so, once", "", STREAMS) {
  site<TestType> s(count);
  const auto told = [&](const std::string& content) {
    auto peer = s.connect();
    const auto said = s.answer(peer, post + content + "\r\n" + get);
    CHECK(said.find("HTTP/1.1") == said.rfind("HTTP/1.1"));
    CHECK(said.find(closing) != std::string::npos);
    CHECK(peer.sees_end());
    return first_line(said);
  };
  CHECK(told(chunked + "\r\n3\r\nabcd\r\n0\r\n") == "HTTP/1.1 400 Bad Request");
  CHECK(told(chunked + "\r\n3\r\nabc\r\n-1\r\n") == "HTTP/1.1 400 Bad Request");
  CHECK(told(chunked + "\r\nfffffff\r\n") == "HTTP/1.1 413 Content Too Large");
}

TEMPLATE_TEST_CASE("a content that is cut short is answered 400, where that can still be heard", "", STREAMS) {
  site<TestType> s(count);
  auto peer = s.connect();
  peer.sends(post + "Content-Length: 5\r\n\r\nhe");
  s.settle();
  peer.ends();
  CHECK(first_line(s.rest(peer)) == "HTTP/1.1 400 Bad Request");
  CHECK(peer.sees_end());
  s.settle();
  CHECK(s.serving.connections() == 0);
}

TEMPLATE_TEST_CASE("a content that does not come in time is answered 408", "", STREAMS) {
  site<TestType> s(count);
  auto peer = s.connect();
  CHECK(s.answer(peer, post + "Content-Length: 5\r\n\r\nhe").empty());
  s.after(29h);
  CHECK(s.rest(peer).empty());
  s.after(31h);
  CHECK(first_line(s.rest(peer)) == "HTTP/1.1 408 Request Timeout");
  CHECK(peer.sees_end());
}

TEMPLATE_TEST_CASE("100 Continue comes when a handler begins to read (RFC 9110 §10.1.1)", "", STREAMS) {
  site<TestType> s(count);
  const std::string expects = "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n";
  const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  auto peer = s.connect();
  CHECK(s.answer(peer, post + expects) == go_on);
  CHECK(s.answer(peer, "hello" + get) == ok("5") + ok("0"));
  SECTION("not where the content has come already") {
    CHECK(s.answer(peer, post + expects + "hello" + get) == ok("5") + ok("0"));
  }
  SECTION("not behind the head of the response, where the reading begins so late: then the connection ends") {
    site<TestType> late([](request& in) {
      return response::stream("text/plain", [&in](content_sink& to) -> asio::awaitable<void> {
        const auto octets = co_await in.content.read_all();
        co_await to.write(octets);
      });
    });
    auto other = late.connect();
    const auto head = "HTTP/1.1 200 OK\r\n" + text + closing + chunked + "\r\n";
    CHECK(late.answer(other, post + expects) == head);
    CHECK(late.answer(other, "hello") == "5\r\nhello\r\n0\r\n\r\n");
    CHECK(other.sees_end());
  }
  SECTION("not in HTTP/1.0") {
    CHECK(s.answer(peer, "POST / HTTP/1.0\r\n" + expects).empty());
    CHECK(s.answer(peer, "hello") == ok("5", closing));
  }
  SECTION("not without a content") {
    CHECK(s.answer(peer, "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n") == ok("0"));
  }
}

TEMPLATE_TEST_CASE("a content of unknown length is chunked, with its trailer", "", STREAMS) {
  site<TestType> s(three);
  auto peer = s.connect();
  const std::string expected =
      "HTTP/1.1 200 OK\r\n" + text + chunked + "\r\n3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\nWords: 3\r\n\r\n";
  CHECK(s.answer(peer, get) == expected);
  CHECK(s.answer(peer, get + get) == expected + expected);
  const auto last = s.answer(peer, "GET / HTTP/1.1\r\nHost: a\r\n" + closing + "\r\n");
  CHECK(last.ends_with("\r\n5\r\nthree\r\n0\r\nWords: 3\r\n\r\n"));
  CHECK(peer.sees_end());
}

TEMPLATE_TEST_CASE("for HTTP/1.0 it lasts until the close", "", STREAMS) {
  site<TestType> s(three);
  auto peer = s.connect();
  CHECK(s.answer(peer, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") ==
        "HTTP/1.1 200 OK\r\n" + text + closing + "\r\nonetwothree");
  CHECK(peer.sees_end());
}

TEMPLATE_TEST_CASE("for HEAD it is not made", "", STREAMS) {
  bool made = false;
  site<TestType> s([&](const request&) {
    return response::stream("text/plain", [&](content_sink&) -> asio::awaitable<void> {
      made = true;
      co_return;
    });
  });
  auto peer = s.connect();
  CHECK(s.answer(peer, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n") == "HTTP/1.1 200 OK\r\n" + text + chunked + "\r\n");
  CHECK_FALSE(made);
  CHECK_FALSE(peer.sees_end());
}

TEMPLATE_TEST_CASE("a content of a known length has it, or the connection ends", "", STREAMS) {
  std::string content;
  site<TestType> s([&](const request&) {
    return response::stream(
        "text/plain", [&](content_sink& to) -> asio::awaitable<void> { co_await to.write(content); }, 5);
  });
  const std::string head = "HTTP/1.1 200 OK\r\n" + text + "Content-Length: 5\r\n\r\n";
  auto peer = s.connect();
  content = "hello";
  CHECK(s.answer(peer, get) == head + "hello");
  CHECK_FALSE(peer.sees_end());
  SECTION("short of it") {
    content = "hell";
    CHECK(s.answer(peer, get) == head + "hell");
  }
  SECTION("beyond it") {
    content = "hello?";
    CHECK(s.answer(peer, get) == head);
  }
  CHECK(peer.sees_end());
}

TEMPLATE_TEST_CASE("a content whose making fails is cut short, and the client sees it", "", STREAMS) {
  site<TestType> s([&](const request&) {
    return response::stream("text/plain", [](content_sink& to) -> asio::awaitable<void> {
      co_await to.write(std::string_view("one"));
      throw std::runtime_error("no");
    });
  });
  auto peer = s.connect();
  CHECK(s.answer(peer, get) == "HTTP/1.1 200 OK\r\n" + text + chunked + "\r\n3\r\none\r\n");
  CHECK(peer.sees_end());
}

TEMPLATE_TEST_CASE("a producer waits for a client that does not read", "", STREAMS) {
  std::size_t written = 0;
  const std::string piece(1000, 'x');
  site<TestType> s([&](const request&) {
    return response::stream(
        "text/plain",
        [&](content_sink& to) -> asio::awaitable<void> {
          for (int i = 0; i < 100; ++i, written += piece.size()) co_await to.write(piece);
        },
        100'000);
  });
  auto peer = s.connect();
  peer.takes_at_most(5000);
  peer.sends(get);
  s.settle();
  CHECK(written < 6000);
  peer.takes_at_most(SIZE_MAX);
  CHECK(s.rest(peer).size() > 100'000);
  CHECK(written == 100'000);
}

TEMPLATE_TEST_CASE("both directions at once: what comes in goes out", "", STREAMS) {
  site<TestType> s([](request& in) {
    return response::stream("text/plain", [&in](content_sink& to) -> asio::awaitable<void> {
      for (;;) {
        const auto piece = co_await in.content.read();
        if (piece.empty()) co_return;
        co_await to.write(piece);
      }
    });
  });
  auto peer = s.connect();
  CHECK(s.answer(peer, post + chunked + "\r\n") == "HTTP/1.1 200 OK\r\n" + text + chunked + "\r\n");
  CHECK(s.answer(peer, "3\r\none\r\n") == "3\r\none\r\n");
  CHECK(s.answer(peer, "3\r\ntwo\r\n") == "3\r\ntwo\r\n");
  CHECK(s.answer(peer, "0\r\n\r\n" + get) == "0\r\n\r\nHTTP/1.1 200 OK\r\n" + text + chunked + "\r\n0\r\n\r\n");
}

TEMPLATE_TEST_CASE("a large content that a producer reads is no reason to close, one that it leaves is", "", STREAMS) {
  bool reads = true;
  site<TestType> s([&](request& in) {
    return response::stream("text/plain", [&](content_sink& to) -> asio::awaitable<void> {
      std::size_t octets = 0;
      while (reads) {
        const auto piece = co_await in.content.read();
        if (piece.empty()) break;
        octets += piece.size();
      }
      co_await to.write(std::to_string(octets));
    });
  });
  const std::string head = "HTTP/1.1 200 OK\r\n" + text + chunked + "\r\n";
  auto peer = s.connect();
  const std::string large(2'000'000, 'x');
  CHECK(s.answer(peer, post + "Content-Length: 2000000\r\n\r\n" + large) == head + "7\r\n2000000\r\n0\r\n\r\n");
  CHECK_FALSE(peer.sees_end());
  reads = false;
  CHECK(s.answer(peer, post + "Content-Length: 2000000\r\n\r\n") == head + "1\r\n0\r\n0\r\n\r\n");
  CHECK(peer.sees_end());
}

TEST_CASE("a handler is cancelled when its client goes") {
  std::string ended;
  site<capable_stream> s([&](const request&) -> asio::awaitable<response> {
    co_await wait_in_vain(ended);
    co_return response::text("never");
  });
  auto peer = s.connect();
  CHECK(s.answer(peer, get).empty());
  CHECK(ended.empty());
  SECTION("by a reset") {
    peer.resets();
    s.settle();
  }
  SECTION("because the server closes") {
    s.serving.close();
    s.settle();
  }
  CHECK(ended == "cancelled");
  CHECK(s.serving.connections() == 0);
}

TEST_CASE("a client that ends its side still waits for its answer") {
  std::string ended;
  site<capable_stream> s([&](const request&) -> asio::awaitable<response> {
    co_await wait_in_vain(ended);
    co_return response::text("never");
  });
  auto peer = s.connect();
  s.answer(peer, get);
  peer.ends();
  s.settle();
  CHECK(ended.empty());
  CHECK(s.serving.connections() == 1);
  s.serving.close();
  s.settle();
}

TEST_CASE("a producer is cancelled when its client goes") {
  std::string ended;
  site<capable_stream> s([&](const request&) {
    return response::stream("text/plain", [&](content_sink& to) -> asio::awaitable<void> {
      co_await to.write(std::string_view("one"));
      co_await wait_in_vain(ended);
    });
  });
  auto peer = s.connect();
  CHECK(s.answer(peer, get) == "HTTP/1.1 200 OK\r\n" + text + chunked + "\r\n3\r\none\r\n");
  peer.resets();
  s.settle();
  CHECK(ended == "cancelled");
  CHECK(s.serving.connections() == 0);
}

TEMPLATE_TEST_CASE("another protocol takes the stream over, with what has come behind the request", "", STREAMS) {
  site<TestType> s([](const request&) {
    response out;
    out.head.status = status_code::switching_protocols;
    out.head.header.add("Upgrade", "shout");
    out.content = upgrade{[](transport& stream) -> asio::awaitable<void> {
      for (;;) {
        std::error_code error;
        const auto octets = stream.borrow(error);
        if (would_block(error)) {
          co_await stream.readable(error);
          continue;
        }
        if (error) co_return;
        std::string loud(reinterpret_cast<const char*>(octets.data()), octets.size());
        stream.consume(octets.size());
        for (char& c : loud) c = static_cast<char>(c - 32);
        co_await stream.write_some(std::as_bytes(std::span(loud)), error);
      }
    }};
    return out;
  });
  auto peer = s.connect();
  CHECK(s.answer(peer, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: shout\r\nConnection: upgrade\r\n\r\nabc") ==
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: shout\r\nConnection: upgrade\r\n\r\nABC");
  CHECK(s.answer(peer, "xyz") == "XYZ");
  peer.ends();
  s.settle();
  CHECK(peer.sees_end());
  CHECK(s.serving.connections() == 0);

  // A content that nobody has read would be taken for the new protocol's octets, and HTTP/1.0 knows no upgrades.
  CHECK(first_line(s.ask(post + "Upgrade: shout\r\nContent-Length: 3\r\n\r\nabc")) == "HTTP/1.1 400 Bad Request");
  CHECK(first_line(s.ask("GET / HTTP/1.0\r\nUpgrade: shout\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
}
