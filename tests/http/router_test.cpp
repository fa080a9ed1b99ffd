#include "http/server/router.hpp"

#include <catch2/catch.hpp>

#include "http/server/error_pages.hpp"
#include "http/server/hosts.hpp"

using namespace tunic::http;

namespace {

response ask(handler& h, const std::string& method, const std::string& path, const std::string& host = "") {
  request in;
  in.method = method;
  in.target = path;
  in.path = path;
  if (!host.empty()) in.header.add("Host", host);
  response out;
  REQUIRE_FALSE(h.handle(in, out).valid());
  return out;
}

std::string text(const response& r) {
  const auto* octets = std::get_if<shared_octets>(&r.content);
  return octets ? std::string(reinterpret_cast<const char*>(octets->octets.data()), octets->octets.size()) : "";
}

// Says which route it is, and what the parameters are.
auto told(const std::string& name) {
  return [name](const request& in) {
    std::string all = name;
    for (const auto& [n, value] : in.parameters) all += " " + n + "=" + value;
    return response::text(all);
  };
}

std::string allow(const response& r) {
  return std::string(r.head.header.find("Allow").value_or(""));
}

}  // namespace

TEST_CASE("a router goes by path and method") {
  router r;
  r.get("/", told("root")).get("/a/b", told("b")).post("/a/b", told("post")).any("/any", told("any"));
  CHECK(text(ask(r, "GET", "/")) == "root");
  CHECK(text(ask(r, "GET", "/a/b")) == "b");
  CHECK(text(ask(r, "HEAD", "/a/b")) == "b");
  CHECK(text(ask(r, "POST", "/a/b")) == "post");
  CHECK(text(ask(r, "BREW", "/any")) == "any");
  for (const auto path : {"/a", "/a/", "/a/b/", "/A/b", "/a/b/c", "/b"})
    CHECK(ask(r, "GET", path).head.status == status_code::not_found);
}

TEST_CASE("a path without that method says which ones it has (RFC 9110 §15.5.6)") {
  router r;
  r.get("/a", told("get")).on("PUT", "/a", told("put")).post("/b", told("post"));
  CHECK(ask(r, "DELETE", "/a").head.status == status_code::method_not_allowed);
  CHECK(allow(ask(r, "DELETE", "/a")) == "OPTIONS, GET, PUT, HEAD");
  CHECK(ask(r, "BREW", "/a").head.status == status_code::not_implemented);
  CHECK(ask(r, "OPTIONS", "/b").head.status == status_code::no_content);
  CHECK(allow(ask(r, "OPTIONS", "/b")) == "OPTIONS, POST");
  CHECK(ask(r, "HEAD", "/b").head.status == status_code::method_not_allowed);
  CHECK(ask(r, "OPTIONS", "*").head.status == status_code::no_content);
  CHECK(allow(ask(r, "OPTIONS", "*")).find("GET") != std::string::npos);
  CHECK(ask(r, "CONNECT", "a:80").head.status == status_code::method_not_allowed);
}

TEST_CASE("segments with a name match any text, and text goes first") {
  router r;
  r.get("/users/{id}", told("user")).get("/users/me", told("me")).get("/users/{id}/files/{path...}", told("files"));
  r.get("/users/me/photo", told("photo")).get("/{rest...}", told("rest"));
  CHECK(text(ask(r, "GET", "/users/7")) == "user id=7");
  CHECK(text(ask(r, "GET", "/users/me")) == "me");
  CHECK(text(ask(r, "GET", "/users/me/photo")) == "photo");
  CHECK(text(ask(r, "GET", "/users/me/files/a/b")) == "files id=me path=a/b");
  CHECK(text(ask(r, "GET", "/users/7/files/")) == "files id=7 path=");
  CHECK(text(ask(r, "GET", "/users/7/photo")) == "rest rest=users/7/photo");
  CHECK(text(ask(r, "GET", "/users/")) == "rest rest=users/");
  CHECK(text(ask(r, "GET", "/")) == "rest rest=");
}

TEST_CASE("otherwise() takes what has no pattern, and a router may be beneath another") {
  const auto inner = std::make_shared<router>();
  inner->get("/api/{version}/x", told("inner"));
  router r;
  r.get("/a", told("a")).any("/api/{rest...}", inner).otherwise(told("otherwise"));
  CHECK(text(ask(r, "GET", "/b")) == "otherwise");
  CHECK(ask(r, "POST", "/a").head.status == status_code::method_not_allowed);
  CHECK(text(ask(r, "GET", "/api/2/x")) == "inner rest=2/x version=2");
}

TEST_CASE("a pattern that says nothing clear is refused when it is added") {
  router r;
  for (const auto bad : {"", "a", "/{", "/{}", "/a{b}", "/{a}b", "/{...}", "/{a...}/b", "/a}"})
    CHECK_THROWS_AS(r.get(bad, told("")), std::invalid_argument);
  r.get("/x/{a}", told(""));
  CHECK_THROWS_AS(r.post("/x/{b}", told("")), std::invalid_argument);
  CHECK_THROWS_AS(r.get("/x/{a}", told("")), std::logic_error);
}

TEST_CASE("a site of its own for each host (RFC 9110 §7.2)") {
  hosts h;
  h.on("a.example", told("a"))
      .on("*.example", told("below"))
      .on("*.b.example", told("b"))
      .on("[2001:db8::1]", told("six"));
  CHECK(text(ask(h, "GET", "/", "a.example")) == "a");
  CHECK(text(ask(h, "GET", "/", "A.Example:8080")) == "a");
  CHECK(text(ask(h, "GET", "/", "a.example.")) == "a");
  CHECK(text(ask(h, "GET", "/", "x.example")) == "below");
  CHECK(text(ask(h, "GET", "/", "x.y.example")) == "below");
  CHECK(text(ask(h, "GET", "/", "x.b.example")) == "b");
  CHECK(text(ask(h, "GET", "/", "[2001:DB8::1]:80")) == "six");
  CHECK(ask(h, "GET", "/", "example").head.status == status_code::misdirected_request);
  CHECK(ask(h, "GET", "/").head.status == status_code::misdirected_request);
  // RFC 9112 §3.2.2: the target has the last word
  CHECK(text(ask(h, "GET", "http://a.example/x", "other")) == "a");
  h.otherwise(told("otherwise"));
  CHECK(text(ask(h, "GET", "/", "other")) == "otherwise");
}

TEST_CASE("a refusal has a page of its own where there is one") {
  const auto r = std::make_shared<router>();
  r->get("/refused", [](const request&) -> response { throw refusal(status_code::forbidden, "no"); });
  error_pages pages(r);
  pages.on(status_code::not_found, "<p>lost?").on(status_code::forbidden, "<p>no.");
  CHECK(text(ask(pages, "GET", "/x")) == "<p>lost?");
  CHECK(ask(pages, "GET", "/x").head.status == status_code::not_found);
  CHECK(ask(pages, "GET", "/x").head.header.find("Content-Type") == "text/html; charset=utf-8");
  CHECK(text(ask(pages, "GET", "/refused")) == "<p>no.");
  CHECK(text(ask(pages, "POST", "/refused")) == "405 Method Not Allowed\n");
}
