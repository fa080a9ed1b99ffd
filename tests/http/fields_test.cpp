#include "http/core/fields.hpp"

#include <catch2/catch.hpp>

using namespace tunic::http;

TEST_CASE("fields keep their order, their spelling and their repetitions") {
  fields f;
  f.add("Host", "a");
  f.add("X-List", "1");
  f.add("x-list", "2");
  CHECK(f.size() == 3);
  CHECK(f.wire() == "Host: a\r\nX-List: 1\r\nx-list: 2\r\n");
  CHECK(f.find("HOST") == "a");
  CHECK(f.find("x-LIST") == "1");
  CHECK(f.count("X-List") == 2);
  CHECK_FALSE(f.find("X-Lis"));
}

TEST_CASE("removing and setting fields leaves the others as they were") {
  fields f;
  for (const auto name : {"a", "b", "A", "c"}) f.add(name, name);
  f.remove("a");
  CHECK(f.wire() == "b: b\r\nc: c\r\n");
  f.set("B", "new");
  CHECK(f.wire() == "c: c\r\nB: new\r\n");
  f.set("B", *f.find("B"));  // a value that lies in the fields themselves
  CHECK(f.find("b") == "new");
  f.clear();
  CHECK(f.empty());
  CHECK(f.wire().empty());
}

TEST_CASE("names and values may lie in the fields themselves") {
  fields f;
  f.add("X", "abc");
  f.add("Y", f[0].value);
  f.add(f[0].name, "0123456789");
  CHECK(f.wire() == "X: abc\r\nY: abc\r\nX: 0123456789\r\n");
  f.set(f[0].name, f[1].value);
  CHECK(f.wire() == "Y: abc\r\nX: abc\r\n");
}

TEST_CASE("a name of the same letter and length is another name") {
  fields f;
  f.add("Host", "a");
  CHECK_FALSE(f.find("Hash"));
  CHECK(f.count("hash") == 0);
  CHECK_FALSE(f.has_element("Hash", "a"));
  f.remove("Hash");
  CHECK(f.wire() == "Host: a\r\n");
  f.remove("HOST");
  CHECK(f.empty());
  CHECK(f.count("Host") == 0);
}

TEST_CASE("a list element is found over several fields and in any case") {
  fields f;
  f.add("Connection", "keep-alive, Upgrade");
  f.add("connection", "CLOSE");
  CHECK(f.has_element("Connection", "close"));
  CHECK(f.has_element("Connection", "upgrade"));
  CHECK_FALSE(f.has_element("Connection", "keep"));
}

TEST_CASE("what would split a message is refused") {
  fields f;
  CHECK_THROWS_AS(f.add("Location", "/a\r\nSet-Cookie: b"), std::invalid_argument);
  CHECK_THROWS_AS(f.add("Bad Name", "x"), std::invalid_argument);
  CHECK_THROWS_AS(f.add("", "x"), std::invalid_argument);
  CHECK(f.empty());
  f.add("Trimmed", " \tx y\t ");
  CHECK(f.find("Trimmed") == "x y");
}
