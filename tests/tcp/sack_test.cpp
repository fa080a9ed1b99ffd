#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// SACK: RFC 2018, what the receiver reports. What the sender makes of it is in recovery_test.

namespace tunic::test {
namespace {

TEST(rfc2018_sack, is_agreed_by_both) {  // RFC 2018 §2
  EXPECT_FALSE(with_options("mss 1460").status().sack);
  auto t = with_options("mss 1460,sackOK");
  EXPECT_TRUE(t.status().sack);
}

TEST(rfc2018_sack, not_agreed_sends_no_blocks) {  // RFC 2018 §2
  auto t = with_options("mss 1460");
  t.arrives("P. 11:21(10) ack 1");
  t.sends(". 1:1(0) ack 1 <nop>");
}

TEST(rfc2018_sack, reports_the_latest_block_first) {  // RFC 2018 §4
  auto t = with_options("mss 1460,sackOK");
  t.arrives("P. 11:21(10) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 11:21>");
  t.arrives("P. 31:41(10) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 31:41 11:21>");
  t.arrives("P. 51:61(10) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 51:61 31:41 11:21>");
  t.arrives("P. 21:31(10) ack 1");  // joins two
  t.sends(". 1:1(0) ack 1 <sack 11:41 51:61>");
}

TEST(rfc2018_sack, reports_four_blocks_and_three_beside_timestamps) {  // RFC 2018 §3
  auto four = with_options("mss 1460,sackOK");
  auto three = with_options("mss 1460,sackOK,TS val 1 ecr 0");
  for (std::uint32_t i = 0; i < 4; ++i) {
    four.arrives(line_of("P.", 11 + 20 * i, 10, 1));
    three.arrives(line_of("P.", 11 + 20 * i, 10, 1) + " <TS val 1 ecr 0>");
    (void)four.takes_sent();
    (void)three.takes_sent();
  }
  four.arrives("P. 91:101(10) ack 1");
  four.sends(". 1:1(0) ack 1 <sack 91:101 71:81 51:61 31:41>");
  three.arrives("P. 91:101(10) ack 1 <TS val 1 ecr 0>");
  three.sends(". 1:1(0) ack 1 <TS val 0 ecr 1,sack 91:101 71:81 51:61>");
}

TEST(rfc2018_sack, repeats_older_blocks_however_long_the_latest_grows) {
  // RFC 2018 §4: the most recently reported ones
  auto t = with_options("mss 1460,sackOK");
  t.arrives("P. 11:21(10) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 11:21>");
  for (std::uint32_t i = 0; i < 6; ++i) {
    t.arrives(line_of("P.", 31 + 10 * i, 10, 1));
    t.sends(". 1:1(0) ack 1 <sack 31:" + std::to_string(41 + 10 * i) + " 11:21>");
  }
}

TEST(rfc2018_sack, reports_the_block_of_a_repeated_segment_first) {
  // RFC 2018 §4: that of the segment which triggered the ACK
  auto t = with_options("mss 1460,sackOK");
  t.arrives("P. 11:21(10) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 11:21>");
  t.arrives("P. 31:41(10) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 31:41 11:21>");
  t.arrives("P. 11:21(10) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 11:21 11:21 31:41>");  // behind the report of the duplicate (RFC 2883 §4)
}

TEST(rfc2018_sack, blocks_vanish_as_gaps_are_filled) {
  auto t = with_options("mss 1460,sackOK");
  t.arrives("P. 11:21(10) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 11:21>");
  t.arrives("P. 31:41(10) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 31:41 11:21>");
  t.arrives("P. 1:11(10) ack 1");
  t.sends(". 1:1(0) ack 21 <sack 31:41>");
  t.arrives("P. 21:31(10) ack 1");
  t.sends(". 1:1(0) ack 41 <nop>");
  t.user_receives(40);
}

TEST(rfc2018_sack, stands_on_text_of_ours_too_and_takes_its_room) {  // RFC 9293 §3.7.1: options count
  auto t = with_options("mss 1460,sackOK");
  t.arrives("P. 11:21(10) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 11:21>");
  t.user_sends(1460);
  t.sends(". 1:1449(1448) ack 1 <sack 11:21>");
  t.sends("P. 1449:1461(12) ack 1 <sack 11:21>");
  t.arrives("P. 1:11(10) ack 1461");
  t.sends(". 1461:1461(0) ack 21");
}

TEST(rfc2018_sack, blocks_that_tell_nonsense_tell_nothing) {
  auto t = with_options("mss 1460,sackOK");
  t.user_sends(2920);
  sends_text(t, 1, 2921);
  t.arrives(". 1:1(0) ack 1 <sack 2921:1461>");
  t.arrives(". 1:1(0) ack 1 <sack 99999:1>");
  t.arrives(". 1:1(0) ack 1 <sack 1461:2922>");
  t.silent();
}

TEST(rfc2018_sack, over_version_6) {
  auto t = with_options("mss 1440,sackOK,TS val 1 ecr 0", {.ipv6 = true});
  t.arrives("P. 11:21(10) ack 1 <TS val 1 ecr 0>");
  t.sends(". 1:1(0) ack 1 <TS val 0 ecr 1,sack 11:21>");
}

}  // namespace
}  // namespace tunic::test
