#include <gtest/gtest.h>

#include "tests/ip/host.hpp"

namespace tunic::test {
namespace {

TEST(rfc1191_path_mtu, is_the_devices_until_lowered) {
  host h;
  EXPECT_EQ(h.ip.path_mtu(peer4), 1500u);
  h.ip.lower_path_mtu(peer4, 1400, h.now);
  EXPECT_EQ(h.ip.path_mtu(peer4), 1400u);
  EXPECT_EQ(h.ip.path_mtu(peer6), 1500u) << "one destination's path is not another's";
  h.ip.lower_path_mtu(peer4, 1450, h.now);
  EXPECT_EQ(h.ip.path_mtu(peer4), 1400u) << "never raised";
  h.ip.lower_path_mtu(peer4, 1300, h.now);
  EXPECT_EQ(h.ip.path_mtu(peer4), 1300u);
  h.ip.lower_path_mtu(peer6, 9000, h.now);
  EXPECT_EQ(h.ip.path_mtu(peer6), 1500u);
}

TEST(rfc1191_path_mtu, has_a_floor) {  // RFC 8201 §4
  host h;
  for (const std::uint32_t lie : {1000u, 68u, 0u}) {
    h.ip.lower_path_mtu(peer4, lie % 500, h.now);
    h.ip.lower_path_mtu(peer6, lie, h.now);
    EXPECT_EQ(h.ip.path_mtu(peer4), 576u);
    EXPECT_EQ(h.ip.path_mtu(peer6), 1280u);
  }
}

TEST(rfc1191_path_mtu, of_a_narrow_device_is_the_devices) {
  ip::config c = dual_stack();
  c.mtu = 500;
  host h{c};
  h.ip.lower_path_mtu(peer4, 68, h.now);
  EXPECT_EQ(h.ip.path_mtu(peer4), 500u);
}

TEST(rfc1191_path_mtu, is_forgotten_after_its_lifetime) {  // RFC 1191 §6.3
  host h;
  EXPECT_EQ(h.ip.next_deadline(), never);
  h.ip.lower_path_mtu(peer4, 1400, h.now);
  EXPECT_EQ(h.ip.next_deadline(), h.now + 10min);
  h.pass(5min);
  h.ip.lower_path_mtu(peer6, 1400, h.now);
  h.pass(5min - 1ns);
  EXPECT_EQ(h.ip.path_mtu(peer4), 1400u);
  h.pass(1ns);
  EXPECT_EQ(h.ip.path_mtu(peer4), 1500u);
  EXPECT_EQ(h.ip.path_mtu(peer6), 1400u);
  h.ip.lower_path_mtu(peer6, 1300, h.now);
  h.pass(5min);
  EXPECT_EQ(h.ip.path_mtu(peer6), 1300u) << "lowering it again begins another lifetime";
  h.pass(5min);
  EXPECT_EQ(h.ip.path_mtu(peer6), 1500u);
  EXPECT_EQ(h.ip.next_deadline(), never);
}

TEST(rfc1191_path_mtu, of_the_oldest_is_forgotten_beyond_the_limit) {
  ip::config c = dual_stack();
  c.path_mtus = 100;
  host h{c};
  const auto destination = [](std::uint32_t i) { return address::v4(0x0a000000 + i); };
  for (std::uint32_t i = 0; i < 250; ++i) h.ip.lower_path_mtu(destination(i), 1400, h.now + i * 1s);
  for (std::uint32_t i = 0; i < 250; ++i) EXPECT_EQ(h.ip.path_mtu(destination(i)), i < 150 ? 1500u : 1400u) << i;
  EXPECT_EQ(h.ip.next_deadline(), h.now + 150s + 10min);
}

}  // namespace
}  // namespace tunic::test
