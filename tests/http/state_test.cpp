#include "http/core/state.hpp"

#include <vector>

#include <catch2/catch.hpp>

using namespace tunic::http;
using h = happening;

namespace {

constexpr auto client = role::client, server = role::server;

states after(std::vector<std::pair<role, happening>> all) {
  states s;
  for (const auto& [who, what] : all) REQUIRE(s.on(who, what));
  return s;
}

}  // namespace

TEST_CASE("an exchange runs through all states and a second one follows") {
  auto s = after({{client, h::request}});
  CHECK(s.of(client) == state::send_body);
  CHECK(s.of(server) == state::send_response);
  CHECK_FALSE(s.next_cycle());
  REQUIRE(s.on(client, h::data));
  REQUIRE(s.on(client, h::end_of_message));
  CHECK(s.of(client) == state::done);
  REQUIRE(s.on(server, h::informational));
  REQUIRE(s.on(server, h::response));
  REQUIRE(s.on(server, h::data));
  REQUIRE(s.on(server, h::end_of_message));
  CHECK(s.next_cycle());
  CHECK(s.of(client) == state::idle);
  CHECK(s.of(server) == state::idle);
}

TEST_CASE("a server may answer before the request is complete, and no request follows until it is") {
  auto s = after({{client, h::request}, {server, h::response}, {server, h::end_of_message}});
  CHECK_FALSE(s.next_cycle());
  REQUIRE(s.on(client, h::end_of_message));
  CHECK(s.next_cycle());
}

TEST_CASE("without keep-alive a finished side must close") {
  auto s = after({{client, h::request}, {client, h::end_of_message}});
  s.disable_keep_alive();
  CHECK(s.of(client) == state::must_close);
  REQUIRE(s.on(server, h::response));
  REQUIRE(s.on(server, h::end_of_message));
  CHECK(s.of(server) == state::must_close);
  CHECK_FALSE(s.next_cycle());
  REQUIRE(s.on(server, h::connection_closed));
  CHECK(s.of(server) == state::closed);
}

TEST_CASE("when the client has gone the server closes after its response") {
  auto s =
      after({{client, h::request}, {client, h::end_of_message}, {client, h::connection_closed}, {server, h::response}});
  REQUIRE(s.on(server, h::end_of_message));
  CHECK(s.of(server) == state::must_close);
}

TEST_CASE("a server may answer a client that asked nothing (408)") {
  auto s = after({{server, h::response}, {server, h::end_of_message}});
  CHECK(s.of(server) == state::done);
}

TEST_CASE("every other event is an error, and stays one") {
  const std::vector<std::pair<std::vector<std::pair<role, happening>>, std::pair<role, happening>>> wrong{
      {{}, {client, h::data}},
      {{}, {client, h::end_of_message}},
      {{}, {client, h::response}},
      {{}, {client, h::informational}},
      {{}, {server, h::data}},
      {{}, {server, h::end_of_message}},
      {{{client, h::request}}, {client, h::request}},
      {{{client, h::request}}, {client, h::connection_closed}},
      {{{client, h::request}}, {server, h::data}},
      {{{client, h::request}}, {server, h::connection_closed}},
      {{{client, h::request}, {server, h::response}}, {server, h::response}},
      {{{client, h::request}, {server, h::response}}, {server, h::informational}},
      {{{client, h::request}, {client, h::end_of_message}}, {client, h::data}},
      {{{client, h::connection_closed}}, {client, h::request}},
  };
  for (const auto& [before, then] : wrong) {
    auto s = after(before);
    CHECK_FALSE(s.on(then.first, then.second));
    CHECK(s.of(then.first) == state::error);
    CHECK_FALSE(s.on(then.first, h::connection_closed));
    CHECK_FALSE(s.next_cycle());
  }
}
