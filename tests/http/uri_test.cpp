#include "http/core/uri.hpp"

#include <catch2/catch.hpp>

using namespace tunic::http;

TEST_CASE("an http URL is taken apart") {
  CHECK(parse_url("http://Example.COM") == url{"example.com", 80, "/"});
  CHECK(parse_url("http://a:8080/b/c?d=e#f") == url{"a", 8080, "/b/c?d=e"});
  CHECK(parse_url("http://a?q") == url{"a", 80, "/?q"});
  CHECK(parse_url("http://[2001:db8::1]:81/") == url{"2001:db8::1", 81, "/"});
  CHECK(parse_url("HTTP://a:/") == url{"a", 80, "/"});
  CHECK(parse_url("198.51.100.2:8080/x") == url{"198.51.100.2", 8080, "/x"});
  CHECK(parse_url("a/?u=http://b") == url{"a", 80, "/?u=http://b"});
  CHECK(parse_url("http://a/b c\xc3\xa4") == url{"a", 80, "/b%20c%C3%A4"});
  for (const auto bad : {"", "http://", "https://a/", "ftp://a", "http://u:p@a/", "http://a:0/", "http://a:65536/",
                         "http://a:x/", "http:///b", "mailto:a", "http://a b/"})
    CHECK_FALSE(parse_url(bad));
}

TEST_CASE("the authority leaves the default port out and puts an IPv6 address in brackets") {
  CHECK(url{"a", 80, "/"}.authority() == "a");
  CHECK(url{"a", 81, "/"}.authority() == "a:81");
  CHECK(url{"2001:db8::1", 80, "/x"}.text() == "http://[2001:db8::1]/x");
}

TEST_CASE("a reference is resolved against a base (RFC 3986 §5.4)") {
  const url base{"a", 8080, "/b/c/d;p?q"};
  const auto at = [&](std::string_view reference) {
    const auto to = resolve(base, reference);
    return to ? to->text() : "";
  };
  CHECK(at("g") == "http://a:8080/b/c/g");
  CHECK(at("./g/") == "http://a:8080/b/c/g/");
  CHECK(at("/g") == "http://a:8080/g");
  CHECK(at("//g") == "http://g/");
  CHECK(at("?y") == "http://a:8080/b/c/d;p?y");
  CHECK(at("g?y/./x") == "http://a:8080/b/c/g?y/./x");
  CHECK(at("") == "http://a:8080/b/c/d;p?q");
  CHECK(at("..") == "http://a:8080/b/");
  CHECK(at("../../../g") == "http://a:8080/g");
  CHECK(at("http://h/i#j") == "http://h/i");
  CHECK(at("https://h/i").empty());
  CHECK(at("g:h").empty());
}

TEST_CASE("dot segments go, and nothing gets above the root (RFC 3986 §5.2.4)") {
  CHECK(remove_dot_segments("/a/b/c/./../../g") == "/a/g");
  CHECK(remove_dot_segments("/../../etc") == "/etc");
  CHECK(remove_dot_segments("/a/..") == "/");
  CHECK(remove_dot_segments("/a/.") == "/a/");
  CHECK(remove_dot_segments("/...") == "/...");
}

TEST_CASE("a target names a decoded path without dot segments") {
  const auto path = [](std::string_view target) {
    std::string out;
    return decode_path(target, out) ? out : "refused";
  };
  CHECK(path("/") == "/");
  CHECK(path("/a%20b?c%zz") == "/a b");
  CHECK(path("/%2e%2e/%2e%2e/etc/passwd") == "/etc/passwd");
  CHECK(path("/a/..%2f..%2fetc") == "/etc");
  CHECK(path("//evil//x") == "/evil/x");
  CHECK(path("/.//../x") == "/x");
  CHECK(path("http://host/a/b?c") == "/a/b");
  CHECK(path("http://host") == "/");
  CHECK(path("http://host?q=/x") == "/");
  for (const auto bad : {"/%", "/%4", "/%zz", "/a%00b", "*", "host:80", ""}) CHECK(path(bad) == "refused");
}

TEST_CASE("a path is encoded for a Location") {
  CHECK(encode_path("/a b/\xc3\xa4?#%") == "/a%20b/%C3%A4%3F%23%25");
  CHECK(encode_path("/a\r\nb") == "/a%0D%0Ab");
}

TEST_CASE("the query is what follows the first question mark") {
  CHECK(query_of("/a?b?c") == "b?c");
  CHECK(query_of("/a").empty());
}
