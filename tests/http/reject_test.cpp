// What a server must refuse, one rule a line, each with the status it answers: whole, octet by octet, and with a second
// request behind it that must never be read.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "http/core/reader.hpp"
#include "http/server/server.hpp"
#include "tests/http/support/memory_stream.hpp"
#include "tests/http/support/site.hpp"
#include "tests/http/support/transcript.hpp"

using namespace tunic::http;

namespace {

struct rule {
  const char* name;
  std::string text;
  const char* status;
};

const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n";
const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";

const std::vector<rule> rules{
    // RFC 9112 §2.2, §3: the shape of a line
    {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "400"},
    {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", "400"},
    {"bare LF as the empty line", get + "\n", "400"},
    {"CR alone in the request line", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"CR alone in a field value", get + "A: b\rc\r\n\r\n", "400"},
    {"CR alone as a line's end", "GET / HTTP/1.1\rHost: a\r\n\r\n", "400"},
    {"CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "400"},
    {"several empty lines before the request", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"bare LF before the request", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"HTTP/0.9", "GET /\r\n\r\n", "400"},
    {"two spaces after the method", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"space after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400"},
    {"tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"method that is no token", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"an endless method", std::string(10'000, 'A'), "400"},
    {"an endless target", "GET /" + std::string(10'000, 'a'), "414"},
    {"an endless field line", get + "A: " + std::string(10'000, 'a'), "431"},
    {"TLS", std::string("\x16\x03\x01\x02\x00\x01\x00", 7), "400"},
    // RFC 9112 §2.3
    {"version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", "400"},
    {"version with two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "400"},
    {"version without a minor number", "GET / HTTP/1\r\nHost: a\r\n\r\n", "400"},
    {"another protocol", "GET / ICAP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
    {"HTTP/0.9 by name", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "505"},
    {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
    // RFC 9112 §3.2
    {"non-ASCII octets in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"NUL in the target", std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28), "400"},
    {"control octet in the target", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"DEL in the target", "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"fragment in the target", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"target that is no path", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"\"*\" with GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"\"*\" and more", "OPTIONS *x HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"authority with GET", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"path with CONNECT", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"CONNECT without a port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"absolute-form without a host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"absolute-form with user information", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"absolute-form of another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    // RFC 9112 §3.2: Host
    {"Host missing", "GET / HTTP/1.1\r\n\r\n", "400"},
    {"Host twice", get + "Host: a\r\n\r\n", "400"},
    {"Host twice, in another case", get + "hOST: b\r\n\r\n", "400"},
    {"Host twice in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "400"},
    {"Host empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "400"},
    {"Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
    {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
    {"Host with user information", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400"},
    {"Host with a bad port", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "400"},
    {"Host as a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400"},
    // RFC 9112 §5
    {"obs-fold", get + "A: b\r\n c\r\n\r\n", "400"},
    {"obs-fold with a tab", get + "A: b\r\n\tc\r\n\r\n", "400"},
    {"obs-fold in the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400"},
    {"line of spaces", get + "  \r\n\r\n", "400"},
    {"space before the colon", get + "A : b\r\n\r\n", "400"},
    {"tab before the colon", get + "A\t: b\r\n\r\n", "400"},
    {"field without a colon", get + "A\r\n\r\n", "400"},
    {"empty field name", get + ": b\r\n\r\n", "400"},
    {"field name that is no token", get + "A(b): c\r\n\r\n", "400"},
    {"non-ASCII field name", get + "\xc3\xa4: c\r\n\r\n", "400"},
    {"NUL in a field value", get + std::string("A: b\0c\r\n\r\n", 10), "400"},
    {"NUL in a field name", get + std::string("A\0: c\r\n\r\n", 9), "400"},
    {"control octet in a field value", get + "A: b\x01\r\n\r\n", "400"},
    {"DEL in a field value", get + "A: b\x7f\r\n\r\n", "400"},
    // RFC 9112 §6.2
    {"Content-Length with a plus", post + "Content-Length: +5\r\n\r\nhello", "400"},
    {"Content-Length with a minus", post + "Content-Length: -5\r\n\r\nhello", "400"},
    {"Content-Length with a space within", post + "Content-Length: 5 5\r\n\r\nhello", "400"},
    {"Content-Length in hexadecimal", post + "Content-Length: 0x5\r\n\r\nhello", "400"},
    {"Content-Length with a fraction", post + "Content-Length: 5.0\r\n\r\nhello", "400"},
    {"Content-Length with leading junk", post + "Content-Length: a5\r\n\r\nhello", "400"},
    {"Content-Length with a leading zero", post + "Content-Length: 05\r\n\r\nhello", "400"},
    {"Content-Length of two zeros", post + "Content-Length: 00\r\n\r\n", "400"},
    {"two Content-Types", post + "Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 5\r\n\r\nhello", "400"},
    {"Content-Length empty", post + "Content-Length:\r\n\r\nhello", "400"},
    {"Content-Length beyond 64 bits", post + "Content-Length: 18446744073709551621\r\n\r\nhello", "400"},
    {"two different Content-Lengths", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "400"},
    {"two Content-Lengths in a list", post + "Content-Length: 5, 6\r\n\r\nhello!", "400"},
    {"content too large", post + "Content-Length: 99999999999\r\n\r\n", "413"},
    // RFC 9112 §6.1
    {"both lengths", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
    {"both lengths, the other way", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "400"},
    {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
    {"chunked not last", post + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", "400"},
    {"chunked twice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "400"},
    {"chunked and identity in two lines",
     post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", "400"},
    {"unknown coding alone", post + "Transfer-Encoding: gzip\r\n\r\nhello", "501"},
    {"identity", post + "Transfer-Encoding: identity\r\n\r\nhello", "501"},
    {"nearly chunked", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501"},
    {"chunked behind a vertical tab",
     post + "Transfer-Encoding: \x0b"
            "chunked\r\n\r\n0\r\n\r\n",
     "400"},
    {"Transfer-Encoding empty", post + "Transfer-Encoding:\r\n\r\n", "400"},
    // RFC 9112 §7.1
    {"hex prefix in a chunk size", chunked + "0x5\r\nhello\r\n0\r\n\r\n", "400"},
    {"underscore in a chunk size", chunked + "1_0\r\nhello\r\n0\r\n\r\n", "400"},
    {"sign in a chunk size", chunked + "+5\r\nhello\r\n0\r\n\r\n", "400"},
    {"negative chunk size", chunked + "-5\r\nhello\r\n0\r\n\r\n", "400"},
    {"space before a chunk size", chunked + " 5\r\nhello\r\n0\r\n\r\n", "400"},
    {"space after a chunk size", chunked + "5 \r\nhello\r\n0\r\n\r\n", "400"},
    {"chunk size missing", chunked + "\r\nhello\r\n0\r\n\r\n", "400"},
    {"chunk size beyond 64 bits", chunked + "10000000000000005\r\nhello\r\n0\r\n\r\n", "400"},
    {"bare LF after a chunk size", chunked + "5\nhello\r\n0\r\n\r\n", "400"},
    {"CR alone in a chunk line", chunked + "5\rhello\r\n0\r\n\r\n", "400"},
    {"bare LF after a chunk", chunked + "5\r\nhello\n0\r\n\r\n", "400"},
    {"chunk longer than its size", chunked + "5\r\nhelloX\r\n0\r\n\r\n", "400"},
    {"extension without a name", chunked + "5;\r\nhello\r\n0\r\n\r\n", "400"},
    {"extension without a value", chunked + "5;a=\r\nhello\r\n0\r\n\r\n", "400"},
    {"extension with an open quote", chunked + "5;a=\"b\r\nhello\r\n0\r\n\r\n", "400"},
    {"extension with LF", chunked + "5;a\nhello\r\n0\r\n\r\n", "400"},
    {"NUL in an extension", chunked + std::string("5;a\0\r\nhello\r\n0\r\n\r\n", 19), "400"},
    {"obs-fold in a trailer", chunked + "0\r\nA: b\r\n c\r\n\r\n", "400"},
    {"trailer without a colon", chunked + "0\r\nA\r\n\r\n", "400"},
    {"bare LF as the end of the trailers", chunked + "0\r\n\n", "400"},
};

}  // namespace

TEST_CASE("every rule is refused with its status, and nothing behind it is read") {
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const auto& [name, text, status] : rules) {
    INFO(name);
    for (const auto& octets : {text, text + smuggled}) {
      for (const std::size_t piece : {octets.size(), std::size_t{1}, std::size_t{2}, std::size_t{5}}) {
        request_head head;
        const limits bounds;
        request_reader reader(head, bounds);
        const auto said = test::feed(reader, octets, piece);
        REQUIRE_FALSE(said.empty());
        CHECK(said.back() == std::string("failed ") + status);
        CHECK(std::count(said.begin(), said.end(), "end") == 0);
        CHECK(head.target != "/smuggled");
        auto rest = std::as_bytes(std::span(smuggled));
        CHECK(reader.next(rest) == event::failed);
        CHECK(reader.finish() == event::failed);
      }
    }
  }
}

TEST_CASE("a server answers each rule once, with its status, and closes: what is smuggled behind is never answered") {
  // Such a handler reads the content first, so that a rule about the content decides about the status as well.
  test::site<test::capable_stream> s([](request& in) -> asio::awaitable<response> {
    const auto content = co_await in.content.read_all();
    co_return response::text(in.path + content);
  });
  for (const auto& [name, text, status] : rules) {
    INFO(name);
    for (const bool whole : {true, false}) {
      auto peer = s.connect();
      std::string said;
      const auto octets = text + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
      for (std::size_t i = 0; i < octets.size(); i += whole ? octets.size() : 1)
        said += s.answer(peer, std::string_view(octets).substr(i, whole ? octets.size() : 1));
      CHECK(said.substr(0, 13) == std::string("HTTP/1.1 ") + status + " ");
      CHECK(said.find("Content-Length: ") == said.rfind("Content-Length: "));
      CHECK(said.find("\r\nConnection: close\r\n") != std::string::npos);
      CHECK(said.find("smuggled") == std::string::npos);
      CHECK(peer.sees_end());
      peer.ends();
    }
  }
  s.settle();
  CHECK(s.serving.connections() == 0);
}
