#include "http/server/upload.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <catch2/catch.hpp>

#include "http/server/server.hpp"
#include "tests/http/support/memory_stream.hpp"
#include "tests/http/support/site.hpp"
#include "tests/http/support/temporary_folder.hpp"

using namespace tunic::http;
using test::capable_stream;
using test::memory_stream;

using test::first_line;

namespace {

std::string post(const std::string& type, const std::string& content) {
  return "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(content.size()) + "\r\n\r\n" + content;
}

std::string multipart(const std::string& content) {
  return post("multipart/form-data; boundary=b", content);
}

std::size_t files_in(const test::temporary_folder& folder) {
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator{}));
}

std::string content_of(const std::string& all) {
  return all.substr(all.find("\r\n\r\n") + 4);
}

}  // namespace

TEMPLATE_TEST_CASE("a form is received, its files straight to disk", "", memory_stream, capable_stream) {
  test::temporary_folder folder;
  std::size_t while_handled = 0;
  std::string kept;
  test::site<TestType> s([&](request& in) -> asio::awaitable<response> {
    auto form = co_await receive_form(in, folder.path().string(), 30'000);
    while_handled = files_in(folder);
    std::string told;
    for (const auto& [name, value] : form.fields) told += name + "=" + value + ";";
    for (auto& file : form.files) {
      told += file.field + ":" + file.name + ":" + file.media_type + ":" + std::to_string(file.size()) + ";";
      if (file.name == "keep.txt") {
        kept = (folder.path() / "kept").string();
        file.keep_as(kept);
      }
    }
    co_return response::text(told);
  });
  const auto told = [&](const std::string& asked) { return content_of(s.ask(asked)); };

  CHECK(told(post("application/x-www-form-urlencoded; charset=utf-8", "username=user123&password=pass+456")) ==
        "username=user123;password=pass 456;");
  const std::string large(300'000, 'x');
  CHECK(told(multipart(
            "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\nyou\r\n"
            "--b\r\nContent-Disposition: form-data; name=f; filename=\"C:\\\\dir\\\\a.bin\"\r\n"
            "Content-Type: image/png\r\n\r\n" +
            large +
            "\r\n"
            "--b\r\nContent-Disposition: form-data; name=f; filename=\"../../keep.txt\"\r\n\r\nabc\r\n--b--\r\n")) ==
        "note=hello\r\nyou;f:a.bin:image/png:300000;f:keep.txt::3;");
  CHECK(while_handled == 2);
  CHECK(files_in(folder) == 1);  // what is not kept is gone
  std::ifstream in(kept);
  CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == "abc");

  SECTION("a file that is there stays as it is") {
    const auto said =
        s.ask(multipart("--b\r\nContent-Disposition: form-data; name=f; filename=keep.txt\r\n\r\nother\r\n--b--"));
    CHECK(first_line(said) == "HTTP/1.1 500 Internal Server Error");
    std::ifstream again(kept);
    CHECK(std::string(std::istreambuf_iterator<char>(again), {}) == "abc");
    CHECK(files_in(folder) == 1);
  }
  SECTION("what is no form is refused, and leaves nothing") {
    const auto status = [&](const std::string& asked) { return first_line(s.ask(asked)).substr(9, 3); };
    const std::string file = "--b\r\nContent-Disposition: form-data; name=f; filename=x\r\n\r\n";
    CHECK(status(post("text/plain", "a=b")) == "415");
    CHECK(status(post("multipart/form-data", "a=b")) == "415");
    CHECK(status(multipart(file + "abc")) == "400");
    CHECK(status(multipart(file + "abc\r\n--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--")) == "400");
    CHECK(status(multipart(file + "abc\r\n--b\r\nbroken\r\n\r\n--b--")) == "400");
    CHECK(status(post("application/x-www-form-urlencoded", "a=" + std::string(30'000, 'x'))) == "413");
    CHECK(status(multipart("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + std::string(30'000, 'x') +
                           "\r\n--b--")) == "413");
    std::string many;
    for (int i = 0; i < 20; ++i) many += file + "\r\n";
    CHECK(status(multipart(many + "--b--")) == "413");
    std::string empty, ampersands(2000, '&');
    for (int i = 0; i < 300; ++i) empty += "--b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n\r\n";
    CHECK(status(multipart(empty + "--b--")) == "413");
    CHECK(status(post("application/x-www-form-urlencoded", ampersands)) == "413");
    CHECK(files_in(folder) == 1);
  }
}

TEMPLATE_TEST_CASE("a client that goes in the middle of a file leaves nothing of it", "", memory_stream,
                   capable_stream) {
  test::temporary_folder folder;
  test::site<TestType> s([&](request& in) -> asio::awaitable<response> {
    const auto form = co_await receive_form(in, folder.path().string());
    co_return response::text("all");
  });
  auto peer = s.connect();
  s.answer(peer,
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
           "Content-Length: 10000\r\n\r\n--b\r\nContent-Disposition: form-data; name=f; filename=x\r\n\r\nabc");
  CHECK(files_in(folder) == 1);
  peer.resets();
  s.settle();
  CHECK(files_in(folder) == 0);
  CHECK(s.serving.connections() == 0);
}
