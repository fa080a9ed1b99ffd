#include "http/server/access_log.hpp"

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

#include "http/server/server.hpp"
#include "tests/http/support/memory_stream.hpp"
#include "tests/http/support/site.hpp"

using namespace tunic::http;
using test::capable_stream;
using test::memory_stream;

namespace {

constexpr std::time_t noon = 1795867200;

request asked(const std::string& target, const std::string& agent = "") {
  request in;
  in.method = "GET";
  in.target = target;
  in.header.add("Host", "a.example");
  if (!agent.empty()) in.header.add("User-Agent", agent);
  in.peer = {asio::ip::make_address("198.51.100.1"), 40000};
  return in;
}

}  // namespace

TEST_CASE("a combined line is what Apache and nginx write") {
  auto in = asked("/x?y", "curl/8");
  in.header.add("Referer", "http://b/");
  response_head head;
  head.status = status_code::not_found;
  CHECK(combined_line({in, head, 123, true, {}}, noon) ==
        "198.51.100.1 - - [28/Nov/2026:12:00:00 +0000] \"GET /x?y HTTP/1.1\" 404 123 \"http://b/\" \"curl/8\"");
  const request none;
  CHECK(combined_line({none, head, 0, true, {}}, noon) == "- - - [28/Nov/2026:12:00:00 +0000] \"-\" 404 0 \"-\" \"-\"");
}

TEST_CASE("what a client sends cannot break out of its line") {
  const auto in = asked("/", "a\"b\\c\td\xc3\xa4");
  const response_head head;
  const auto line = combined_line({in, head, 0, true, {}}, noon);
  CHECK(line.ends_with("\"-\" \"a\\\"b\\\\c\\x09d\\xc3\\xa4\""));
  const auto json = nlohmann::json::parse(json_line({asked("/", "a\"\xff"), head, 0, true, {}}, noon));
  CHECK(json["agent"] == "a\"\xef\xbf\xbd");
}

TEST_CASE("a JSON line has all of it") {
  const auto in = asked("/x");
  const response_head head;
  const auto json = nlohmann::json::parse(json_line({in, head, 5, false, std::chrono::milliseconds(1500)}, noon));
  CHECK(json["time"] == "2026-11-28T12:00:00Z");
  CHECK(json["peer"] == "198.51.100.1");
  CHECK(json["method"] == "GET");
  CHECK(json["target"] == "/x");
  CHECK(json["version"] == "HTTP/1.1");
  CHECK(json["host"] == "a.example");
  CHECK(json["status"] == 200);
  CHECK(json["octets"] == 5);
  CHECK(json["seconds"] == 1.5);
  CHECK(json["whole"] == false);
  CHECK_FALSE(json.contains("agent"));
}

TEMPLATE_TEST_CASE("every response is told once, with what was sent", "", memory_stream, capable_stream) {
  auto options = test::patient();
  std::string told;
  options.on_answered = [&](const answered& what) {
    told += what.in.method + " " + what.in.target + " " + std::to_string(number(what.head.status)) + " " +
            std::to_string(what.content) + (what.whole ? "; " : " cut; ");
  };
  const std::string large(100'000, 'x');
  test::site<TestType> s(
      [&](const request& in) -> response {
        if (in.path == "/large") return response::text(large);
        if (in.path == "/missing") throw refusal(status_code::not_found, "no");
        if (in.path == "/stream" || in.path == "/fails")
          return response::stream("text/plain",
                                  [fails = in.path == "/fails"](content_sink& to) -> asio::awaitable<void> {
                                    co_await to.write(std::string_view("abc"));
                                    if (fails) throw std::runtime_error("no");
                                  });
        return response::text("ok");
      },
      options);
  const auto get = [](const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n"; };
  s.ask(get("/") + get("/large") + get("/missing") + get("/stream") + "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" +
        get("/fails"));
  CHECK(told ==
        "GET / 200 2; GET /large 200 100000; GET /missing 404 18; GET /stream 200 3; HEAD / 200 0; "
        "GET /fails 200 3 cut; ");
  told.clear();
  s.ask("GET /a b HTTP/1.1\r\n");
  s.ask("\x16\x03\x01");
  CHECK(told == "  400 67;   400 45; ");
}
