#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// How large segments are on paths that swallow large ones without a word (RFC 4821, RFC 8899), and where the user
// bounds them.

namespace tunic::test {
namespace {

constexpr duration rtt = 20ms;

/// Established after a round trip, the text of ten full segments and more under way, which meets silence.
script swallowed() {
  auto t = script::listening();
  t.arrives("S 0:0(0) win 65535 <mss 1460,sackOK>");
  t.takes_sent();
  t.silent_for(rtt);
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.user_sends(200'000);
  while (t.takes_sent_text() > 0) {
  }
  return t;
}

/// What is sent next, whenever that is; its length.
std::uint32_t next_length(script& t) {
  t.passes(1min);
  return t.takes_sent_text();
}

/// Up to where the peer has acknowledged.
std::uint32_t acknowledged(script& t) {
  return distance(t.iss(), t.connection().snd.una);
}

/// The same, once full segments have passed.
script swallowed_later() {
  auto t = swallowed();
  t.passes_unheard(rtt);
  t.arrives(". 1:1(0) ack " + std::to_string(t.sent_up_to()));
  while (t.takes_sent_text() > 0) {
  }
  return t;
}

TEST(rfc4821_black_hole, makes_segments_smaller_after_the_second_timeout) {
  auto t = swallowed_later();
  EXPECT_EQ(next_length(t), 1460u);  // the loss probe
  EXPECT_EQ(next_length(t), 1460u);  // the first timeout
  const instant stalled = t.now();
  EXPECT_EQ(next_length(t), 1240u);  // the second: 1,280 octets pass almost everywhere
  EXPECT_LT(t.now() - stalled, 1s);
  EXPECT_EQ(t.status().mss, 1240u);
  t.arrives(". 1:1(0) ack " + std::to_string(acknowledged(t) + 1240));
  std::uint32_t largest = 0;
  while (const std::uint32_t n = t.takes_sent_text()) largest = std::max(largest, n);
  EXPECT_EQ(largest, 1240u);
}

TEST(rfc4821_black_hole, that_was_there_from_the_first_is_suspected_at_the_first_timeout) {
  auto t = swallowed();
  EXPECT_EQ(next_length(t), 1240u);  // the loss probe, too large neither
  EXPECT_EQ(next_length(t), 1240u);
  EXPECT_EQ(t.status().mss, 1240u);
}

TEST(rfc4821_black_hole, is_found_before_any_timeout_by_a_peer_with_sack) {
  auto t = swallowed();
  const std::uint32_t window = t.status().cwnd;
  const std::uint32_t probed = t.sent_up_to();
  EXPECT_EQ(next_length(t), 1240u);
  const std::uint32_t end = t.sent_up_to();
  t.passes_unheard(rtt);
  t.arrives(". 1:1(0) ack 1 <sack " + std::to_string(std::max(probed, end - 1240)) + ":" + std::to_string(end) + ">");
  std::uint32_t largest = 0;
  while (const std::uint32_t n = t.takes_sent_text()) largest = std::max(largest, n);
  EXPECT_EQ(largest, 1240u);
  EXPECT_EQ(t.counted().timeouts, 0u);
  EXPECT_EQ(t.status().cwnd, window);  // it was no congestion
}

/// Everything is acknowledged, a round trip later, until a full segment has passed.
void goes_on_until_a_full_segment_passes(script& t) {
  std::uint32_t largest = 0;
  for (int round = 0; round < 10 && largest < 1460; ++round) {
    while (const std::uint32_t n = t.takes_sent_text()) largest = std::max(largest, n);
    t.passes_unheard(rtt);
    t.arrives(". 1:1(0) ack " + std::to_string(t.sent_up_to()));
  }
  EXPECT_EQ(largest, 1460u);
  EXPECT_EQ(t.status().mss, 1460u);
  while (t.takes_sent_text() > 0) {
  }
}

TEST(rfc4821_black_hole, that_was_congestion_is_answered_once_a_full_segment_arrives) {
  auto t = swallowed();
  const std::uint32_t window = t.status().cwnd;
  const std::uint32_t probed = t.sent_up_to();
  next_length(t);
  t.passes_unheard(rtt);
  t.arrives(". 1:1(0) ack 1 <sack " + std::to_string(probed) + ":" + std::to_string(t.sent_up_to()) + ">");
  EXPECT_EQ(t.status().ssthresh, tcp::no_threshold);
  goes_on_until_a_full_segment_passes(t);
  EXPECT_LT(t.status().ssthresh, 2 * window);
}

TEST(rfc4821_black_hole, is_none_where_segments_were_only_late) {  // RFC 5682 §2.1, RFC 4015 §3.2
  auto t = swallowed();
  const std::uint32_t before = t.status().cwnd;
  while (t.counted().timeouts == 0) next_length(t);
  t.arrives(". 1:1(0) ack 2921");  // of two that were sent before
  EXPECT_EQ(t.counted().undos, 1u);
  EXPECT_EQ(t.counted().retransmits, 1u);
  EXPECT_GE(t.status().cwnd, before);
  goes_on_until_a_full_segment_passes(t);
  EXPECT_EQ(t.status().ssthresh, tcp::no_threshold);
}

TEST(rfc4821_black_hole, is_none_where_only_small_segments_are_lost) {
  auto t = script::established({.syn_options = "mss 1460,sackOK", .no_delay = true});
  for (int i = 0; i < 10; ++i) {
    t.user_sends(1000);
    t.takes_sent_text();
  }
  t.passes_unheard(rtt);
  t.arrives(". 1:1(0) ack 1 <sack 5001:10001>");
  EXPECT_NE(t.status().ssthresh, tcp::no_threshold);
  EXPECT_EQ(t.status().mss, 1460u);
  while (t.takes_sent_text() > 0) {
  }
}

TEST(rfc4821_black_hole, spares_one_timeout_only) {
  auto t = swallowed();
  while (t.counted().timeouts == 0) next_length(t);
  t.arrives(". 1:1(0) ack 1241");
  while (t.takes_sent_text() > 0) {
  }
  while (t.counted().timeouts == 1) next_length(t);
  t.arrives(". 1:1(0) ack 2481");
  EXPECT_NE(t.status().ssthresh, tcp::no_threshold);
  while (t.takes_sent_text() > 0) {
  }
}

TEST(rfc4821_black_hole, is_no_congestion_where_a_full_segment_has_never_passed) {
  auto t = swallowed();
  const std::uint32_t before = t.status().cwnd;
  while (t.counted().timeouts == 0) next_length(t);
  EXPECT_LT(t.status().cwnd, before);  // nobody knows yet
  t.arrives(". 1:1(0) ack 1241");
  EXPECT_GE(t.status().cwnd, 10 * 1240u);
  EXPECT_EQ(t.status().ssthresh, tcp::no_threshold);
  std::uint32_t again = 0;
  while (const std::uint32_t n = t.takes_sent_text()) again += n;
  EXPECT_GE(again, 9 * 1240u);  // all that was swallowed is still to be sent
}

TEST(rfc4821_black_hole, that_is_narrower_still_is_tried_with_less) {
  auto t = swallowed();
  EXPECT_EQ(next_length(t), 1240u);  // the loss probe
  EXPECT_EQ(next_length(t), 1240u);
  EXPECT_EQ(next_length(t), 984u);
  EXPECT_EQ(next_length(t), 536u);
  EXPECT_EQ(next_length(t), 536u);
}

TEST(rfc4821_black_hole, is_noticed_though_the_peer_goes_on_talking) {
  auto t = swallowed_later();
  EXPECT_EQ(next_length(t), 1460u);  // the loss probe
  EXPECT_EQ(next_length(t), 1460u);  // the first timeout
  t.arrives("P. 1:101(100) ack " + std::to_string(acknowledged(t)));
  EXPECT_EQ(next_length(t), 0u);  // its acknowledgement
  EXPECT_EQ(next_length(t), 1240u);
}

TEST(rfc4821_black_hole, is_noticed_where_segments_are_large_but_not_full) {
  auto t = script::established();
  t.user_sends(1400);
  t.sends("P. 1:1401(1400) ack 1");
  EXPECT_EQ(next_length(t), 1240u);
}

TEST(rfc4821_black_hole, in_version_6_is_never_below_1280) {  // RFC 8200 §5
  auto t = script::established({.ipv6 = true, .syn_options = "mss 1440"});
  t.user_sends(50'000);
  while (t.takes_sent()) {
  }
  for (int i = 0; i < 6; ++i) next_length(t);
  EXPECT_EQ(t.status().mss, 1220u);
}

TEST(rfc4821_black_hole, of_short_segments_is_none) {
  auto t = script::established({.syn_options = "mss 1460"});
  t.user_sends(100);
  t.takes_sent();
  for (int i = 0; i < 6; ++i) next_length(t);
  EXPECT_EQ(t.status().mss, 1460u);
}

/// The path has shown itself narrower, everything so far is acknowledged, and more text flows in 1,240 octets.
script narrowed() {
  auto t = swallowed_later();
  for (int i = 0; i < 3; ++i) next_length(t);
  for (std::uint32_t last = 0; last != t.sent_up_to() || last == 0;) {
    last = t.sent_up_to();
    t.passes_unheard(rtt);
    t.arrives(". 1:1(0) ack " + std::to_string(last));
    while (t.takes_sent_text() > 0) {
    }
  }
  return t;
}

/// Sends on until a segment larger than `size` leaves, which it gives back with the number it begins at.
std::uint32_t probe_larger_than(script& t, std::uint32_t size, std::uint32_t& begin) {
  for (int round = 0; round < 40; ++round) {
    t.user_sends(40'000);
    for (;;) {
      begin = t.sent_up_to();
      const std::uint32_t n = t.takes_sent_text();
      if (n > size) return n;
      if (n == 0) break;
    }
    t.passes_unheard(rtt);
    t.arrives(". 1:1(0) ack " + std::to_string(t.sent_up_to()));
  }
  return 0;
}

TEST(rfc4821_search, probes_with_a_larger_segment_once_all_is_well) {  // §7.3, §7.4
  auto t = narrowed();
  ASSERT_EQ(t.status().mss, 1240u);
  t.passes_unheard(2s);
  std::uint32_t begin = 0;
  EXPECT_EQ(probe_larger_than(t, 1240, begin), 1460u);
  while (t.takes_sent_text() > 0) {
  }
  t.arrives(". 1:1(0) ack " + std::to_string(t.sent_up_to()));
  EXPECT_EQ(t.status().mss, 1460u);
  while (t.takes_sent_text() > 0) {
  }
}

TEST(rfc4821_search, waits_for_text_behind_the_probe_that_would_show_its_loss) {  // §6.1, §7.4
  auto t = narrowed();
  t.passes_unheard(2s);
  t.user_sends(1460 + 3 * 1240);
  for (int i = 0; i < 2; ++i) {  // the second time for what Nagle held
    while (const std::uint32_t n = t.takes_sent_text()) EXPECT_LE(n, 1240u);
    t.passes_unheard(rtt);
    t.arrives(". 1:1(0) ack " + std::to_string(t.sent_up_to()));
  }
  t.user_sends(1460 + 4 * 1240);
  EXPECT_EQ(t.takes_sent_text(), 1460u);
  while (t.takes_sent_text() > 0) {
  }
}

TEST(rfc4821_search, takes_the_loss_of_a_probe_for_no_congestion_and_halves_the_doubt) {  // §7.6.2, §7.3
  auto t = narrowed();
  t.passes_unheard(2s);
  std::uint32_t begin = 0;
  ASSERT_EQ(probe_larger_than(t, 1240, begin), 1460u);
  while (t.takes_sent_text() > 0) {
  }
  const auto before = t.status();
  t.passes_unheard(rtt);
  t.arrives(". 1:1(0) ack " + std::to_string(begin) + " <sack " + std::to_string(begin + 1460) + ":" +
            std::to_string(t.sent_up_to()) + ">");
  EXPECT_EQ(t.takes_sent_text(), 1240u);  // its octets again, in what fits
  EXPECT_EQ(t.takes_sent_text(), 220u);
  EXPECT_NE(t.status().phase, tcp::recovery_phase::recovery);
  EXPECT_GE(t.status().cwnd, before.cwnd);
  while (t.takes_sent_text() > 0) {
  }
  t.passes_unheard(rtt);
  t.arrives(". 1:1(0) ack " + std::to_string(t.sent_up_to()));
  std::uint32_t largest = 0;
  while (const std::uint32_t n = t.takes_sent_text()) largest = std::max(largest, n);
  EXPECT_EQ(largest, 1350u);
  while (t.takes_sent_text() > 0) {
  }
}

TEST(rfc9293_mss, that_the_user_names_bounds_both_ways) {
  auto t = script::listening({.mss = 1100});
  t.arrives("S 0:0(0) win 65535 <mss 1300>");
  t.sends("S. 0:0(0) ack 1 <mss 1100>");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.user_sends(1200);
  t.sends(". 1:1101(1100) ack 1");
  t.sends("P. 1101:1201(100) ack 1");
}

}  // namespace
}  // namespace tunic::test
