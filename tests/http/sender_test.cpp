#include "http/server/sender.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "http/server/static_files.hpp"
#include "tests/http/support/memory_stream.hpp"
#include "tests/http/support/site.hpp"
#include "tests/http/support/temporary_folder.hpp"

using namespace tunic::http;
using test::capable_stream;
using test::memory_stream;

namespace {

// Keeps what it adopts as it is, as a stream does whose peer has not acknowledged it yet.
struct keeping_stream : capable_stream {
  using capable_stream::capable_stream;
  static inline std::vector<shared_octets> adopted;

  std::size_t try_adopt(std::shared_ptr<const void> owner, std::span<const std::byte> octets, std::error_code&) {
    adopted.push_back({std::move(owner), octets});
    return octets.size();
  }
};

}  // namespace

TEMPLATE_TEST_CASE("a large file goes out whole, pipelined with others", "", memory_stream, capable_stream) {
  test::temporary_folder root;
  std::string large;
  for (int i = 0; i < 700000; ++i) large += static_cast<char>(i * 31 + i / 251);
  root.write("large", large);
  root.write("small", "small");
  test::site<TestType> web(std::make_shared<static_files>(root.path().string()));
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
  test::temporary_folder root;
  root.write("large", std::string(3'000'000, 'x'));
  test::site<TestType> web(std::make_shared<static_files>(root.path().string()));
  auto peer = web.connect();
  peer.takes_at_most(100000);
  peer.sends("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  web.settle();
  CHECK_FALSE(peer.sees_end());
  std::filesystem::resize_file(root.path() / "large", 100);
  CHECK(web.rest(peer).size() < 3'000'000);
  CHECK(peer.sees_end());
  CHECK(web.serving.connections() == 0);
}

TEST_CASE("a file that loses its end while it is sent is not sent with noughts") {
  const std::string large = std::string(3'000'000, 'x');
  test::temporary_folder root;
  root.write("large", large);
  test::site<keeping_stream> web(std::make_shared<static_files>(root.path().string()));
  auto peer = web.connect();
  peer.sends("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  web.settle();
  std::filesystem::resize_file(root.path() / "large", large.size() - 100);
  std::string sent;
  for (const auto& piece : keeping_stream::adopted)
    sent.append(reinterpret_cast<const char*>(piece.octets.data()), piece.octets.size());
  keeping_stream::adopted.clear();
  CHECK(sent == large);
}

TEMPLATE_TEST_CASE("a part of a file that begins or ends in its last page is that part", "", memory_stream,
                   capable_stream) {
  const std::size_t size = 3 * 65536 + 100;
  std::string large;
  for (std::size_t i = 0; i < size; ++i) large += static_cast<char>(i * 31 + i / 251);
  test::temporary_folder root;
  root.write("large", large);
  test::site<TestType> web(std::make_shared<static_files>(root.path().string()));
  const std::size_t page = 3 * 65536;
  for (const auto& [first, last] : {std::pair{page - 10, page + 10},
                                    {page, size - 1},
                                    {page + 1, page + 2},
                                    {page - 2, page - 1},
                                    {size - 1, size - 1},
                                    {std::size_t{0}, size - 1}}) {
    auto peer = web.connect();
    const auto said = web.answer(peer, "GET /large HTTP/1.1\r\nHost: a\r\nRange: bytes=" + std::to_string(first) + "-" +
                                           std::to_string(last) + "\r\n\r\n");
    CHECK(said.substr(said.find("\r\n\r\n") + 4) == large.substr(first, last + 1 - first));
  }
}
