#include "apps/tunic/impair/relay.hpp"

#include <system_error>

#include <gtest/gtest.h>

#include "drivers/loopback.hpp"
#include "tests/drivers/frames.hpp"

namespace tunic::app {
namespace {

using namespace drivers::test;
using namespace std::chrono_literals;

constexpr instant start{100s};

/// A kernel's end at each side of a relay's direction.
class relay_direction_test : public ::testing::Test {
 protected:
  packet receive() {
    std::error_code error;
    return right.second().receive(buffers, start, error);
  }

  drivers::loopback_pair left, right{{.offload = false}};
  pool buffers;
  frame f;
};

TEST_F(relay_direction_test, hands_on_super_segments_as_wire_segments_when_they_are_due) {
  relay_direction d{"left", left.second(), right.first(), {.rate = 8'000'000, .delay = 10ms}, 1};
  const std::string text = pattern(2400);
  make_tcp(f, acknowledging(), text, 960);
  ASSERT_FALSE(left.first().transmit(f, start));
  EXPECT_FALSE(d.take(start));
  d.hand_on(start + 10999us);
  EXPECT_FALSE(receive());
  d.hand_on(start + 12ms);
  EXPECT_EQ(text_of(receive().octets.octets().subspan(40)), text.substr(0, 960));
  EXPECT_EQ(text_of(receive().octets.octets().subspan(40)), text.substr(960, 960));
  EXPECT_FALSE(receive());
  EXPECT_EQ(d.most_lateness(), 1ms);
  EXPECT_EQ(d.mean_lateness(), 500us);
  EXPECT_EQ(d.path().under_way(), 1u);
}

TEST_F(relay_direction_test, takes_a_batch_at_a_time) {
  relay_direction d{"left", left.second(), right.first(), {.delay = 10ms}, 1};
  make_tcp(f, acknowledging(), "x");
  for (int i = 0; i < 100; ++i) ASSERT_FALSE(left.first().transmit(f, start));
  EXPECT_TRUE(d.take(start));
  EXPECT_LT(d.path().counters().came, 100u);
  EXPECT_FALSE(d.take(start));
  EXPECT_EQ(d.path().counters().came, 100u);
}

TEST_F(relay_direction_test, counts_what_the_device_refuses) {
  drivers::loopback_pair narrow{{.mtu = 576}};
  relay_direction d{"left", left.second(), narrow.first(), {}, 1};
  make_tcp(f, acknowledging(), pattern(1000));
  ASSERT_FALSE(left.first().transmit(f, start));
  d.take(start);
  d.hand_on(start);
  EXPECT_EQ(d.refused(), 1u);
}

struct broken final : tunic::device {
  [[nodiscard]] device_capabilities capabilities() const override { return {}; }
  [[nodiscard]] std::size_t mtu() const override { return 1500; }
  packet receive(pool&, instant, std::error_code& error) override {
    error = std::make_error_code(std::errc::no_such_device);
    return {};
  }
  std::error_code transmit(const frame&, instant) override { return {}; }
};

TEST_F(relay_direction_test, says_which_device_has_failed) {
  broken device;
  relay_direction d{"left:tun0", device, right.first(), {}, 1};
  try {
    d.take(start);
    FAIL() << "takes from a broken device";
  } catch (const std::system_error& e) {
    EXPECT_NE(std::string{e.what()}.find("left:tun0"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace tunic::app
