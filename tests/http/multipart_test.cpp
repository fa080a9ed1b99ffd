#include "http/core/multipart.hpp"

#include <catch2/catch.hpp>

#include "http/core/parameters.hpp"
#include "tests/http/support/guarded.hpp"

using namespace tunic::http;
using event = multipart_reader::event;

namespace {

// What a reader says of a content that comes in pieces of so many octets: "[fields]content" a part, and how it ends.
std::string read(std::string_view content, std::size_t piece, std::string_view boundary = "b") {
  multipart_reader reader(boundary);
  std::string all;
  while (!content.empty()) {
    const test::guarded octets(content.substr(0, piece));
    content.remove_prefix(octets.octets().size());
    for (auto input = octets.octets();;) {
      const auto happened = reader.next(input);
      if (happened == event::need_more) break;
      if (happened == event::part) all.append("[").append(reader.header().wire()).append("]");
      if (happened == event::content)
        all.append(reinterpret_cast<const char*>(reader.body().data()), reader.body().size());
      if (happened == event::part_end) all.append("|");
      if (happened == event::end) all.append("end");
      if (happened == event::failed) return all.append("failed: ").append(reader.error());
    }
  }
  return reader.complete() ? all : all.append("cut short");
}

// The same by whatever pieces it comes.
std::string read(std::string_view content, std::string_view boundary = "b") {
  const auto whole = read(content, content.size(), boundary);
  for (std::size_t piece = 1; piece < content.size(); ++piece) {
    CAPTURE(piece);
    CHECK(read(content, piece, boundary) == whole);
  }
  return whole;
}

}  // namespace

TEST_CASE("the parts of a multipart content, by whatever pieces it comes (RFC 2046 §5.1.1)") {
  CHECK(read("--b\r\nA: 1\r\n\r\nx\r\n--b\r\n\r\nyy\r\n--b--\r\n") == "[A: 1\r\n]x|[]yy|end");
  CHECK(read("preamble\r\n--b\r\nA: 1\r\nB: 2\r\n\r\n\r\n--b--epilogue\r\n--b\r\n") == "[A: 1\r\nB: 2\r\n]|end");
  CHECK(read("\r\n--b \t\r\n\r\nx\r\n--b--") == "[]x|end");
  CHECK(read("--b\r\n\r\n--b--") == "[]|end");
  CHECK(read("--b--") == "end");
}

TEST_CASE("what only looks like a delimiter is content") {
  CHECK(read("--b\r\n\r\n\r\n\r\n--\r\n--a\r--b\r\n-\r\n\r\r\n--b--") == "[]\r\n\r\n--\r\n--a\r--b\r\n-\r\n\r|end");
  CHECK(read("--b\r\n\r\n--c\n--b\r\n--b--") == "[]--c\n--b|end");
  CHECK(read("--a-b\r\n\r\n\r\n--a-\r\n--a-b--", "a-b") == "[]\r\n--a-|end");
}

TEST_CASE("a multipart content that breaks the grammar fails") {
  CHECK(read("--b\r\nno colon\r\n\r\n") == "failed: a malformed field of a part");
  CHECK(read("--b\r\nA : 1\r\n\r\n") == "failed: a malformed field of a part");
  CHECK(read("--b\r\nA: 1\n\r\n") == "failed: a line of a part does not end in CRLF");
  CHECK(read("--bx\r\n\r\n") == "failed: something follows a boundary");
  CHECK(read("--b\r\nA: " + std::string(17'000, 'a'), 1000) == "failed: the fields of a part are too large");
  std::string many = "--b\r\n";
  for (int i = 0; i < 2000; ++i) many += "A: 12345\r\n";
  CHECK(read(many, 1000) == "failed: the fields of a part are too large");
}

TEST_CASE("a multipart content without its closing delimiter is cut short") {
  CHECK(read("--b\r\n\r\nx\r\n--b\r\n") == "[]x|cut short");
  CHECK(read("--b\r\n\r\nx\r\n--") == "[]xcut short");
  CHECK(read("x") == "cut short");
}

TEST_CASE("a content of any size passes through in pieces as large as the input's") {
  multipart_reader reader("b");
  const std::string begin = "--b\r\n\r\n", much(100'000, '\r');
  auto input = std::as_bytes(std::span(begin));
  REQUIRE(reader.next(input) == event::part);
  std::size_t octets = 0;
  for (auto rest = std::as_bytes(std::span(much)); reader.next(rest) == event::content;) octets += reader.body().size();
  CHECK(octets >= much.size() - 1);
  const std::string plain(100'000, 'x');
  auto rest = std::as_bytes(std::span(plain));
  REQUIRE(reader.next(rest) == event::content);  // the last CR of before
  REQUIRE(reader.next(rest) == event::content);
  CHECK(reader.body().size() == plain.size());
}

TEST_CASE("the boundary that a Content-Type names") {
  CHECK(multipart_boundary("multipart/form-data; boundary=abc", "form-data") == "abc");
  CHECK(multipart_boundary("Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b:c\"", "form-data") == "a b:c");
  for (const std::string bad : {"multipart/mixed; boundary=abc", "multipart/form-data",
                                "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a \"",
                                "multipart/form-data; boundary=\"a\\\"b\"", "multipart/form-data; boundary=a b"})
    CHECK_FALSE(multipart_boundary(bad, "form-data"));
  CHECK(multipart_boundary("multipart/form-data; boundary=" + std::string(70, 'x'), "form-data"));
  CHECK_FALSE(multipart_boundary("multipart/form-data; boundary=" + std::string(71, 'x'), "form-data"));
}

TEST_CASE("parameters of a value (RFC 9110 §5.6.6)") {
  const parameterized p("form-data; name=\"a;\\\"b\\\"\"; filename=x.txt;;");
  CHECK(p.value() == "form-data");
  CHECK(p.parameter("NAME") == "a;\"b\"");
  CHECK(p.parameter("filename") == "x.txt");
  CHECK_FALSE(p.parameter("size"));
  CHECK(p.for_each([](auto, auto) {}));
  for (const auto bad : {"a; b", "a; b=", "a; =c", "a; b=\"c", "a; b=c d", "a; b =c"})
    CHECK_FALSE(parameterized(bad).for_each([](auto, auto) {}));
}
