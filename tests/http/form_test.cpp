#include "http/core/form.hpp"

#include <catch2/catch.hpp>

#include "http/core/cookie.hpp"

using namespace tunic::http;

TEST_CASE("a form is read as browsers send it") {
  CHECK(parse_form("username=user123&password=pass456") ==
        form_fields{{"username", "user123"}, {"password", "pass456"}});
  CHECK(parse_form("a=b+c%20d&%C3%A4=%c3%bc") == form_fields{{"a", "b c d"}, {"ä", "ü"}});
  CHECK(parse_form("a=1&a=2&b&=c&&d==e&") == form_fields{{"a", "1"}, {"a", "2"}, {"b", ""}, {"", "c"}, {"d", "=e"}});
  CHECK(parse_form("a=100%&b=%zz&c=%4") == form_fields{{"a", "100%"}, {"b", "%zz"}, {"c", "%4"}});
  CHECK(parse_form("a=%00b") == form_fields{{"a", std::string("\0b", 2)}});
  CHECK(parse_form("").empty());
  CHECK(value_of(parse_form("a=1&b=2&b=3"), "b") == "2");
  CHECK(value_of(parse_form("a=1"), "b").empty());
}

TEST_CASE("cookies of a request (RFC 6265 §4.2)") {
  fields header;
  header.add("Cookie", "a=1; b=\"x y\";c= ;d=e=f; g; =h");
  header.add("cookie", "a=2");
  using pairs = std::vector<std::pair<std::string_view, std::string_view>>;
  CHECK(cookies_of(header) == pairs{{"a", "1"}, {"b", "\"x y\""}, {"c", ""}, {"d", "e=f"}, {"a", "2"}});
  CHECK(cookies_of({}).empty());
}

TEST_CASE("a cookie is set with what keeps it safe, unless asked otherwise (RFC 6265 §4.1)") {
  CHECK(set_cookie{.name = "a", .value = "1"}.text() == "a=1; Path=/; HttpOnly; SameSite=Lax");
  set_cookie all{.name = "a", .value = "", .domain = "example.com", .path = "/x", .max_age = std::chrono::seconds{60}};
  all.secure = true;
  all.http_only = false;
  all.same_site = "None";
  CHECK(all.text() == "a=; Domain=example.com; Path=/x; Max-Age=60; Secure; SameSite=None");
}

TEST_CASE("no part of a cookie breaks out of its place") {
  CHECK_THROWS_AS((set_cookie{.name = "a b", .value = "1"}.text()), std::invalid_argument);
  CHECK_THROWS_AS((set_cookie{.name = "", .value = "1"}.text()), std::invalid_argument);
  for (const auto value : {"1; Secure", "a b", "a,b", "a\"b", "a\\b", "a\r\nb", "\x7f", "\xc3\xa4"})
    CHECK_THROWS_AS((set_cookie{.name = "a", .value = value}.text()), std::invalid_argument);
  CHECK_THROWS_AS((set_cookie{.name = "a", .value = "1", .path = "/; Domain=x"}.text()), std::invalid_argument);
  CHECK_THROWS_AS((set_cookie{.name = "a", .value = "1", .domain = "x\r\ny"}.text()), std::invalid_argument);
  CHECK_THROWS_AS((set_cookie{.name = "a", .value = "1", .same_site = "lax"}.text()), std::invalid_argument);
}
