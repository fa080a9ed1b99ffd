#include "http/server/static_files.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <vector>

#include <catch2/catch.hpp>

#include "http/core/date.hpp"
#include "http/server/media_type.hpp"
#include "tests/http/support/memory_stream.hpp"
#include "tests/http/support/site.hpp"
#include "tests/http/support/temporary_folder.hpp"

using namespace tunic::http;
using test::capable_stream;
using test::memory_stream;

namespace {

struct folder_site {
  test::temporary_folder outside, root;
  static_files files{root.path().string()};

  response get(const std::string& path, std::vector<std::pair<std::string, std::string>> header = {},
               const std::string& method = "GET") {
    request in;
    in.method = method;
    in.target = path;
    for (const auto& [name, value] : header) in.header.add(name, value);
    response out;
    if (!decode_path(path, in.path)) return response::error(status_code::bad_request);
    REQUIRE_FALSE(files.handle(in, out).valid());
    return out;
  }
  unsigned status(const std::string& path) { return number(get(path).head.status); }
};

std::string content(const response& r) {
  const auto* octets = std::get_if<shared_octets>(&r.content);
  return octets ? std::string(reinterpret_cast<const char*>(octets->octets.data()), octets->octets.size()) : "";
}

std::string field_of(const response& r, std::string_view name) {
  return std::string(r.head.header.find(name).value_or(""));
}

}  // namespace

TEST_CASE("a file is served with its type, date and entity tag") {
  folder_site s;
  s.root.write("a b.html", "<p>");
  const auto r = s.get("/a%20b.html");
  CHECK(r.head.status == status_code::ok);
  CHECK(content(r) == "<p>");
  CHECK(field_of(r, "Content-Type") == "text/html; charset=utf-8");
  CHECK(parse_imf_fixdate(field_of(r, "Last-Modified")));
  CHECK(field_of(r, "ETag").front() == '"');
}

TEST_CASE("a directory is served by its index, after a redirect to its slash") {
  folder_site s;
  s.root.write("index.html", "root");
  s.root.write("d e/index.html", "below");
  s.root.write("empty/x", "");
  CHECK(content(s.get("/")) == "root");
  CHECK(content(s.get("/d%20e/")) == "below");
  const auto r = s.get("/d%20e?q=1");
  CHECK(r.head.status == status_code::moved_permanently);
  CHECK(field_of(r, "Location") == "/d%20e/?q=1");
  CHECK(s.status("/empty/") == 403);
  CHECK(s.status("/empty/x") == 200);
  CHECK(s.status("/empty/x/") == 404);
}

TEST_CASE("a redirect never leads to another host") {
  folder_site s;
  s.root.write("evil.example/x", "");
  CHECK(field_of(s.get("//evil.example"), "Location") == "/evil.example/");
  CHECK(field_of(s.get("/%2fevil.example"), "Location") == "/evil.example/");
}

TEST_CASE("there is no way out of the root") {
  folder_site s;
  s.outside.write("secret", "secret");
  const auto name = s.outside.path().filename().string();
  for (const std::string up : {"/..", "/%2e%2e", "/%2E.", "/..%2f..", "/a/../..", "/./..", "/..;", "/...", "/..%5c"})
    CHECK(s.status(up + "/" + name + "/secret") == 404);
  CHECK(s.status("/a%00b") == 400);

  namespace fs = std::filesystem;
  fs::create_symlink(s.outside.path() / "secret", s.root.path() / "absolute");
  fs::create_symlink("../" + name + "/secret", s.root.path() / "relative");
  fs::create_directory_symlink(s.outside.path(), s.root.path() / "folder");
  fs::create_symlink("loop", s.root.path() / "loop");
  CHECK(s.status("/absolute") == 403);
  CHECK(s.status("/relative") == 403);
  CHECK(s.status("/folder/secret") == 403);
  CHECK(s.status("/loop") == 403);

  s.root.write("inside", "inside");
  fs::create_symlink("inside", s.root.path() / "link");
  CHECK(content(s.get("/link")) == "inside");
}

TEST_CASE("what is no regular file is refused") {
  folder_site s;
  REQUIRE(::mkfifo((s.root.path() / "fifo").c_str(), 0600) == 0);
  CHECK(s.status("/fifo") == 403);
  CHECK(s.status("/missing") == 404);
  CHECK(s.status("/" + std::string(300, 'x')) == 404);
  CHECK_THROWS_AS(static_files((s.root.path() / "missing").string()), std::system_error);
}

TEST_CASE("only GET and HEAD are served: 405 with Allow, 501 for a method nobody knows") {
  folder_site s;
  s.root.write("x", "x");
  for (const auto method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT"}) {
    const auto r = s.get("/x", {}, method);
    CHECK(r.head.status == status_code::method_not_allowed);
    CHECK(field_of(r, "Allow") == "GET, HEAD");
  }
  CHECK(s.get("/x", {}, "BREW").head.status == status_code::not_implemented);
  CHECK(s.get("/x", {}, "get").head.status == status_code::not_implemented);
  CHECK(content(s.get("/x", {}, "HEAD")) == "x");  // the server counts it and leaves it out
}

TEST_CASE("an unchanged file is not sent again (RFC 9110 §13)") {
  folder_site s;
  s.root.write("x", "x");
  const auto first = s.get("/x");
  const auto tag = field_of(first, "ETag"), date = field_of(first, "Last-Modified");
  const auto status = [&](const std::string& name, const std::string& value) {
    return number(s.get("/x", {{name, value}}).head.status);
  };
  CHECK(status("If-None-Match", tag) == 304);
  CHECK(status("If-None-Match", "\"other\", W/" + tag) == 304);
  CHECK(status("If-None-Match", "*") == 304);
  CHECK(status("If-None-Match", "\"other\"") == 200);
  CHECK(status("If-Modified-Since", date) == 304);
  CHECK(status("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT") == 200);
  CHECK(status("If-Modified-Since", "yesterday") == 200);
  // RFC 9110 §13.1.3: a tag that does not match has the last word
  CHECK(s.get("/x", {{"If-None-Match", "\"other\""}, {"If-Modified-Since", date}}).head.status == status_code::ok);
  CHECK(std::holds_alternative<std::monostate>(s.get("/x", {{"If-None-Match", tag}}).content));
}

TEST_CASE("a changed file is seen by the next request") {
  folder_site s;
  for (int i = 0; i < 50; ++i) {
    const auto text = std::to_string(1000 + i);  // always the same size
    s.root.write("x", text);
    CHECK(content(s.get("/x")) == text);
    CHECK(content(s.get("/x")) == text);
  }
  s.root.write("y", "moved");
  std::filesystem::rename(s.root.path() / "y", s.root.path() / "x");
  CHECK(content(s.get("/x")) == "moved");
  std::filesystem::remove(s.root.path() / "x");
  CHECK(s.status("/x") == 404);
}

TEST_CASE("a file that has long been there is the same each time") {
  static_files sources(TUNIC_HTTP_TESTS);
  std::ifstream in(std::string(TUNIC_HTTP_TESTS) + "/main.cpp");
  const std::string expected(std::istreambuf_iterator<char>(in), {});
  REQUIRE_FALSE(expected.empty());
  for (int i = 0; i < 3; ++i) {
    request r;
    r.method = "GET";
    r.path = "/main.cpp";
    response out;
    REQUIRE_FALSE(sources.handle(r, out).valid());
    CHECK(content(out) == expected);
  }
}

TEST_CASE("types go by extension") {
  CHECK(media_type("a/b.HTML") == "text/html; charset=utf-8");
  CHECK(media_type("x.tar.gz") == "application/gzip");
  CHECK(media_type("a.html/b") == "application/octet-stream");
  CHECK(media_type("png") == "application/octet-stream");
}

TEMPLATE_TEST_CASE("a large file goes out whole, pipelined with others", "", memory_stream, capable_stream) {
  folder_site s;
  std::string large;
  for (int i = 0; i < 700000; ++i) large += static_cast<char>(i * 31 + i / 251);
  s.root.write("large", large);
  s.root.write("small", "small");
  test::site<TestType> web(std::make_shared<static_files>(s.root.path().string()));
  auto peer = web.connect();
  peer.takes_at_most(100000);
  std::string asked;
  for (const auto name : {"small", "large", "small"})
    asked += "GET /" + std::string(name) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto said = web.answer(peer, asked);
  const auto first = said.find("\r\n\r\nsmall") + 9;
  const auto second = said.find("\r\n\r\n", first) + 4;
  CHECK(said.substr(second, large.size()) == large);
  CHECK(said.substr(said.size() - 9) == "\r\n\r\nsmall");
  CHECK(said.size() - second - large.size() == first);
}

TEMPLATE_TEST_CASE("a file that shrinks while it is sent ends the connection", "", memory_stream, capable_stream) {
  folder_site s;
  s.root.write("large", std::string(3'000'000, 'x'));
  test::site<TestType> web(std::make_shared<static_files>(s.root.path().string()));
  auto peer = web.connect();
  peer.takes_at_most(100000);
  peer.sends("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  web.settle();
  CHECK_FALSE(peer.sees_end());
  std::filesystem::resize_file(s.root.path() / "large", 100);
  CHECK(web.rest(peer).size() < 3'000'000);
  CHECK(peer.sees_end());
  CHECK(web.serving.connections() == 0);
}
