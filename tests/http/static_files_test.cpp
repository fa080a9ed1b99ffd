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
  for (const auto method : {"POST", "PUT", "DELETE", "TRACE", "PATCH", "CONNECT"}) {
    const auto r = s.get("/x", {}, method);
    CHECK(r.head.status == status_code::method_not_allowed);
    CHECK(field_of(r, "Allow") == "GET, HEAD, OPTIONS");
  }
  CHECK(s.get("/x", {}, "OPTIONS").head.status == status_code::no_content);
  CHECK(field_of(s.get("/x", {}, "OPTIONS"), "Allow") == "GET, HEAD, OPTIONS");
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

TEST_CASE("types go by extension, as the system's table has them") {
  test::temporary_folder folder;
  folder.write("types",
               "# type  extensions\ntext/x-odd\todd ODDER # more\napplication/javascript js\nno-extension/type\n\n");
  const media_types types((folder.path() / "types").string());
  CHECK(types.of("a/b.odd") == "text/x-odd; charset=utf-8");
  CHECK(types.of("a.odder") == "text/x-odd; charset=utf-8");
  CHECK(types.of("a.js") == "text/javascript; charset=utf-8");  // RFC 9239
  CHECK(types.of("a.more") == "application/octet-stream");
  for (const auto& either : {types, media_types("/no/such/table")}) {
    CHECK(either.of("a/b.HTML") == "text/html; charset=utf-8");
    CHECK(either.of("x.tar.gz") == "application/gzip");
    CHECK(either.of("a.html/b") == "application/octet-stream");
    CHECK(either.of("png") == "application/octet-stream");
    CHECK(either.of("") == "application/octet-stream");
  }
}

TEST_CASE("ranges of a file (RFC 9110 §14)") {
  folder_site s;
  std::string digits;
  for (int i = 0; i < 1000; ++i) digits += static_cast<char>('0' + i % 10);
  s.root.write("x.txt", digits);
  const auto all = s.get("/x.txt");
  CHECK(field_of(all, "Accept-Ranges") == "bytes");
  const auto tag = field_of(all, "ETag");

  const auto one = s.get("/x.txt", {{"Range", "bytes=3-5"}});
  CHECK(one.head.status == status_code::partial_content);
  CHECK(content(one) == "345");
  CHECK(field_of(one, "Content-Range") == "bytes 3-5/1000");
  CHECK(field_of(one, "ETag") == tag);

  const auto none = s.get("/x.txt", {{"Range", "bytes=1000-"}});
  CHECK(none.head.status == status_code::range_not_satisfiable);
  CHECK(field_of(none, "Content-Range") == "bytes */1000");

  CHECK(content(s.get("/x.txt", {{"Range", "bytes=3-5"}, {"If-Range", tag}})) == "345");
  CHECK(content(s.get("/x.txt", {{"Range", "bytes=3-5"}, {"If-Range", "\"other\""}})) == digits);
  CHECK(s.get("/x.txt", {{"Range", "bytes=3-5"}, {"If-None-Match", tag}}).head.status == status_code::not_modified);
  CHECK(s.get("/x.txt", {{"Range", "bytes=3-5"}, {"If-Match", "\"other\""}}).head.status ==
        status_code::precondition_failed);
  CHECK(content(s.get("/x.txt", {{"Range", "lines=3-5"}})) == digits);
  CHECK(content(s.get("/x.txt", {{"Range", "bytes=3-5"}}, "HEAD")) == digits);
}

TEMPLATE_TEST_CASE("several ranges travel as a multipart (RFC 9110 §14.6)", "", memory_stream, capable_stream) {
  folder_site s;
  const bool is_large = GENERATE(false, true);  // from memory, from the file
  std::string octets(is_large ? 200'000 : 2'000, '.');
  octets.replace(0, 3, "abc");
  octets.replace(octets.size() - 3, 3, "xyz");
  s.root.write("x.txt", octets);
  test::site<TestType> web(std::make_shared<static_files>(s.root.path().string()));
  const auto said = web.ask("GET /x.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=-2,0-2\r\n\r\n");
  const auto marker = said.find("boundary=") + 9;
  const auto boundary = said.substr(marker, said.find("\r", marker) - marker);
  const auto size = std::to_string(octets.size()), last = std::to_string(octets.size() - 1),
             last_but_one = std::to_string(octets.size() - 2);
  const auto type = "Content-Type: text/plain; charset=utf-8\r\n";
  const auto expected = "--" + boundary + "\r\n" + type + "Content-Range: bytes " + last_but_one + "-" + last + "/" +
                        size + "\r\n\r\nyz\r\n--" + boundary + "\r\n" + type + "Content-Range: bytes 0-2/" + size +
                        "\r\n\r\nabc\r\n--" + boundary + "--\r\n";
  CHECK(said.starts_with("HTTP/1.1 206 Partial Content\r\n"));
  CHECK(said.find("Content-Type: multipart/byteranges; boundary=") != std::string::npos);
  CHECK(said.find("Content-Length: " + std::to_string(expected.size()) + "\r\n") != std::string::npos);
  CHECK(said.ends_with("\r\n\r\n" + expected));
}

TEST_CASE("who accepts a coding gets text in it, and each coding is a representation of its own") {
  folder_site s;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "line " + std::to_string(i) + "\n";
  s.root.write("x.css", text);
  s.root.write("x.png", text);
  s.root.write("tiny.css", "x");
  s.root.write("huge.css", std::string(2'000'000, 'x'));
  std::string tags;
  for (const std::string coding : {"gzip", "br", "zstd"}) {
    for (int i = 0; i < 2; ++i) {  // made, and found again
      const auto r = s.get("/x.css", {{"Accept-Encoding", coding}});
      CHECK(field_of(r, "Content-Encoding") == coding);
      CHECK(field_of(r, "Vary") == "Accept-Encoding");
      CHECK(content(r).size() < text.size() / 2);
      const auto tag = field_of(r, "ETag");
      if (i == 0) CHECK(tags.find(tag) == std::string::npos);
      tags += tag;
      CHECK(s.get("/x.css", {{"Accept-Encoding", coding}, {"If-None-Match", tag}}).head.status ==
            status_code::not_modified);
      CHECK(s.get("/x.css", {{"If-None-Match", tag}}).head.status == status_code::ok);
    }
  }
  for (const auto path : {"/x.css", "/tiny.css", "/huge.css", "/x.png"})
    for (const auto accept : {"", "identity", "gzip;q=0", "deflate"}) {
      const auto r = s.get(path, {{"Accept-Encoding", accept}});
      CHECK(field_of(r, "Content-Encoding").empty());
    }
  CHECK(content(s.get("/x.css")) == text);
  CHECK(field_of(s.get("/x.css"), "Vary") == "Accept-Encoding");
  for (const auto path : {"/tiny.css", "/huge.css", "/x.png"})
    CHECK(field_of(s.get(path, {{"Accept-Encoding", "gzip"}}), "Content-Encoding").empty());
  CHECK(field_of(s.get("/x.png"), "Vary").empty());
  CHECK(s.get("/x.css", {{"Accept-Encoding", "*;q=0"}}).head.status == status_code::not_acceptable);
}

TEST_CASE("a file beside that holds the coded content is taken, unless it is older") {
  folder_site s;
  s.root.write("x.js", std::string(1000, 'x'));
  s.root.write("x.js.br", "well coded");
  const auto r = s.get("/x.js", {{"Accept-Encoding", "gzip, br"}});
  CHECK(field_of(r, "Content-Encoding") == "br");
  CHECK(field_of(r, "Content-Type") == "text/javascript; charset=utf-8");
  REQUIRE(std::holds_alternative<file_part>(r.content));
  CHECK(std::get<file_part>(r.content).length == 10);
  std::filesystem::last_write_time(s.root.path() / "x.js.br",
                                   std::filesystem::last_write_time(s.root.path() / "x.js") - std::chrono::hours(1));
  CHECK(content(s.get("/x.js", {{"Accept-Encoding", "br"}})).size() < 100);  // coded here
}

TEST_CASE("an index is coded as well, and a changed file is coded anew") {
  folder_site s;
  const auto size_now = [&] {
    const auto r = s.get("/", {{"Accept-Encoding", "gzip"}});
    CHECK(field_of(r, "Content-Encoding") == "gzip");
    return content(r).size();
  };
  s.root.write("index.html", std::string(1000, 'x'));
  const auto before = size_now();
  std::string other;
  for (int i = 0; i < 500; ++i) other += std::to_string(i * 7919);
  s.root.write("index.html", other);
  CHECK(size_now() > before + 100);
}

TEST_CASE("a listing shows what a directory holds, as a page or as JSON") {
  folder_site s;
  s.root.write("d/a&b <i>.txt", "12345");
  s.root.write("d/javascript:alert(1)", "");
  s.root.write("d/e/x", "");
  s.root.write("d/.hidden", "");
  CHECK(s.status("/d/") == 403);
  static_files with_listing(s.root.path().string(), {.listing = true});
  const auto get = [&](const std::string& accept) {
    request in;
    in.method = "GET";
    in.path = in.target = "/d/";
    if (!accept.empty()) in.header.add("Accept", accept);
    response out;
    REQUIRE_FALSE(with_listing.handle(in, out).valid());
    return out;
  };
  const auto page = content(get(""));
  CHECK(field_of(get(""), "Content-Type") == "text/html; charset=utf-8");
  CHECK(field_of(get(""), "Vary") == "Accept");
  CHECK(page.find("<a href=\"./a&amp;b%20%3Ci%3E.txt\">a&amp;b &lt;i&gt;.txt</a></td><td>5</td>") != std::string::npos);
  CHECK(page.find("<a href=\"./javascript:alert(1)\">") != std::string::npos);
  CHECK(page.find("<a href=\"./e/\">e/</a>") != std::string::npos);
  CHECK(page.find("hidden") == std::string::npos);
  const auto json = content(get("application/json"));
  CHECK(json.find("\"a&b <i>.txt\"") != std::string::npos);
  CHECK(json.find("\"type\": \"directory\"") != std::string::npos);
  CHECK(json.find("\"size\": 5") != std::string::npos);
}
