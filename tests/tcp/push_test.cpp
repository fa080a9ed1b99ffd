#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// Where segments and super-segments end, and what waits for more text: RFC 9293 §3.9.1.2, PUSH, and what users know as
// cork, more to come, and the end of a record.

namespace tunic::test {
namespace {

/// Nothing leaves before open(): the peer's window is shut.
script shut(script_options o = {.no_delay = true}) {
  auto t = script::established(o);
  t.arrives(". 1:1(0) ack 1 win 0");
  return t;
}

void open(script& t) {
  t.arrives(". 1:1(0) ack 1");
}

TEST(rfc9293_push, stands_behind_what_the_user_has_said) {  // RFC 9293 §3.9.1.2, MUST-61
  auto t = script::established({.no_delay = true});
  t.user_sends(2000);
  t.sends(". 1:1461(1460) ack 1");
  t.sends("P. 1461:2001(540) ack 1");
}

TEST(rfc9293_push, does_not_stand_where_the_user_says_that_more_follows) {
  auto t = script::established({.no_delay = true});
  t.user_sends(1460, tcp::ending::more);
  t.sends(". 1:1461(1460) ack 1");
  t.user_sends(100);
  t.sends("P. 1461:1561(100) ack 1");
}

TEST(rfc9293_push, stands_behind_each_thing_that_was_said) {
  auto t = shut();
  t.user_sends(1460);
  t.user_sends(1460, tcp::ending::more);
  t.user_sends(1460);
  open(t);
  t.sends("P. 1:1461(1460) ack 1");
  t.sends(". 1461:2921(1460) ack 1");
  t.sends("P. 2921:4381(1460) ack 1");
}

TEST(rfc9293_push, stands_in_endless_text_twice_a_window) {
  auto t = shut();
  t.user_sends(32'120, tcp::ending::more);
  t.user_sends(1460, tcp::ending::more);  // more than half of 65,535 now
  t.user_sends(1460, tcp::ending::more);
  open(t);
  sends_text(t, 1, 14'601, false);
  t.arrives(". 1:1(0) ack 14601");
  sends_text(t, 14'601, 33'581);
  t.sends(". 33581:35041(1460) ack 1");
}

TEST(rfc9293_push, goes_again_with_its_segment) {
  auto t = script::established({.syn_options = "mss 1460,sackOK", .no_delay = true});
  t.user_sends(2000);
  t.sends(". 1:1461(1460) ack 1");
  t.sends("P. 1461:2001(540) ack 1");
  t.user_sends(1460, tcp::ending::more);  // other text has been said since
  t.sends(". 2001:3461(1460) ack 1");
  t.arrives(". 1:1(0) ack 1461 <sack 2001:3461>");
  t.sends("P. 1461:2001(540) ack 1");
}

script with_super_segments(duration rtt) {
  script_options o;
  o.stack.device.segmentation_v4 = true;
  o.no_delay = true;
  auto t = script::listening(o);
  t.arrives("S 0:0(0) <mss 1460>");
  t.sends("S. 0:0(0) ack 1 <mss 1460>");
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  return t;
}

TEST(super_segment, leaves_the_cutting_to_a_device_that_can) {
  auto t = with_super_segments(100us);
  t.user_sends(10000);
  frame f;
  ASSERT_TRUE(t.stack().poll_transmit(f, t.now()));
  EXPECT_EQ(f.text_size(), 7300u);  // half of the window, so that acknowledgements come while the rest is under way
  EXPECT_EQ(f.segment_size, 1460u);
  ASSERT_TRUE(t.stack().poll_transmit(f, t.now()));
  EXPECT_EQ(f.text_size(), 2700u);
}

TEST(super_segment, holds_no_more_than_the_path_carries_in_a_moment) {
  auto t = with_super_segments(100ms);
  t.user_sends(10000);
  frame f;
  for (const std::uint32_t octets : {2920u, 2920u, 2920u, 1240u}) {  // two segments at least
    ASSERT_TRUE(t.stack().poll_transmit(f, t.now()));
    EXPECT_EQ(f.text_size(), octets);
  }
}

TEST(cork, keeps_short_text_until_it_is_full_or_a_timeout_has_passed) {
  auto t = script::established({.no_delay = true});
  t.tcp().set_cork(t.connection(), true);
  t.user_sends(1000);
  t.user_sends(1000);
  t.sends("P. 1:1461(1460) ack 1");
  t.arrives(". 1:1(0) ack 1461");
  t.silent_for(200ms - 1us);
  t.passes(1us);
  t.sends("P. 1461:2001(540) ack 1");
}

TEST(cork, that_is_pulled_lets_everything_go) {
  auto t = script::established({.no_delay = true});
  t.tcp().set_cork(t.connection(), true);
  t.user_sends(100);
  t.silent_for(10ms);
  t.tcp().set_cork(t.connection(), false);
  t.sends("P. 1:101(100) ack 1");
}

TEST(cork, forgets_the_time_when_what_waited_has_left) {
  auto t = script::established({.no_delay = true});
  t.tcp().set_cork(t.connection(), true);
  t.user_sends(1000);
  t.silent_for(100ms);
  t.user_sends(460);
  t.sends("P. 1:1461(1460) ack 1");
  t.arrives(". 1:1(0) ack 1461");
  t.silent_for(1h);
}

TEST(more, follows_and_leaves_in_one_segment) {
  auto t = script::established({.no_delay = true});
  t.user_sends(100, tcp::ending::more);
  t.silent_for(10ms);
  t.user_sends(100);
  t.sends("P. 1:201(200) ack 1");
}

TEST(more, is_waited_for_until_a_timeout_has_passed) {
  auto t = script::established({.no_delay = true});
  t.user_sends(100, tcp::ending::more);
  t.silent_for(200ms - 1us);
  t.passes(1us);
  t.sends("P. 1:101(100) ack 1");
}

TEST(more, is_waited_for_until_an_acknowledgement_comes) {
  auto t = script::established({.no_delay = true});
  t.user_sends(1560, tcp::ending::more);
  t.sends(". 1:1461(1460) ack 1");
  t.silent_for(10ms);
  t.arrives(". 1:1(0) ack 1461");
  t.sends(". 1461:1561(100) ack 1");
}

TEST(record, ends_with_a_segment) {
  auto t = shut();
  t.user_sends(2000, tcp::ending::record);
  t.user_sends(100, tcp::ending::record);
  t.user_sends(100);
  open(t);
  t.sends(". 1:1461(1460) ack 1");
  t.sends("P. 1461:2001(540) ack 1");
  t.sends("P. 2001:2101(100) ack 1");
  t.sends("P. 2101:2201(100) ack 1");
}

TEST(record, of_which_a_later_one_follows_does_not_wait_as_the_last_one_does) {
  auto t = shut({});
  t.user_sends(100, tcp::ending::record);
  t.user_sends(100, tcp::ending::record);
  t.user_sends(100, tcp::ending::record);
  open(t);
  t.sends("P. 1:101(100) ack 1");
  t.sends("P. 101:201(100) ack 1");
  t.silent_for(10ms);  // Nagle's algorithm has the last one wait
  t.arrives(". 1:1(0) ack 201");
  t.sends("P. 201:301(100) ack 1");
}

TEST(record, ends_with_a_segment_also_when_it_goes_again) {
  auto t = shut({.syn_options = "mss 1460,sackOK", .no_delay = true});
  for (int i = 0; i < 5; ++i) t.user_sends(100, tcp::ending::record);
  open(t);
  for (std::uint32_t i = 0; i < 5; ++i) t.sends(line_of("P.", 1 + i * 100, 100, 1));
  t.passes(10ms);
  t.arrives(". 1:1(0) ack 1 <sack 201:501>");
  t.sends("P. 1:101(100) ack 1");
  t.sends("P. 101:201(100) ack 1");
  t.arrives(". 1:1(0) ack 501");
  t.silent_for(1h);
}

TEST(record, goes_again_alone_as_a_probe_and_after_a_timeout) {  // RFC 8985 §7.3
  auto t = shut({.syn_options = "mss 1460,sackOK", .no_delay = true});
  for (int i = 0; i < 3; ++i) t.user_sends(100, tcp::ending::record);
  open(t);
  for (std::uint32_t i = 0; i < 3; ++i) t.sends(line_of("P.", 1 + i * 100, 100, 1));
  t.passes(1s);
  t.sends("P. 201:301(100) ack 1");
  t.passes(1s);
  for (std::uint32_t i = 0; i < 3; ++i) t.sends(line_of("P.", 1 + i * 100, 100, 1));
}

TEST(unsent_limit, lets_the_user_decide_late) {
  auto t = script::established({.no_delay = true});
  t.tcp().set_unsent_limit(t.connection(), 2000);
  EXPECT_EQ(t.user_sends(20'000), 2000u);
  sends_text(t, 1, 2001);
  EXPECT_EQ(t.user_sends(20'000), 2000u);  // what is under way does not count
  sends_text(t, 2001, 4001);
  t.arrives(". 1:1(0) ack 4001");
  EXPECT_TRUE(t.told().writable);
}

TEST(send_buffer, tells_its_user_when_a_third_is_free) {
  auto t = script::established({.no_delay = true});
  t.tcp().set_send_buffer(t.connection(), 6000);
  EXPECT_EQ(t.user_sends(7000), 6000u);
  sends_text(t, 1, 6001);
  t.arrives(". 1:1(0) ack 1461");
  EXPECT_FALSE(t.told().writable);
  t.arrives(". 1:1(0) ack 2921");
  EXPECT_TRUE(t.told().writable);
}

}  // namespace
}  // namespace tunic::test
