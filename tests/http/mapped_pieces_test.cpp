#include "http/server/mapped_pieces.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <catch2/catch.hpp>

#include "http/server/file.hpp"
#include "tests/http/support/temporary_folder.hpp"

using namespace tunic::http;

namespace {

constexpr std::size_t unit = file::map_unit;

shared_octets some() {
  return {std::make_shared<int>(), {}};
}

}  // namespace

TEST_CASE("a piece of a file is mapped once for all who send it, and until the last has sent it") {
  test::temporary_folder root;
  root.write("x", std::string(3 * unit, 'x'));
  root.write("y", std::string(3 * unit, 'y'));
  const folder in(root.path().string());
  std::error_code error;
  auto first = in.open("x", error), second = in.open("x", error), other = in.open("y", error);
  std::weak_ptr<const void> mapped;
  {
    const auto piece = first->map(unit, unit, error);
    REQUIRE(piece.octets.size() == unit);
    mapped = piece.owner;
    CHECK(second->map(unit, unit, error).octets.data() == piece.octets.data());
    CHECK(second->map(0, unit, error).octets.data() != piece.octets.data());
    CHECK(second->map(unit, 2 * unit, error).octets.size() == 2 * unit);
    CHECK(other->map(unit, unit, error).octets.data() != piece.octets.data());
  }
  first.reset();
  CHECK_FALSE(mapped.expired());
  second.reset();
  other.reset();
  CHECK(mapped.expired());
}

TEST_CASE("of the pieces that were mapped the last stay, however small they are") {
  mapped_pieces pieces;
  const auto place = [](std::uint64_t n) { return piece_place{{}, n * unit, 1}; };
  for (std::uint64_t n = 0; n <= mapped_pieces::most; ++n) pieces.keep(place(n), some(), {});
  CHECK_FALSE(pieces.find(place(0), {}).owner);
  for (std::uint64_t n = 1; n <= mapped_pieces::most; ++n) CHECK(pieces.find(place(n), {}).owner);
}

TEST_CASE("a piece that nobody wants for a while goes, though others are wanted") {
  mapped_pieces pieces;
  const piece_place wanted{{}, 0, 1}, unwanted{{}, unit, 1};
  mapped_pieces::clock::time_point now{std::chrono::hours(1)};
  pieces.keep(wanted, some(), now);
  auto held = some();
  const std::weak_ptr<const void> seen = held.owner;
  pieces.keep(unwanted, std::move(held), now);
  for (int i = 0; i < 4; ++i) CHECK(pieces.find(wanted, now += std::chrono::seconds(1)).owner);
  CHECK_FALSE(seen.expired());
  CHECK(pieces.find(wanted, now += std::chrono::seconds(1)).owner);
  CHECK(seen.expired());
  pieces.forget_unused(now += mapped_pieces::kept_unused);
  CHECK_FALSE(pieces.find(wanted, now).owner);
}

TEST_CASE("a file that was changed is mapped anew") {  // overlayfs: the number stays, and is that of another file
  test::temporary_folder root;
  root.write("x", std::string(unit, 'x'));
  const folder in(root.path().string());
  std::error_code error;
  const auto before = in.open("x", error);
  const auto old = before->map(0, unit, error);
  std::filesystem::last_write_time(root.path() / "x", std::filesystem::file_time_type{});
  CHECK(in.open("x", error)->map(0, unit, error).octets.data() != old.octets.data());
}
