// Every operation of a stream fails once, the first, the second, and so on: nothing crashes, nothing is left behind,
// and what arrived is the beginning of what should have.
#include <string>

#include <asio/co_spawn.hpp>
#include <catch2/catch.hpp>

#include "http/client/get.hpp"
#include "tests/http/support/memory_stream.hpp"
#include "tests/http/support/site.hpp"

using namespace tunic::http;
using test::capable_stream;
using test::memory_stream;

TEMPLATE_TEST_CASE("the server survives the failure of any operation", "", memory_stream, capable_stream) {
  const std::string large(100000, 'x');
  test::site<TestType> s([&](const request& in) { return response::text(in.path == "/large" ? large : in.path); });
  const std::string asked =
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /large HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.0\r\nHost: a\r\n\r\n";
  const auto run = [&](std::size_t fail_at) {
    const auto faults = std::make_shared<test::faults>();
    faults->fail_at = fail_at;
    auto peer = s.connect(faults);
    peer.takes_at_most(7000);
    auto said = s.answer(peer, asked);
    peer.ends();
    s.settle();
    CHECK(s.serving.connections() == 0);
    return std::pair{said, faults->count};
  };
  const auto [whole, operations] = run(0);
  CHECK(operations > 10);
  for (std::size_t n = 1; n <= operations; ++n) {
    const auto said = run(n).first;
    CHECK(said == whole.substr(0, said.size()));
  }
}

TEMPLATE_TEST_CASE("the client reports the failure of any operation", "", memory_stream, capable_stream) {
  const auto run = [](std::size_t fail_at) {
    asio::io_context io;
    const auto faults = std::make_shared<test::faults>();
    faults->fail_at = fail_at;
    TestType stream(io, faults);
    auto peer = stream.other_end();
    peer.takes_at_most(50);
    std::string content;
    std::exception_ptr thrown;
    bool done = false;
    const sink into{[](const response_head&) {},
                    [&](auto octets) { content.append(reinterpret_cast<const char*>(octets.data()), octets.size()); }};
    const url from{"a", 80, "/"};
    const get_options options;
    asio::co_spawn(io, get(stream, from, options, into), [&](std::exception_ptr e, const response_head&) {
      thrown = e;
      done = true;
    });
    for (const auto piece : {"HTTP/1.1 200 OK\r\n", "Content-Length: 10\r\n\r\nhello", "world"}) {
      peer.sends(piece);
      for (int i = 0; i < 10; ++i) {
        io.restart();
        io.poll();
        peer.receives();
      }
    }
    CHECK(done);
    CHECK(std::string("helloworld").starts_with(content));
    CHECK((thrown || content == "helloworld"));
    return std::pair{thrown != nullptr, faults->count};
  };
  const auto [failed, operations] = run(0);
  CHECK_FALSE(failed);
  std::size_t failures = 0;
  for (std::size_t n = 1; n <= operations; ++n) failures += run(n).first ? 1 : 0;
  CHECK(failures > 0);
}
