#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// Buffers that grow with what the path carries, the memory of all connections, and quick acknowledgements.

namespace tunic::test {
namespace {

using tcp::state;
constexpr duration rtt = 100ms;

script after_one_round_trip(script_options o = {}, const std::string& options = "mss 1000,wscale 7") {
  o.syn_options = options;
  auto t = script::listening(o);
  t.arrives("S 0:0(0) win 65535 <" + o.syn_options + ">");
  t.takes_sent();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 win 65535");
  t.user_accepts();
  return t;
}

/// A round trip in which the peer sends so much and the user reads it all.
void round_of(script& t, std::uint32_t& at, std::uint32_t octets) {
  for (std::uint32_t end = at + octets; at < end; at += 10'000) {
    t.arrives(line_of(".", at, 10'000, 1));
    while (t.takes_sent()) {
    }
    t.user_receives(10'000);
    while (t.takes_sent()) {
    }
  }
  t.passes_unheard(rtt);
}

TEST(receive_buffer, grows_to_twice_of_what_the_user_takes_in_a_round_trip) {
  auto t = after_one_round_trip();
  std::uint32_t at = 1;
  EXPECT_EQ(t.status().receive_buffer, 256u << 10);
  round_of(t, at, 200'000);
  round_of(t, at, 200'000);
  EXPECT_GE(t.status().receive_buffer, 400'000u);
  const auto before = t.status().receive_buffer;
  round_of(t, at, 400'000);
  round_of(t, at, 10'000);
  EXPECT_GE(t.status().receive_buffer, 2 * before);
  EXPECT_GE(t.status().rcv_wnd, before);
}

TEST(receive_buffer, of_a_user_who_does_not_read_does_not_grow) {
  auto t = after_one_round_trip();
  for (std::uint32_t at = 1; at < 250'000; at += 10'000) {
    t.arrives(line_of(".", at, 10'000, 1));
    while (t.takes_sent()) {
    }
    t.passes_unheard(rtt);
  }
  EXPECT_EQ(t.status().receive_buffer, 256u << 10);
}

TEST(receive_buffer, that_the_user_has_named_stays) {
  auto t = after_one_round_trip();
  t.tcp().set_receive_buffer(t.connection(), 300'000);
  t.takes_sent();
  std::uint32_t at = 1;
  for (int i = 0; i < 5; ++i) round_of(t, at, 200'000);
  EXPECT_EQ(t.status().receive_buffer, 300'000u);
}

TEST(send_buffer, holds_two_congestion_windows) {
  script_options o;
  o.stack.tcp.send_buffer_initial = 10'000;
  o.stack.tcp.send_buffer = 1'000'000;
  auto t = after_one_round_trip(o);
  EXPECT_EQ(t.user_sends(100'000), 20'000u);  // the initial window is 10,000
  sends_text(t, 1, 10'001, false, 1000);
  t.arrives(". 1:1(0) ack 5001");
  EXPECT_EQ(t.status().cwnd, 15'000u);
  while (t.takes_sent()) {
  }
  EXPECT_EQ(t.user_sends(100'000), 15'000u);  // 30,000 with what is unacknowledged
  t.passes_unheard(1ms);
}

TEST(send_buffer, has_room_besides_for_what_arrived_behind_a_gap) {
  script_options o;
  o.stack.tcp.send_buffer_initial = 10'000;
  o.stack.tcp.send_buffer = 1'000'000;
  auto t = after_one_round_trip(o, "mss 1000,sackOK,wscale 7");
  EXPECT_EQ(t.user_sends(100'000), 20'000u);
  sends_text(t, 1, 10'001, false, 1000);
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 8001:10001>");
  while (t.takes_sent()) {
  }
  const auto s = t.status();
  EXPECT_EQ(s.sacked, 2000u);
  t.user_sends(100'000);
  EXPECT_EQ(t.status().send_queued, 2 * s.cwnd + 2000);
  t.passes_unheard(1ms);
}

TEST(memory, that_is_all_in_use_lets_nobody_send_more_than_a_segment) {
  script_options o;
  o.stack.tcp.memory = 64 << 10;
  auto t = after_one_round_trip(o);
  t.user_sends(500'000);
  while (t.takes_sent()) {
  }
  EXPECT_GE(t.tcp().memory_used(), 64u << 10);
  EXPECT_EQ(t.user_sends(1000), 0u);
  t.user_aborts();
  t.takes_sent();
  EXPECT_EQ(t.tcp().memory_used(), 0u);
}

TEST(memory, is_free_again_once_the_user_has_read) {
  auto t = script::established();
  t.arrives("P. 1:1001(1000) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 1001");
  EXPECT_GE(t.tcp().memory_used(), 1000u);
  t.user_receives(1000);
  EXPECT_EQ(t.tcp().memory_used(), 0u);  // though nothing more arrives
}

TEST(memory, that_is_all_in_use_takes_no_text_ahead_of_a_gap) {
  script_options o;
  o.stack.tcp.memory = 4096;
  auto t = after_one_round_trip(o);
  t.arrives(". 1:5001(5000) ack 1");
  while (t.takes_sent()) {
  }
  t.arrives(". 6001:7001(1000) ack 1");
  t.dropped(drop::receive_full);
  t.takes_sent();
  t.user_receives(5000);
  t.arrives(". 5001:6001(1000) ack 1");  // in order, it is taken
  t.user_receives(1000);
  while (t.takes_sent()) {
  }
}

TEST(quick_ack, acknowledges_at_once_while_the_peer_is_in_slow_start) {  // RFC 5681 §4.2 allows it
  auto t = after_one_round_trip({.quick_acks = 3});
  for (std::uint32_t at = 1; at <= 301; at += 100) {
    t.arrives(line_of("P.", at, 100, 1));
    if (at < 301) t.sends(line_of(".", 1, 0, at + 100));
  }
  t.silent_for(40ms - 1us);
  t.passes(1us);
  t.sends(". 1:1(0) ack 401");
}

TEST(quick_ack, ends_where_we_answer) {  // it would only cost a segment: the answer carries it
  auto t = after_one_round_trip({.quick_acks = 16});
  t.arrives("P. 1:101(100) ack 1");
  t.sends(". 1:1(0) ack 101");
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 101");
  t.arrives("P. 101:201(100) ack 101");
  t.silent_for(40ms - 1us);
}

TEST(quick_ack, comes_back_with_a_gap) {
  auto t = after_one_round_trip({.quick_acks = 2});
  t.arrives("P. 1:101(100) ack 1");
  t.sends(". 1:1(0) ack 101");
  t.arrives("P. 101:201(100) ack 1");
  t.sends(". 1:1(0) ack 201");
  t.arrives("P. 301:401(100) ack 1");
  t.sends(". 1:1(0) ack 201");
  t.arrives("P. 201:301(100) ack 1");
  t.sends(". 1:1(0) ack 401");
  t.arrives("P. 401:501(100) ack 1");
  t.sends(". 1:1(0) ack 501");
}

}  // namespace
}  // namespace tunic::test
