#include "http/core/reader.hpp"

#include <catch2/catch.hpp>

#include "tests/http/support/transcript.hpp"

using namespace tunic::http;
using test::lines;

namespace {

lines read_request(std::string_view text, std::size_t piece, std::size_t messages, const limits& bounds = {}) {
  request_head head;
  request_reader reader(head, bounds);
  return test::feed(reader, text, piece, messages);
}

// Whole, octet by octet, in threes, and with octets behind it that must make no difference.
void check_request(const std::string& text, const lines& expected) {
  INFO(text);
  for (const std::size_t piece : {text.size(), std::size_t{1}, std::size_t{3}}) {
    CHECK(read_request(text, piece, 1) == expected);
    CHECK(read_request(text + "GET /next HT", piece, 1) == expected);
    CHECK(read_request(text + std::string(3, '\0'), piece, 1) == expected);
  }
}

void check_response(const std::string& text, std::string_view method, const lines& expected) {
  INFO(text);
  for (const std::size_t piece : {text.size(), std::size_t{1}, std::size_t{3}}) {
    response_head head;
    const limits bounds = limits::client();
    response_reader reader(head, method, bounds);
    CHECK(test::feed(reader, text, piece, 1) == expected);
  }
}

}  // namespace

TEST_CASE("valid requests are read whole, octet by octet and with trailing octets") {
  check_request("GET / HTTP/1.1\r\nHost: a\r\n\r\n", {"head", "end"});
  check_request("GET / HTTP/1.0\r\n\r\n", {"head", "end"});
  check_request("GET / HTTP/1.9\r\nHost: a\r\n\r\n", {"head", "end"});
  check_request("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", {"head", "end"});
  check_request("GET /?a[]=b|{c}^`\\ HTTP/1.1\r\nHost: a\r\n\r\n", {"head", "end"});
  check_request("GET http://a:80/b?c HTTP/1.1\r\nHost: a\r\n\r\n", {"head", "end"});
  check_request("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {"head", "end"});
  check_request("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", {"head", "end"});
  check_request("X-OWN / HTTP/1.1\r\nHost:a\r\nEmpty:\r\nObs: \xc3\xa4\r\n\r\n", {"head", "end"});
  check_request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", {"head", "body hello", "end"});
  check_request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", {"head", "end"});
  check_request(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=\"y\"\r\n world\r\n0\r\n\r\n",
      {"head", "body hello world", "end"});
  check_request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n",
                {"head", "end"});
}

TEST_CASE("the head of a request is taken apart") {
  request_head head;
  const limits bounds;
  request_reader reader(head, bounds);
  test::feed(reader, "PUT /a?b HTTP/1.0\r\nHost: \t x \t\r\nA: 1\r\na: 2\r\n\r\n", 7);
  CHECK(head.method == "PUT");
  CHECK(head.target == "/a?b");
  CHECK(head.version == protocol_version::http_1_0);
  CHECK(head.header.wire() == "Host: x\r\nA: 1\r\na: 2\r\n");
}

TEST_CASE("pipelined requests are read one after the other, and each begins afresh") {
  const std::string text =
      "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nX: y\r\n\r\nhiGET /2 HTTP/1.1\r\nHost: b\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1}, text.size()}) {
    request_head head;
    const limits bounds;
    request_reader reader(head, bounds);
    CHECK(test::feed(reader, text, piece) == lines{"head", "body hi", "end", "head", "end"});
    CHECK(head.target == "/2");
    CHECK(head.header.wire() == "Host: b\r\n");
    CHECK(reader.between_messages());
  }
}

TEST_CASE("each bound is kept: one octet more is refused with its status") {
  limits bounds;
  bounds.start_line = 40;
  bounds.field_line = 30;
  bounds.head = 60;
  bounds.field_count = 3;
  bounds.chunk_line = 10;
  bounds.body = 8;
  const auto told = [&](const std::string& text) {
    const auto whole = read_request(text, text.size(), 1, bounds);
    CHECK(read_request(text, 1, 1, bounds) == whole);
    return whole.back();
  };
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n";
  CHECK(told("GET /" + std::string(24, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n") == "end");
  CHECK(told("GET /" + std::string(25, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n") == "failed 414");
  CHECK(told("GET /" + std::string(900, 'x')) == "failed 414");  // without waiting for the line's end
  CHECK(told(get + "A: " + std::string(25, 'x') + "\r\n\r\n") == "end");
  CHECK(told(get + "A: " + std::string(26, 'x') + "\r\n\r\n") == "failed 431");
  CHECK(told(get + "A: b\r\nC: d\r\n\r\n") == "end");
  CHECK(told(get + "A: b\r\nC: d\r\nE: f\r\n\r\n") == "failed 431");
  CHECK(told(get + "A: " + std::string(23, 'x') + "\r\nB: " + std::string(23, 'x') + "\r\n\r\n") == "failed 431");
  CHECK(told(get + "Content-Length: 8\r\n\r\n12345678") == "end");
  CHECK(told(get + "Content-Length: 9\r\n\r\n") == "failed 413");
  const std::string chunked = get + "Transfer-Encoding: chunked\r\n\r\n";
  CHECK(told(chunked + "8\r\n12345678\r\n0\r\n\r\n") == "end");
  CHECK(told(chunked + "8\r\n12345678\r\n1\r\n") == "failed 413");
  CHECK(told(chunked + "7fffffffffffff\r\n") == "failed 400");  // the chunk line itself is too long here
  CHECK(told(chunked + "7fffffff\r\n") == "failed 413");
  CHECK(told(chunked + "0\r\nA: b\r\nC: d\r\nE: f\r\nG: h\r\n\r\n") == "failed 431");
}

TEST_CASE("valid responses are read") {
  check_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET", {"head", "body hello", "end"});
  check_response("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", {"head", "end"});
  check_response("HTTP/1.1 204 \r\n\r\n", "GET", {"head", "end"});
  check_response("HTTP/1.1 304\r\nContent-Length: 5\r\n\r\n", "GET", {"head", "end"});
  check_response("HTTP/1.1 100 Continue\r\n\r\n", "GET", {"head", "end"});
  check_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "GET",
                 {"head", "body abc", "end"});
  check_response("HTTP/1.1 200 OK\r\n\r\nabc", "GET", {"head", "body abc"});
}

TEST_CASE("responses that break a rule are refused") {
  for (const auto bad : {"HTTP/1.1 20 OK\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1  200 OK\r\n", "HTTP/1.1 099 X\r\n",
                         "http/1.1 200 OK\r\n", "HTTP/1.1 200 O\x01K\r\n", "HTTP/1.1 200 OK\n", "ICY 200 OK\r\n",
                         "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                         "HTTP/1.1 200 OK\r\nA : b\r\n\r\n"})
    check_response(bad, "GET", {"failed 400"});
}

TEST_CASE("the end of the stream ends a message only where its framing says so") {
  const auto finished = [](std::string_view text) {
    response_head head;
    const limits bounds = limits::client();
    response_reader reader(head, "GET", bounds);
    test::feed(reader, text, text.size());
    return reader.finish();
  };
  CHECK(finished("HTTP/1.1 200 OK\r\n\r\nabc") == event::end);
  CHECK(finished("HTTP/1.1 200 OK\r\n\r\n") == event::end);
  CHECK(finished("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") == event::need_more);  // complete before
  CHECK(finished("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell") == event::failed);
  CHECK(finished("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n") == event::failed);
  CHECK(finished("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n") == event::failed);
  CHECK(finished("HTTP/1.1 200 OK\r\nA: b\r\n") == event::failed);
  CHECK(finished("HTTP/1.1 2") == event::failed);
  CHECK(finished("") == event::need_more);
}
