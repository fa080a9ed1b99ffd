#include "http/server/conversation.hpp"

#include <memory>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "http/server/connection.hpp"
#include "tests/http/support/memory_stream.hpp"
#include "tests/http/support/site.hpp"

using namespace tunic::http;
using test::capable_stream;

namespace {

std::string repeat(const std::string& text, int times) {
  std::string all;
  while (times-- > 0) all += text;
  return all;
}

const std::string small = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string long_field = "X: " + std::string(6000, 'x') + "\r\n";

response answer(const request& in) {
  response out = response::text(in.path == "/large" ? std::string(10'000, 'x') : "ok");
  if (in.path == "/head") out.head.header.add("X", std::string(40'000, 'x'));
  return out;
}

// A connection of a server, and what its client says.
struct scene {
  asio::io_context io;
  capable_stream stream{io};
  test::peer client = stream.other_end();
  std::shared_ptr<service> shared = std::make_shared<service>(io.get_executor(), make_handler(answer), test::patient());
  connection server{shared, std::make_unique<stream_transport<capable_stream&>>(stream, 1024)};

  // What the conversation needs after that has been said.
  conversation::need after(const std::string& said, conversation& on) {
    client.sends(said);
    for (;;)
      if (const auto next = on.proceed(); next != conversation::need::turn) return next;
  }
};

}  // namespace

TEST_CASE("a conversation is used again by the next client") {
  scene s;
  auto one = s.shared->begin_conversation(s.server);
  const auto* const first = one.get();
  CHECK(s.after(small, *one) == conversation::need::input);
  s.shared->end_conversation(std::move(one));
  CHECK(s.shared->begin_conversation(s.server).get() == first);
}

TEST_CASE("the memory that a client has made a conversation take goes with it") {
  const auto [what, said] = GENERATE(table<std::string, std::string>({
      {"a long head", "GET / HTTP/1.1\r\nHost: a\r\n" + repeat(long_field, 8) + "\r\n"},
      {"long lines", "GET /" + std::string(7000, 'x') + " HTTP/1.1\r\nHost: a\r\n" + long_field + "\r\n"},
      {"a long trailer",
       "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + repeat(long_field, 8) + "\r\n"},
      {"a long head of a response", "GET /head HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"responses that gather", repeat("GET /large HTTP/1.1\r\nHost: a\r\n\r\n", 4)},
  }));
  INFO(what);
  scene s;
  auto one = s.shared->begin_conversation(s.server);
  CHECK(s.after(said + small, *one) == conversation::need::input);
  CHECK_FALSE(one->is_modest());
  s.shared->end_conversation(std::move(one));
  CHECK(s.shared->begin_conversation(s.server)->is_modest());
}
