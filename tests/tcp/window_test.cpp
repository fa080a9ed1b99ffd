#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// Windows: RFC 9293 §3.8.6, probes of a shut one, silly windows on both sides.

namespace tunic::test {
namespace {

using tcp::state;
constexpr duration rto_min = tcp::config{}.rto_min;

/// Silence up to the very moment, then something is sent.
void sends_after(script& t, duration d, std::string_view line) {
  t.silent_for(d - 1us);
  t.passes(1us);
  t.sends(line);
}

/// 1,460 octets acknowledged, the window shut, 2,920 more waiting.
script shut(script_options o = {}) {
  auto t = script::established(o);
  t.arrives(". 1:1(0) ack 1 win 1460");
  t.user_sends(3 * 1460);
  t.sends(". 1:1461(1460) ack 1");
  t.arrives(". 1:1(0) ack 1461 win 0");
  return t;
}

TEST(rfc9293_persist, is_probed_with_backoff) {  // RFC 9293 §3.8.6.1, MUST-36, SHLD-30
  auto t = shut();
  for (duration d = rto_min; d < 60s; d *= 2) sends_after(t, d, ". 1460:1460(0) ack 1");
  sends_after(t, 60s, ". 1460:1460(0) ack 1");
}

TEST(rfc9293_persist, is_probed_as_long_as_the_peer_answers) {  // RFC 9293 §3.8.6.1, MUST-37
  auto t = shut();
  for (int i = 0; i < 100; ++i) {
    t.passes(60s);
    t.sends(". 1460:1460(0) ack 1");
    t.arrives(". 1:1(0) ack 1461 win 0");
  }
  t.in_state(state::established);
}

TEST(rfc9293_persist, keeps_its_backoff_over_answered_probes) {  // RFC 9293 §3.8.6.1, SHLD-30
  auto t = shut();
  for (duration d = rto_min; d < 60s; d *= 2) {
    sends_after(t, d, ". 1460:1460(0) ack 1");
    t.arrives(". 1:1(0) ack 1461 win 0");
  }
}

TEST(rfc9293_persist, whose_probes_meet_silence_is_given_up) {  // RFC 9293 §3.8.3
  auto t = shut();
  for (unsigned i = 0; i < tcp::config{}.retries; ++i) {
    t.passes(60s);
    t.sends(". 1460:1460(0) ack 1");
  }
  t.silent_for(60s);
  t.closed_with(make_error_code(std::errc::timed_out));
}

TEST(rfc9293_persist, says_nothing_of_congestion) {
  // answers to probes are no duplicate ACKs, a probe's timeout no loss
  auto t = shut();
  const auto before = t.status();
  for (int i = 0; i < 8; ++i) {
    t.passes(60s);
    t.sends(". 1460:1460(0) ack 1");
    t.arrives(". 1:1(0) ack 1461 win 0");
    t.silent();
  }
  EXPECT_EQ(t.status().cwnd, before.cwnd);
  EXPECT_EQ(t.status().ssthresh, before.ssthresh);
}

TEST(rfc5681_restart, of_a_window_that_the_peers_had_held_for_longer_than_a_timeout) {  // RFC 5681 §4.1
  auto t = script::established({.no_delay = true});
  for (std::uint32_t una = 1; una < 58'000; una += 14'600) {  // slow start beyond the initial window
    t.user_sends(14'600);
    sends_text(t, una, una + 14'600);
    t.arrives(". 1:1(0) ack " + std::to_string(una + 14'600) + (una < 43'000 ? "" : " win 0"));
  }
  ASSERT_GT(t.status().cwnd, 14'600u);
  t.user_sends(40'000);
  t.passes_unheard(150ms);
  t.arrives(". 1:1(0) ack 58401 win 0");
  t.passes_unheard(1s);
  t.arrives(". 1:1(0) ack 58401");
  sends_text(t, 58'401, 58'401 + 14'600, false);
  t.silent();
}

TEST(rfc9293_persist, opens_and_text_leaves_at_once) {  // RFC 9293 §3.8.6
  auto t = shut();
  t.silent_for(100ms);
  t.arrives(". 1:1(0) ack 1461 win 65535");
  t.sends(". 1461:2921(1460) ack 1");
  t.sends("P. 2921:4381(1460) ack 1");
}

TEST(rfc9293_persist, opens_after_a_probe_and_text_leaves_at_once) {
  auto t = shut();
  sends_after(t, rto_min, ". 1460:1460(0) ack 1");
  t.arrives(". 1:1(0) ack 1461 win 0");
  t.arrives(". 1:1(0) ack 1461 win 65535");
  t.sends(". 1461:2921(1460) ack 1");
  t.sends("P. 2921:4381(1460) ack 1");
}

TEST(rfc9293_persist, opens_a_little_and_is_used_after_the_override_timeout) {  // RFC 9293 §3.8.6.2.1
  auto t = shut();
  sends_after(t, rto_min, ". 1460:1460(0) ack 1");
  t.arrives(". 1:1(0) ack 1461 win 500");
  sends_after(t, rto_min, ". 1461:1961(500) ack 1");
}

TEST(rfc9293_persist, whose_opening_was_lost_is_learnt_by_the_next_probe) {  // loss of a window update
  auto t = shut();
  sends_after(t, rto_min, ". 1460:1460(0) ack 1");
  t.arrives(". 1:1(0) ack 1461 win 0");
  // The update is lost on its way; what answers the next probe tells.
  sends_after(t, 2 * rto_min, ". 1460:1460(0) ack 1");
  t.arrives(". 1:1(0) ack 1461 win 65535");
  t.sends(". 1461:2921(1460) ack 1");
  t.sends("P. 2921:4381(1460) ack 1");
}

TEST(rfc9293_persist, of_an_orphan_is_not_probed_for_ever) {  // nobody waits for it: R2 counts though the peer answers
  auto t = shut();
  t.user_releases();
  for (unsigned i = 0; i < tcp::config{}.retries; ++i) {
    t.passes(60s);
    t.sends(". 1460:1460(0) ack 1");
    t.arrives(". 1:1(0) ack 1461 win 0");
  }
  t.silent_for(60s);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(rfc9293_persist, takes_an_acknowledgement_that_comes_with_text) {
  // RFC 9293 §3.10.7.4: special allowance for ACKs
  script_options o;
  o.stack.tcp.receive_buffer = 2000;
  auto t = script::established(o);
  t.arrives("P. 1:2001(2000) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 2001 win 0");
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 2001 win 0");
  t.arrives("P. 2001:2002(1) ack 101");  // the peer probes us
  t.sends(". 101:101(0) ack 2001 win 0");
  EXPECT_EQ(t.status().in_flight, 0u);
}

TEST(rfc9293_persist, of_ours_probed_while_our_text_is_under_way_makes_no_duplicate_acks) {
  // RFC 5681 §2: (b), no data
  script_options o;
  o.stack.tcp.receive_buffer = 2000;
  auto t = script::established(o);
  t.arrives("P. 1:2001(2000) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 2001 win 0");
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 2001 win 0");
  for (int i = 0; i < 3; ++i) {
    t.arrives("P. 2001:2002(1) ack 1");
    t.sends(". 101:101(0) ack 2001 win 0");
  }
  t.silent();
}

TEST(rfc9293_persist, of_ours_lets_a_reset_in) {  // RFC 9293 §3.10.7.4: special allowance for RSTs
  script_options o;
  o.stack.tcp.receive_buffer = 2000;
  auto t = script::established(o);
  t.arrives("P. 1:2001(2000) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 2001 win 0");
  t.arrives("R 2001:2001(0)");
  t.closed_with(make_error_code(std::errc::connection_reset));
}

TEST(rfc9293_small_window, does_not_keep_a_lost_segment_from_being_sent_again_whole) {
  // a peer that never offers a full one
  auto t = script::listening({.peer_window = 500});
  t.arrives("S 0:0(0) <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.user_sends(1000);
  t.sends(". 1:501(500) ack 1");
  sends_after(t, rto_min, ". 1:501(500) ack 1");
  t.arrives(". 1:1(0) ack 501");
  t.sends("P. 501:1001(500) ack 1");
}

TEST(rfc9293_small_window, that_grows_makes_nothing_be_sent_again) {
  // what lies within the window is on its way, not lost
  auto t = script::listening({.peer_window = 1000});
  t.arrives("S 0:0(0) <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.user_sends(1000);
  t.sends("P. 1:1001(1000) ack 1");
  t.arrives(". 1:1(0) ack 1 win 5000");
  t.silent();
  EXPECT_EQ(t.status().retransmits, 0u);
}

TEST(rfc9293_shrinking_window, does_not_end_the_connection) {  // RFC 9293 §3.8.6, MUST-34
  auto t = script::established();
  t.user_sends(3 * 1460);
  sends_text(t, 1, 4381);
  t.arrives(". 1:1(0) ack 1461 win 1000");  // 1,920 octets left of what is under way
  EXPECT_EQ(t.status().snd_wnd, 1000u);
  t.user_sends(1460);
  t.silent_for(rto_min - 1us);
  t.passes(1us);
  t.sends(". 1461:2921(1460) ack 1");  // §3.8.6, MAY-7
  t.arrives(". 1:1(0) ack 4381 win 65535");
  t.sends("P. 4381:5841(1460) ack 1");
}

TEST(rfc9293_window, never_is_exceeded) {  // RFC 9293 §3.8.6
  auto t = script::established();
  t.arrives(". 1:1(0) ack 1 win 4000");
  t.user_sends(14600);
  t.sends(". 1:1461(1460) ack 1");
  t.sends(". 1461:2921(1460) ack 1");
  t.silent();  // 1,080 more would be silly
  t.arrives(". 1:1(0) ack 1461 win 4000");
  t.sends(". 2921:4381(1460) ack 1");
}

TEST(rfc9293_window, is_not_set_by_an_older_segment) {  // RFC 9293 §3.10.7.4, fifth step: SND.WL1, SND.WL2
  auto t = script::established();
  t.arrives("P. 1:11(10) ack 1 win 5000");
  t.arrives(". 11:11(0) ack 1 win 6000");
  t.arrives("P. 1:12(11) ack 1 win 7000");  // begins at 11 for us, 1 for the rule: partly old
  EXPECT_EQ(t.status().snd_wnd, 7000u);
  t.sends(". 1:1(0) ack 12");
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 12");
  t.arrives(". 12:12(0) ack 101 win 8000");
  t.arrives(". 12:12(0) ack 100 win 9000");  // an older acknowledgement
  EXPECT_EQ(t.status().snd_wnd, 8000u);
}

TEST(rfc9293_window, is_set_by_a_newer_acknowledgement_on_text_that_is_sent_again) {  // with the first of both numbers
  auto t = script::established();
  t.user_sends(2920);
  t.sends(". 1:1461(1460) ack 1");
  t.sends("P. 1461:2921(1460) ack 1");
  t.arrives("P. 11:21(10) ack 1 win 3000");
  t.sends(". 2921:2921(0) ack 1");
  t.arrives("P. 1:11(10) ack 2921 win 80");  // the right edge stays at 3001
  EXPECT_EQ(t.status().snd_wnd, 80u);
  t.sends(". 2921:2921(0) ack 21");
}

TEST(rfc9293_silly_window, sender_waits_for_a_full_segment_or_half_of_the_largest_window) {  // RFC 9293 §3.8.6.2.1, (2)
  auto t = script::listening({.peer_window = 2000});
  t.arrives("S 0:0(0) <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.user_sends(5000);
  t.sends(". 1:1461(1460) ack 1");
  t.silent();  // 540 octets of window: neither a segment nor half of 2,000
  t.arrives(". 1:1(0) ack 1461 win 999");
  t.silent();
  t.arrives(". 1:1(0) ack 1461 win 1000");
  t.sends(". 1461:2461(1000) ack 1");
}

TEST(rfc9293_silly_window, sender_overrides_after_a_while) {  // RFC 9293 §3.8.6.2.1, (4): the override timeout
  auto t = script::established();
  t.arrives(". 1:1(0) ack 1 win 700");
  t.user_sends(5000);
  sends_after(t, rto_min, ". 1:701(700) ack 1");
}

TEST(rfc9293_silly_window, receiver_keeps_the_edge_until_it_can_move_by_a_segment) {  // RFC 9293 §3.8.6.2.2
  script_options o;
  o.stack.tcp.receive_buffer = 4000;
  auto t = script::established(o);
  t.arrives(". 1:1461(1460) ack 1");
  t.arrives(". 1461:2921(1460) ack 1");
  t.sends(". 1:1(0) ack 2921 win 1080");
  t.user_receives(1000);  // 1,000 octets are no segment
  t.arrives("P. 2921:2931(10) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 2931 win 1070");
  t.user_receives(460);
  t.sends(". 1:1(0) ack 2931 win 2530");  // a segment's worth: worth a segment of its own, too
}

TEST(rfc9293_silly_window, receiver_tells_of_a_shut_window_that_opens) {  // RFC 9293 §3.8.6.2.2
  script_options o;
  o.stack.tcp.receive_buffer = 2920;
  auto t = script::established(o);
  t.arrives(". 1:1461(1460) ack 1");
  t.arrives(". 1461:2921(1460) ack 1");
  t.sends(". 1:1(0) ack 2921 win 0");
  t.user_receives(1459);
  t.silent();
  t.user_receives(1);
  t.sends(". 1:1(0) ack 2921 win 1460");
}

TEST(rfc9293_silly_window, receiver_with_a_small_buffer_opens_by_halves) {
  // RFC 9293 §3.8.6.2.2: min(half, Eff.snd.MSS)
  script_options o;
  o.stack.tcp.receive_buffer = 1000;
  auto t = script::established(o);
  t.arrives("P. 1:1001(1000) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 1001 win 0");
  t.user_receives(499);
  t.silent();
  t.user_receives(1);
  t.sends(". 1:1(0) ack 1001 win 500");
}

TEST(rfc9293_receive_window, never_shrinks_at_the_right_edge) {  // RFC 9293 §3.8.6, SHLD-14
  auto t = script::established();
  EXPECT_EQ(t.status().rcv_wnd, 65535u);
  t.tcp().set_receive_buffer(t.connection(), 5000);
  t.arrives(". 1:1461(1460) ack 1");
  t.arrives(". 1461:2921(1460) ack 1");
  t.sends(". 1:1(0) ack 2921 win 62615");
  t.user_receives(2920);
  t.silent();
}

TEST(rfc7323_window, is_not_pushed_beyond_the_buffer_by_short_segments) {  // §2.4
  script_options o;
  o.stack.tcp.receive_buffer_initial = 10'000;
  o.syn_options = "mss 1460,nop,wscale 7";
  auto t = script::established(o);
  std::uint32_t at = 1;
  for (; t.status().rcv_wnd > 0 && at < 20'000; ++at) {
    t.arrives(line_of("P.", at, 1, 1));
    while (t.takes_sent()) {
    }
    t.passes_unheard(40ms);
  }
  EXPECT_GE(at, 10'000u);
  EXPECT_LE(at, 10'001u + 512);  // the scale of a buffer that may grow to 16 MiB
}

TEST(rfc9293_receive_window, follows_a_larger_buffer) {
  script_options o;
  o.stack.tcp.receive_buffer = 5000;
  auto t = script::established(o);
  t.tcp().set_receive_buffer(t.connection(), 20000);
  t.sends(". 1:1(0) ack 1 win 20000");
}

TEST(rfc9293_receive_window, counts_what_waits_ahead_of_a_gap) {
  script_options o;
  o.stack.tcp.receive_buffer = 5000;
  auto t = script::established(o);
  t.arrives(". 1461:2921(1460) ack 1");
  t.sends(". 1:1(0) ack 1 win 5000");
  t.arrives(". 1:1461(1460) ack 1");
  t.sends(". 1:1(0) ack 2921 win 2080");
}

}  // namespace
}  // namespace tunic::test
