#include "http/core/grammar.hpp"

#include <catch2/catch.hpp>

using namespace tunic::http;

TEST_CASE("a token is one or more tchar (RFC 9110 §5.6.2)") {
  for (const auto good : {"a", "GET", "x-y", "!#$%&'*+-.^_`|~09azAZ"}) CHECK(grammar::is_token(good));
  for (const auto bad : {"", " ", "a b", "a:b", "a(", "a,b", "a/b", "a\"", "a\x7f", "a\xc3\xa4", "a\t", "[", "{", "@"})
    CHECK_FALSE(grammar::is_token(bad));
}

TEST_CASE("a field value has no control octet but HTAB (RFC 9110 §5.5)") {
  for (unsigned octet = 0; octet < 256; ++octet) {
    const char text[] = {'a', static_cast<char>(octet), 'b'};
    const bool allowed = octet == '\t' || (octet >= 0x20 && octet != 0x7f);
    CHECK(grammar::is_field_value({text, 3}) == allowed);
  }
}

TEST_CASE("Content-Length is digits alone (RFC 9110 §8.6)") {
  CHECK(grammar::parse_length("0") == 0U);
  CHECK_FALSE(grammar::parse_length("000010"));  // octal, to some
  CHECK(grammar::parse_length("4611686018427387904") == 4611686018427387904U);
  for (const auto bad : {"", "+1", "-1", " 1", "1 ", "0x10", "1,1", "1.0", "1e3", "99999999999999999999", "\xd9\xa1"})
    CHECK_FALSE(grammar::parse_length(bad));
}

TEST_CASE("a chunk line is a hexadecimal size and extensions (RFC 9112 §7.1)") {
  CHECK(grammar::parse_chunk_line("0") == 0U);
  CHECK(grammar::parse_chunk_line("1aF") == 0x1afU);
  CHECK(grammar::parse_chunk_line("0000000000000000000005") == 5U);
  CHECK(grammar::parse_chunk_line("5;a") == 5U);
  CHECK(grammar::parse_chunk_line("5;a=b;c=\"q \\\" ; x\"") == 5U);
  CHECK(grammar::parse_chunk_line("5 ; a = b") == 5U);
  for (const auto bad : {"", "g", "0x5", "5_0", "-5", "+5", " 5", "5 ", "5;", "5;=b", "5;a=", "5;a=\"b", "5;a b", "5 a",
                         "5;a=\"b\\", "5\r", "5;a\n", "ffffffffffffffff", "10000000000000000"})
    CHECK_FALSE(grammar::parse_chunk_line(bad));
}

TEST_CASE("Host is a host and perhaps a port (RFC 9110 §7.2)") {
  for (const auto good : {"example.com", "example.com:", "example.com:8080", "198.51.100.2", "[2001:db8::1]",
                          "[2001:db8::1]:80", "a_b~c", "ex%41mple"})
    CHECK(grammar::is_host(good));
  for (const auto bad : {"", ":80", "a b", "user@host", "http://a", "a/b", "a:b", "a:80:80", "a:123456", "[::1", "::1",
                         "[]", "a?b", "a#b", "a%4", "a%zz", "a,b c", "\xc3\xa4"})
    CHECK_FALSE(grammar::is_host(bad));
}

TEST_CASE("elements of a list are trimmed (RFC 9110 §5.6.1)") {
  std::string seen;
  grammar::for_each_element(" a ,b,\t, c", [&](std::string_view e) { seen.append("<").append(e).append(">"); });
  CHECK(seen == "<a><b><><c>");
}
