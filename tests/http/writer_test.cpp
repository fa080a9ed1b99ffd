#include "http/core/writer.hpp"

#include <catch2/catch.hpp>

using namespace tunic::http;

TEST_CASE("heads are written as they travel") {
  std::string out;
  request_head request{"GET", "/a?b", protocol_version::http_1_0, {}};
  request.header.add("Host", "a");
  begin_head(out, request);
  end_head(out);
  CHECK(out == "GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n");

  out.clear();
  response_head response{status_code::not_found, "Ignored", protocol_version::http_1_0, {}};
  response.header.add("A", "b");
  begin_head(out, response);
  append_field(out, "Date", "now");
  append_field(out, "Content-Length", 18446744073709551615ULL);
  end_head(out);
  CHECK(out == "HTTP/1.1 404 Not Found\r\nA: b\r\nDate: now\r\nContent-Length: 18446744073709551615\r\n\r\n");

  out.clear();
  begin_head(out, response_head{static_cast<status_code>(599), {}, {}, {}});
  CHECK(out == "HTTP/1.1 599 \r\n");  // RFC 9112 §4: the space stays without a phrase
}

TEST_CASE("content is chunked (RFC 9112 §7.1)") {
  std::string out;
  body_writer body({framing::kind::chunked, 0});
  for (const std::string_view piece : {"hello", "", "0123456789abcdef"}) {
    REQUIRE(body.begin(out, piece.size()));
    out += piece;
    body.end(out);
  }
  CHECK(body.finish(out));
  CHECK(out == "5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
}

TEST_CASE("an announced length is kept to") {
  std::string out;
  body_writer short_of({framing::kind::length, 5});
  CHECK(short_of.begin(out, 3));
  CHECK_FALSE(short_of.begin(out, 3));
  CHECK_FALSE(short_of.finish(out));

  body_writer exact({framing::kind::length, 5});
  CHECK(exact.begin(out, 5));
  CHECK(exact.finish(out));

  body_writer none({framing::kind::none, 0});
  CHECK_FALSE(none.begin(out, 1));
  CHECK(none.finish(out));
  CHECK(out.empty());
}
