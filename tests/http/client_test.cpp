#include <map>
#include <string>

#include <asio/co_spawn.hpp>
#include <catch2/catch.hpp>

#include "http/client/get.hpp"
#include "tests/http/support/memory_stream.hpp"

using namespace tunic::http;
using test::capable_stream;
using test::memory_stream;

#define STREAMS memory_stream, capable_stream

namespace {

struct outcome {
  std::string request;
  response_head head;
  std::string content;
  std::string announced;  // what the sink was told of heads
  std::error_code error;
  std::string message;
};

void finish(outcome& out, std::exception_ptr thrown, response_head head) {
  out.head = std::move(head);
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const std::system_error& e) {
    out.error = e.code();
    out.message = e.what();
  }
}

sink into(outcome& out) {
  return {[&](const response_head& h) { out.announced += std::to_string(number(h.status)) + " "; },
          [&](auto octets) { out.content.append(reinterpret_cast<const char*>(octets.data()), octets.size()); }};
}

enum class then { stay, end, reset };

// What a client makes of a server that says `text` and then ends, resets or stays.
template <class Stream>
outcome got(const std::string& text, then last = then::stay, const get_options& options = {}) {
  outcome out;
  asio::io_context io;
  Stream stream(io);
  auto peer = stream.other_end();
  const url from{"a", 8080, "/b?c"};
  const auto to = into(out);
  asio::co_spawn(io, get(stream, from, options, to),
                 [&](std::exception_ptr e, response_head h) { finish(out, e, std::move(h)); });
  io.poll();
  out.request = peer.receives();
  peer.sends(text);
  io.poll();
  if (last == then::end) peer.ends();
  if (last == then::reset) peer.resets();
  io.poll();
  CHECK(io.stopped());  // the fetch is over and nothing is left waiting
  return out;
}

}  // namespace

TEMPLATE_TEST_CASE("the request says what is wanted", "", STREAMS) {
  const std::string answer = "HTTP/1.1 204 No Content\r\n\r\n";
  CHECK(got<TestType>(answer).request ==
        "GET /b?c HTTP/1.1\r\nHost: a:8080\r\nUser-Agent: tunic\r\nAccept: */*\r\nConnection: close\r\n\r\n");
  get_options options;
  options.method = "HEAD";
  options.header.add("user-agent", "me");
  options.header.add("X", "1");
  options.header.add("X", "2");
  CHECK(got<TestType>(answer, then::stay, options).request ==
        "HEAD /b?c HTTP/1.1\r\nHost: a:8080\r\nAccept: */*\r\nuser-agent: me\r\nX: 1\r\nX: 2\r\nConnection: "
        "close\r\n\r\n");
}

TEMPLATE_TEST_CASE("a response is complete by its own framing", "", STREAMS) {
  SECTION("Content-Length") {
    const auto r = got<TestType>("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\nhello, and what is too much");
    CHECK_FALSE(r.error);
    CHECK(r.content == "hello");
    CHECK(r.announced == "200 ");
    CHECK(r.head.header.find("a") == "b");
    CHECK(r.head.reason == "OK");
  }
  SECTION("chunked") {
    const auto r = got<TestType>(
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n1\r\n!\r\n0\r\nT: u\r\n\r\n");
    CHECK_FALSE(r.error);
    CHECK(r.content == "hello!");
    CHECK(r.head.status == status_code::not_found);
  }
  SECTION("the close") {
    const auto r = got<TestType>("HTTP/1.0 200 OK\r\n\r\nhello", then::end);
    CHECK_FALSE(r.error);
    CHECK(r.content == "hello");
  }
  SECTION("nothing at all") {
    CHECK_FALSE(got<TestType>("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").error);
  }
  SECTION("after interim responses") {
    const auto r = got<TestType>(
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
        "1\r\n\r\nx");
    CHECK_FALSE(r.error);
    CHECK(r.announced == "200 ");
    CHECK(r.content == "x");
    CHECK_FALSE(r.head.header.find("Link"));
  }
  SECTION("HEAD") {
    get_options options;
    options.method = "HEAD";
    const auto r = got<TestType>("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", then::stay, options);
    CHECK_FALSE(r.error);
    CHECK(r.content.empty());
  }
}

TEMPLATE_TEST_CASE("a response that is not complete is an error", "", STREAMS) {
  using e = client_error;
  CHECK(got<TestType>("", then::end).error == e::no_response);
  CHECK(got<TestType>("HTTP/1.1 20", then::end).error == e::truncated);
  CHECK(got<TestType>("HTTP/1.1 200 OK\r\nA: b\r\n", then::end).error == e::truncated);
  CHECK(got<TestType>("HTTP/1.1 100 Continue\r\n\r\n", then::end).error == e::no_response);
  const auto cut = got<TestType>("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", then::end);
  CHECK(cut.error == e::truncated);
  CHECK(cut.content == "hell");
  CHECK(got<TestType>("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", then::end).error ==
        e::truncated);
  CHECK(got<TestType>("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", then::end).error ==
        e::truncated);
  CHECK(got<TestType>("", then::reset).error == e::reset);
  CHECK(got<TestType>("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", then::reset).error == e::reset);
  CHECK(got<TestType>("HTTP/1.1 200 OK\r\n\r\nhell", then::reset).error == e::reset);
}

TEMPLATE_TEST_CASE("a response that breaks a rule is refused with the rule", "", STREAMS) {
  const auto r = got<TestType>("SSH-2.0-OpenSSH\r\n");
  CHECK(r.error == client_error::bad_response);
  CHECK(r.message.find("this is not an HTTP response") != std::string::npos);
  CHECK(got<TestType>("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n").error ==
        client_error::bad_response);
}

TEST_CASE("what the sink throws ends the fetch and reaches the caller") {
  asio::io_context io;
  memory_stream stream(io);
  auto peer = stream.other_end();
  peer.sends("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  const sink full{[](const response_head&) {}, [](auto) { throw std::runtime_error("disk full"); }};
  std::string said;
  const url from{"a", 80, "/"};
  const get_options options;
  asio::co_spawn(io, get(stream, from, options, full), [&](std::exception_ptr e, const response_head&) {
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& x) {
      said = x.what();
    }
  });
  io.poll();
  CHECK(said == "disk full");
}

namespace {

// Fetches from servers that each say one thing, by host and port.
outcome fetched(const std::map<std::string, std::string>& web, const std::string& from, unsigned max_redirects = 10) {
  outcome out;
  asio::io_context io;
  const auto connect = [&](const std::string& host, std::uint16_t port) -> asio::awaitable<memory_stream> {
    const auto name = host + ":" + std::to_string(port);
    out.request += name + " ";
    if (web.count(name) == 0) throw std::system_error(asio::error::host_not_found);
    memory_stream stream(io);
    stream.other_end().sends(web.at(name));
    co_return stream;
  };
  get_options options;
  options.max_redirects = max_redirects;
  const auto to = into(out);
  asio::co_spawn(io, fetch(connect, *parse_url(from), options, to),
                 [&](std::exception_ptr e, response_head h) { finish(out, e, std::move(h)); });
  io.poll();
  return out;
}

std::string moved(const std::string& to) {
  return "HTTP/1.1 302 Found\r\nLocation: " + to + "\r\nContent-Length: 5\r\n\r\nmoved";
}

const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";

}  // namespace

TEST_CASE("redirects are followed, and only the last response reaches the sink") {
  const auto r =
      fetched({{"a:80", moved("//b:81/x")}, {"b:81", moved("http://[::1]:82/y")}, {"::1:82", fine}}, "http://a/");
  CHECK_FALSE(r.error);
  CHECK(r.request == "a:80 b:81 ::1:82 ");
  CHECK(r.announced == "200 ");
  CHECK(r.content == "fine");
}

TEST_CASE("redirects end somewhere") {
  const auto r = fetched({{"a:80", moved("/again")}}, "a", 3);
  CHECK(r.error == client_error::too_many_redirects);
  CHECK(r.request == "a:80 a:80 a:80 a:80 ");
  CHECK(r.announced.empty());
}

TEST_CASE("a redirect to what is not spoken here is an error; one without a Location is a response") {
  CHECK(fetched({{"a:80", moved("https://a/")}}, "a").error == client_error::unsupported_redirect);
  const auto r = fetched({{"a:80", "HTTP/1.1 301 Moved Permanently\r\nContent-Length: 1\r\n\r\nx"}}, "a");
  CHECK_FALSE(r.error);
  CHECK(r.announced == "301 ");
  CHECK(r.content == "x");
}

TEST_CASE("what the connector throws reaches the caller") {
  CHECK(fetched({}, "a").error == asio::error::host_not_found);
}

TEST_CASE("errors read like sentences") {
  for (int i = 1; i <= 7; ++i)
    CHECK(std::error_code(static_cast<client_error>(i)).message().find(' ') != std::string::npos);
}
