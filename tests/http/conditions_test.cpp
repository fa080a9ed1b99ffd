#include "http/core/conditions.hpp"

#include <catch2/catch.hpp>

using namespace tunic::http;

namespace {

constexpr std::int64_t modified = 784111777, now = modified + 86'400;
constexpr auto its_date = "Sun, 06 Nov 1994 08:49:37 GMT", a_second_before = "Sun, 06 Nov 1994 08:49:36 GMT",
               a_second_after = "Sunday, 06-Nov-94 08:49:38 GMT";
constexpr auto holds = precondition::holds, not_modified = precondition::not_modified, failed = precondition::failed;

using header = std::initializer_list<std::pair<const char*, const char*>>;

request_head asked(header with, const char* method) {
  request_head r;
  r.method = method;
  for (const auto& [name, value] : with) r.header.add(name, value);
  return r;
}

precondition on(header with, const char* method = "GET", validators current = {true, "\"a,b\"", modified}) {
  return evaluate(asked(with, method), current, now);
}

bool range(header with, const char* method = "GET", validators current = {true, "\"a,b\"", modified}) {
  return range_counts(asked(with, method), current, now);
}

}  // namespace

TEST_CASE("without a condition a request goes on") {
  CHECK(on({}) == holds);
  CHECK(on({}, "PUT", {.exists = false}) == holds);
}

TEST_CASE("If-Match needs a strong match, or anything for \"*\" (RFC 9110 §13.1.1)") {
  CHECK(on({{"If-Match", "\"a,b\""}}) == holds);
  CHECK(on({{"If-Match", "\"x\", \"a,b\""}}, "PUT") == holds);
  CHECK(on({{"If-Match", "\"x\""}, {"If-Match", "\"a,b\""}}, "PUT") == holds);
  CHECK(on({{"If-Match", "*"}}, "PUT") == holds);
  CHECK(on({{"If-Match", "*"}}, "PUT", {.exists = false}) == failed);
  CHECK(on({{"If-Match", "W/\"a,b\""}}) == failed);
  CHECK(on({{"If-Match", "W/\"a\""}}, "GET", {true, "W/\"a\"", modified}) == failed);
  CHECK(on({{"If-Match", "\"a\""}}, "PUT") == failed);
  CHECK(on({{"If-Match", "a,b"}}) == failed);
  CHECK(on({{"If-Match", "\"a,b"}}) == failed);
}

TEST_CASE("If-Unmodified-Since counts where there is no If-Match (RFC 9110 §13.1.4)") {
  CHECK(on({{"If-Unmodified-Since", its_date}}) == holds);
  CHECK(on({{"If-Unmodified-Since", a_second_after}}) == holds);
  CHECK(on({{"If-Unmodified-Since", a_second_before}}) == failed);
  CHECK(on({{"If-Unmodified-Since", "yesterday"}}) == holds);
  CHECK(on({{"If-Match", "\"a,b\""}, {"If-Unmodified-Since", a_second_before}}) == holds);
}

TEST_CASE("If-None-Match matches weakly: 304 for GET and HEAD, 412 for the others (RFC 9110 §13.1.2)") {
  CHECK(on({{"If-None-Match", "\"a,b\""}}) == not_modified);
  CHECK(on({{"If-None-Match", "W/\"a,b\""}}, "HEAD") == not_modified);
  CHECK(on({{"If-None-Match", "\"x\" ,\t, \"a,b\""}}) == not_modified);
  CHECK(on({{"If-None-Match", "*"}}) == not_modified);
  CHECK(on({{"If-None-Match", "*"}}, "PUT") == failed);
  CHECK(on({{"If-None-Match", "\"a,b\""}}, "DELETE") == failed);
  CHECK(on({{"If-None-Match", "*"}}, "PUT", {.exists = false}) == holds);
  CHECK(on({{"If-None-Match", "\"a\", \"b\""}}) == holds);
  CHECK(on({{"If-None-Match", "a,b"}}) == holds);
}

TEST_CASE("If-Modified-Since counts for GET and HEAD where there is no If-None-Match (RFC 9110 §13.1.3)") {
  CHECK(on({{"If-Modified-Since", its_date}}) == not_modified);
  CHECK(on({{"If-Modified-Since", a_second_after}}, "HEAD") == not_modified);
  CHECK(on({{"If-Modified-Since", a_second_before}}) == holds);
  CHECK(on({{"If-Modified-Since", its_date}}, "POST") == holds);
  CHECK(on({{"If-Modified-Since", "0"}}) == holds);
  CHECK(on({{"If-Modified-Since", "Sun, 06 Nov 2095 08:49:37 GMT"}}) == holds);  // in the future
  CHECK(on({{"If-Modified-Since", its_date}, {"If-Modified-Since", its_date}}) == holds);
  CHECK(on({{"If-None-Match", "\"x\""}, {"If-Modified-Since", its_date}}) == holds);
}

TEST_CASE("the conditions are asked in their order (RFC 9110 §13.2.2)") {
  CHECK(on({{"If-None-Match", "\"a,b\""}, {"If-Match", "\"x\""}}) == failed);
  CHECK(on({{"If-None-Match", "\"a,b\""}, {"If-Match", "\"a,b\""}}) == not_modified);
  CHECK(on({{"If-Modified-Since", its_date}, {"If-Unmodified-Since", a_second_before}}) == failed);
  CHECK(on({{"If-Modified-Since", its_date}, {"If-Unmodified-Since", its_date}}) == not_modified);
}

TEST_CASE("If-Range lets a range count only for the very same representation (RFC 9110 §13.1.5)") {
  constexpr std::pair<const char*, const char*> range_field{"Range", "bytes=0-1"};
  CHECK_FALSE(range({}));
  CHECK(range({range_field}));
  CHECK_FALSE(range({range_field}, "HEAD"));
  CHECK_FALSE(range({range_field, range_field}));
  CHECK(range({range_field, {"If-Range", "\"a,b\""}}));
  CHECK_FALSE(range({range_field, {"If-Range", "W/\"a,b\""}}));
  CHECK_FALSE(range({range_field, {"If-Range", "\"a\""}}));
  CHECK_FALSE(range({range_field, {"If-Range", "W/\"a\""}}, "GET", {true, "W/\"a\"", modified}));
  CHECK_FALSE(range({range_field, {"If-Range", "\"a,b\", \"c\""}}));
  CHECK(range({range_field, {"If-Range", its_date}}));
  CHECK_FALSE(range({range_field, {"If-Range", a_second_before}}));
  CHECK_FALSE(range({range_field, {"If-Range", a_second_after}}));
  CHECK_FALSE(range({range_field, {"If-Range", "junk"}}));
}
