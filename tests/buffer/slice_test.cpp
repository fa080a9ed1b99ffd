#include "stack/buffer/slice.hpp"

#include <memory>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "stack/buffer/pool.hpp"
#include "stack/buffer/shared_octets.hpp"

namespace tunic {
namespace {

std::span<const std::byte> octets_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

std::string_view text_of(const slice& s) {
  return {reinterpret_cast<const char*>(s.data()), s.size()};
}

TEST(slice, is_empty_at_first) {
  const slice s;
  EXPECT_TRUE(s.empty());
  EXPECT_EQ(s.size(), 0u);
  EXPECT_EQ(s.owner(), nullptr);
}

TEST(slice, views_parts_of_the_same_octets) {
  const slice whole = adopt(nullptr, octets_of("headtext"));
  EXPECT_EQ(text_of(whole.sub(4)), "text");
  EXPECT_EQ(text_of(whole.sub(2, 4)), "adte");
  EXPECT_EQ(text_of(whole.sub(6, 100)), "xt");
  EXPECT_EQ(text_of(whole.sub(8)), "");
  EXPECT_EQ(text_of(whole.sub(0, 0)), "");
  EXPECT_EQ(whole.sub(4).data(), whole.data() + 4);
  slice s = whole;
  s.remove_prefix(1);
  s.remove_suffix(2);
  EXPECT_EQ(text_of(s), "eadte");
  s.remove_prefix(5);
  EXPECT_TRUE(s.empty());
  EXPECT_EQ(text_of(whole), "headtext");
}

TEST(slice, shares_its_owner_with_its_copies) {
  pool p;
  slice a = pool::view(p.small(), 100);
  EXPECT_EQ(a.owner()->references(), 1u);
  slice b = a;
  slice c = a.sub(50);
  EXPECT_EQ(a.owner()->references(), 3u);
  a = slice{};
  slice d = std::move(b);
  EXPECT_EQ(d.owner()->references(), 2u);
  d = c;
  EXPECT_EQ(d.owner()->references(), 2u);
  const slice& itself = d;
  d = itself;
  EXPECT_EQ(d.owner()->references(), 2u);
  c = d = slice{};
  EXPECT_EQ(p.in_use(), 0u);
}

TEST(adopt, releases_its_owner_exactly_when_the_last_slice_goes) {
  int released = 0;
  const std::string_view text = "shared";
  slice whole;
  {
    const std::shared_ptr<const void> owner{text.data(), [&released](const void*) { ++released; }};
    whole = adopt(owner, octets_of(text));
  }
  EXPECT_EQ(text_of(whole), text);
  EXPECT_EQ(whole.owner()->capacity(), 0u);  // not our memory, hence not charged as a buffer
  std::vector<slice> parts{whole.sub(0, 3), whole.sub(3)};
  whole = slice{};
  EXPECT_EQ(released, 0);
  parts.pop_back();
  EXPECT_EQ(released, 0);
  EXPECT_EQ(text_of(parts[0]), "sha");
  parts.pop_back();
  EXPECT_EQ(released, 1);
}

}  // namespace
}  // namespace tunic
