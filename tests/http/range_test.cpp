#include "http/core/range.hpp"

#include <catch2/catch.hpp>

using namespace tunic::http;

namespace {

constexpr std::uint64_t size = 10'000;

std::string asked(std::string_view value, std::uint64_t of = size) {
  const auto set = parse_range(value, of);
  if (set.what == range_set::kind::whole) return "whole";
  if (set.what == range_set::kind::unsatisfiable) return "unsatisfiable";
  std::string all;
  for (const auto& part : set.parts) all += " " + std::to_string(part.first) + "-" + std::to_string(part.last);
  return all;
}

}  // namespace

TEST_CASE("the ranges of RFC 9110 §14.1.2") {
  CHECK(asked("bytes=0-499") == " 0-499");
  CHECK(asked("bytes=500-999") == " 500-999");
  CHECK(asked("bytes=-500") == " 9500-9999");
  CHECK(asked("bytes=9500-") == " 9500-9999");
  CHECK(asked("bytes=0-0,-1") == " 0-0 9999-9999");
  CHECK(asked("bytes= 0-999, 4500-5499, -1000") == " 0-999 4500-5499 9000-9999");
  CHECK(asked("bytes=500-600,601-999") == " 500-999");
  CHECK(asked("bytes=500-700,601-999") == " 500-999");
  CHECK(asked("BYTES=0-499") == " 0-499");
}

TEST_CASE("a range is cut at the end of the content") {
  CHECK(asked("bytes=9000-10000") == " 9000-9999");
  CHECK(asked("bytes=0-18446744073709551615") == "whole");  // no number that anybody has octets for
  CHECK(asked("bytes=0-9223372036854775799") == " 0-9999");
  CHECK(asked("bytes=-20000") == " 0-9999");
  CHECK(asked("bytes=9999-") == " 9999-9999");
  CHECK(asked("bytes=10000-") == "unsatisfiable");
  CHECK(asked("bytes=10000-,20000-30000") == "unsatisfiable");
  CHECK(asked("bytes=10000-,0-0") == " 0-0");
  CHECK(asked("bytes=-0") == "unsatisfiable");
  CHECK(asked("bytes=0-", 0) == "unsatisfiable");
  CHECK(asked("bytes=-5", 0) == "unsatisfiable");
}

TEST_CASE("what is no list of ranges is ignored (RFC 9110 §14.2)") {
  for (const auto bad :
       {"", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=0-1,x", "bytes=1", "bytes=0x0-1",
        "bytes=+0-1", "bytes=0 -1", "bytes=--1", "bytes=0-1;2-3", "lines=0-1", "bytes 0-1"})
    CHECK(asked(bad) == "whole");
}

TEST_CASE("ranges become one where another part would cost more, and stay in their order") {
  CHECK(asked("bytes=5000-5999,0-99") == " 5000-5999 0-99");
  CHECK(asked("bytes=0-99,150-199") == " 0-199");
  CHECK(asked("bytes=0-99,1000-1099") == " 0-99 1000-1099");
  CHECK(asked("bytes=3000-3099,1000-1099,1100-2999") == " 1000-3099");
}

TEST_CASE("an expensive list is answered by the whole (RFC 9110 §17.15)") {
  std::string many = "bytes=0-0";
  for (int i = 1; i < 16; ++i) many += "," + std::to_string(i * 500) + "-" + std::to_string(i * 500);
  CHECK(asked(many).size() > 16);
  CHECK(asked(many + ",9000-9000") == "whole");
  std::string overlapping = "bytes=0-";
  for (int i = 0; i < 99; ++i) overlapping += ",0-";
  CHECK(asked(overlapping) == " 0-9999");
  CHECK(asked(overlapping + ",0-") == "whole");
  CHECK(asked("bytes=0-4980,5100-") == "whole");
}

TEST_CASE("Content-Range names the octets and the size (RFC 9110 §14.4)") {
  CHECK(byte_range{0, 499}.in_content(1234) == "bytes 0-499/1234");
}
