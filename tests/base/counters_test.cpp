#include "stack/base/counters.hpp"

#include <set>

#include <gtest/gtest.h>

namespace tunic {
namespace {

TEST(counters, every_drop_reason_has_a_name_of_its_own) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < drop_count; ++i) names.insert(name(static_cast<drop>(i)));
  EXPECT_EQ(names.size(), drop_count);
  EXPECT_FALSE(names.contains("?"));
}

TEST(counters, count_each_drop_by_its_reason) {
  counters c;
  c.count(drop::bad_checksum);
  c.count(drop::bad_checksum);
  c.count(drop::icmp_unrelated);
  EXPECT_EQ(c.dropped(drop::bad_checksum), 2u);
  EXPECT_EQ(c.dropped(drop::icmp_unrelated), 1u);
  EXPECT_EQ(c.dropped(drop::too_short), 0u);
}

}  // namespace
}  // namespace tunic
