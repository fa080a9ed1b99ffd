// What a server does not let a client take: time, connections, and what TRACE would show.
#include <string>

#include <catch2/catch.hpp>

#include "http/server/patience.hpp"
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

response hello(const request&) {
  return response::text("hello");
}

// A stream with an address, as sockets have one.
struct addressed_stream : capable_stream {
  using capable_stream::capable_stream;
  asio::ip::tcp::endpoint remote_endpoint(std::error_code&) const {
    return {asio::ip::make_address("198.51.100.7"), 40000};
  }
};

}  // namespace

TEST_CASE("patience is spent by waiting, and earned by octets") {
  const patience::clock::time_point start{};
  patience p;
  p.reset(10s);
  p.begin(start);
  CHECK(p.deadline() == start + 10s);
  p.end(start + 4s);
  p.begin(start + 20s);
  CHECK(p.deadline() == start + 26s);
  p.end(start + 20s);
  SECTION("without a least rate an octet is as good as many") {
    p.progressed(0, 0);
    p.begin(start);
    CHECK(p.deadline() == start + 6s);
    p.progressed(1, 0);
    p.begin(start);
    CHECK(p.deadline() == start + 10s);
  }
  SECTION("with one so many earn a second") {
    p.progressed(100, 100);
    p.begin(start);
    CHECK(p.deadline() == start + 7s);
    p.progressed(UINT64_MAX, 1);
    p.begin(start);
    CHECK(p.deadline() == start + 10s);
  }
}

TEST_CASE("one client may have so many connections, and more are told so") {
  auto options = test::patient();
  options.connections_of_a_client = 2;
  site<addressed_stream> s(hello, options);
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  auto first = s.connect(), second = s.connect(), third = s.connect();
  CHECK(first_line(s.answer(first, get)) == "HTTP/1.1 200 OK");
  CHECK(first_line(s.answer(second, get)) == "HTTP/1.1 200 OK");
  CHECK(first_line(s.rest(third)) == "HTTP/1.1 503 Service Unavailable");
  CHECK(third.sees_end());
  third.ends();
  first.ends();
  s.settle();
  CHECK(s.serving.connections() == 1);
  auto fourth = s.connect();
  CHECK(first_line(s.answer(fourth, get)) == "HTTP/1.1 200 OK");
}

TEMPLATE_TEST_CASE("TRACE is off, and shows no secret where it is on (RFC 9110 §9.3.8)", "", STREAMS) {
  const std::string asked = "TRACE /x HTTP/1.1\r\nHost: a\r\nCookie: s=1\r\nAuthorization: x\r\nA: b\r\n\r\n";
  site<TestType> off(hello);
  const auto refused = off.ask(asked);
  CHECK(first_line(refused) == "HTTP/1.1 501 Not Implemented");
  auto options = test::patient();
  options.trace = true;
  site<TestType> on(hello, options);
  CHECK(on.ask(asked) ==
        "HTTP/1.1 200 OK\r\nContent-Type: message/http\r\nContent-Length: 36\r\n\r\n"
        "TRACE /x HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n");
}
