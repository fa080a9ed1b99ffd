#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// Text leaves at the rate that congestion control names, not in bursts (RFC 7661 §4.4.2).
// Segments carry 1,000 octets, round trips take 100 ms.

namespace tunic::test {
namespace {

/// Reno, paced, whose initial window of ten segments is acknowledged; ten more have doubled it.
script paced(script_options o = {}) {
  o.stack.tcp.congestion = tcp::congestion_algorithm::reno;
  o.stack.tcp.pacing = true;
  auto t = script::listening(o);
  t.arrives("S 0:0(0) win 65535 <mss 1000>");
  t.sends("S. 0:0(0) ack 1");
  t.silent_for(100ms);
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.user_sends(40'000);
  while (t.sent_up_to() < 10'001) EXPECT_GT(t.takes_sent_text(), 0u);
  t.silent_for(100ms);
  t.arrives(". 1:1(0) ack 10001");
  return t;
}

TEST(pacing, lets_the_initial_window_leave_at_once_and_spreads_what_follows) {
  auto t = paced();
  EXPECT_EQ(t.status().pacing_rate, 400'000u);  // twice 20,000 octets in 100 ms: slow start
  for (std::uint32_t at = 10'001; at < 20'001; at += 1000) {
    t.sends(line_of(".", at, 1000, 1));
    t.silent_for(at == 10'001 ? 1ms : 2ms);
    t.passes(600us);  // 2.5 ms a segment; half of that the first time, for it is late
  }
  t.sends(". 20001:21001(1000) ack 1");
  t.passes_unheard(1us);
}

TEST(pacing, bounds_a_super_segment_by_the_quantum) {
  script_options o;
  o.stack.device = {.checksum = false, .segmentation_v4 = true, .segmentation_v6 = true};
  o.stack.tcp.pacing_quantum = 10ms;
  auto t = paced(o);
  t.sends("P. 10001:14001(4000) ack 1");  // 10 ms at 400,000 octets a second
  t.silent_for(4ms);
  t.passes(2ms);
  t.sends("P. 14001:18001(4000) ack 1");
  t.silent_for(9ms);
  t.passes(2ms);
  t.sends("P. 18001:22001(4000) ack 1");
}

// In congestion avoidance, of who does not pace: the acknowledgements that came while nobody looked are one burst.

/// Unpaced CUBIC, out of recovery: of so many flights, each twice the one before, the last lost its first segment, and
/// all is acknowledged now, in one go. 20,000 octets wait.
script after_a_loss(int flights) {
  auto t = script::listening();
  t.arrives("S 0:0(0) win 65535 <mss 1000,sackOK>");
  t.sends("S. 0:0(0) ack 1");
  t.silent_for(100ms);
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  std::uint32_t begin = 1;
  std::uint32_t end = 1;
  for (std::uint32_t octets = 10'000; flights > 0; --flights, octets *= 2) {
    if (end > 1) t.arrives(". 1:1(0) ack " + std::to_string(end));
    begin = end;
    end += octets;
    t.user_sends(octets);
    while (t.sent_up_to() < end) EXPECT_GT(t.takes_sent_text(), 0u);
    t.silent_for(100ms);
  }
  t.arrives(". 1:1(0) ack " + std::to_string(begin) + " <sack " + std::to_string(begin + 1000) + ":" +
            std::to_string(end) + ">");
  t.sends(line_of(".", begin, 1000, 1));
  t.silent_for(100ms);
  t.arrives(". 1:1(0) ack " + std::to_string(end));
  t.user_sends(20'000);
  return t;
}

TEST(burst_bound, lets_a_few_segments_leave_at_once_and_the_rest_at_the_pacing_rate) {
  auto t = after_a_loss(2);
  EXPECT_NEAR(t.status().cwnd, 14'000, 100);
  for (std::uint32_t at = 30'001; at < 34'001; at += 1000) t.sends(line_of(".", at, 1000, 1));
  t.silent_for(1ms);
  for (std::uint32_t at = 34'001; at < 38'001; at += 1000) {
    t.passes(6ms);  // 14,000 octets in 100 ms by 1.2: 5.95 ms a segment
    t.sends(line_of(".", at, 1000, 1));
  }
}

TEST(burst_bound, does_not_hold_what_might_leave_at_once_in_the_beginning) {
  auto t = after_a_loss(1);
  EXPECT_NEAR(t.status().cwnd, 7'000, 100);
  for (std::uint32_t at = 10'001; at < 17'001; at += 1000) t.sends(line_of(".", at, 1000, 1));
}

}  // namespace
}  // namespace tunic::test
