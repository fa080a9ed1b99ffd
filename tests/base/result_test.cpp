#include "stack/base/result.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace tunic {
namespace {

enum class problem { none_left, too_late };

TEST(result, is_a_value_or_the_reason_why_there_is_none) {
  result<std::string, problem> r = std::string{"text"};
  ASSERT_TRUE(r);
  EXPECT_EQ(*r, "text");
  EXPECT_EQ(r->size(), 4u);
  r = problem::too_late;
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error(), problem::too_late);
}

TEST(result, carries_what_can_only_be_moved) {
  result<std::unique_ptr<int>, problem> r = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(*r);
  EXPECT_EQ(*taken, 7);
}

}  // namespace
}  // namespace tunic
