#include <map>

#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// STATUS (RFC 9293 §3.10.6), the counters by RFC 4022's names, and what an observer is told.

namespace tunic::test {
namespace {

using tcp::state;
constexpr duration rtt = 100ms;

script with_rtt(script_options o = {}) {
  auto t = script::listening(o);
  t.arrives("S 0:0(0) win 65535 <mss 1000,sackOK>");
  t.takes_sent();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1 win 10000");
  t.user_accepts();
  return t;
}

std::uint64_t counter(const script& t, std::string_view name) {
  for (const auto& entry : mib(t.counted()))
    if (entry.name == name) return entry.value;
  ADD_FAILURE() << name;
  return 0;
}

TEST(status, tells_the_round_trip_and_what_the_timeout_makes_of_it) {
  auto t = with_rtt();
  EXPECT_EQ(t.status().srtt, rtt);
  EXPECT_EQ(t.status().min_rtt, rtt);
  EXPECT_EQ(t.status().rto, rtt + 200ms);
}

TEST(status, tells_how_long_the_peers_window_held_the_sender) {
  auto t = with_rtt();
  t.user_sends(12'000);
  for (int i = 0; i < 10; ++i) t.takes_sent();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 10001 win 0");
  t.silent_for(150ms);
  // Ten segments were all that it offered from the start, but the congestion window would have held the eleventh too.
  EXPECT_EQ(t.status().peer_window_limited, 150ms);
  t.arrives(". 1:1(0) ack 10001 win 10000");
  t.takes_sent();
  t.takes_sent();
  t.silent_for(50ms);
  t.arrives(". 1:1(0) ack 12001 win 10000");
  t.silent_for(1h);
  EXPECT_EQ(t.status().peer_window_limited, 150ms);
  EXPECT_EQ(t.status().busy, rtt + 200ms);
}

TEST(status, tells_how_long_the_send_buffer_held_the_user) {
  auto t = with_rtt();
  t.tcp().set_send_buffer(t.connection(), 2000);
  EXPECT_EQ(t.user_sends(5000), 2000u);
  t.takes_sent();
  t.takes_sent();
  t.silent_for(rtt);
  EXPECT_EQ(t.status().send_buffer_limited, rtt);
  t.arrives(". 1:1(0) ack 2001 win 10000");
  t.silent_for(1h);
  EXPECT_EQ(t.status().send_buffer_limited, rtt);
}

TEST(status, blames_the_network_where_buffer_and_congestion_window_are_full_at_once) {
  auto t = with_rtt();
  t.tcp().set_send_buffer(t.connection(), 10'000);
  EXPECT_EQ(t.user_sends(20'000), 10'000u);
  for (int i = 0; i < 10; ++i) t.takes_sent();
  t.silent_for(rtt);
  EXPECT_EQ(t.status().send_buffer_limited, 0ms);
  EXPECT_EQ(t.status().busy, rtt);
}

TEST(status, tells_when_text_came_last) {
  auto t = with_rtt();
  EXPECT_FALSE(t.status().since_text);
  t.arrives("P. 1:11(10) ack 1");
  t.passes_unheard(1s);
  t.arrives(". 11:11(0) ack 1");
  EXPECT_EQ(t.status().since_text, 1s);
  EXPECT_EQ(t.status().since_received, 0s);
}

TEST(status, tells_the_rate_at_which_the_path_delivers) {  // draft-ietf-ccwg-bbr-04 §4.1
  auto t = with_rtt();
  for (std::uint32_t round = 0; round < 3; ++round) {
    t.user_sends(5000);
    for (int i = 0; i < 5; ++i) t.takes_sent();
    t.silent_for(rtt);
    t.arrives(". 1:1(0) ack " + std::to_string(5001 + 5000 * round) + " win 10000");
  }
  EXPECT_EQ(t.status().delivery_rate, 50'000u);  // 5,000 octets in 100 ms
  EXPECT_TRUE(t.status().app_limited);
  EXPECT_EQ(t.status().delivered, 15'000u);
}

TEST(rfc4022_counters, count_opens_and_their_failures) {
  auto t = script::established();
  EXPECT_EQ(counter(t, "tcpPassiveOpens"), 1u);
  EXPECT_EQ(counter(t, "tcpCurrEstab"), 1u);
  t.arrives("R 1:1(0)");
  EXPECT_EQ(counter(t, "tcpEstabResets"), 1u);
  EXPECT_EQ(counter(t, "tcpCurrEstab"), 0u);
  auto refused = script::opening();
  refused.arrives("R. 0:0(0) ack 1");
  EXPECT_EQ(counter(refused, "tcpActiveOpens"), 1u);
  EXPECT_EQ(counter(refused, "tcpAttemptFails"), 1u);
  EXPECT_EQ(counter(refused, "tcpEstabResets"), 0u);
}

TEST(rfc4022_counters, follow_a_connection_to_its_end) {
  auto t = script::in(state::close_wait);
  EXPECT_EQ(counter(t, "tcpCurrEstab"), 1u);
  t.user_closes();
  EXPECT_EQ(counter(t, "tcpCurrEstab"), 0u);
  EXPECT_EQ(counter(t, "tcpEstabResets"), 0u);
  t.takes_sent();
}

TEST(rfc4022_counters, count_segments) {
  auto t = with_rtt();
  t.user_sends(1000);
  t.takes_sent();
  EXPECT_EQ(counter(t, "tcpInSegs"), 2u);
  EXPECT_EQ(counter(t, "tcpOutSegs"), 2u);
  t.passes(1s);
  t.takes_sent();
  EXPECT_EQ(counter(t, "tcpRetransSegs"), 1u);
  EXPECT_EQ(t.counted().loss_probes, 1u);
}

}  // namespace
}  // namespace tunic::test
