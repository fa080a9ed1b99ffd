#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// Options: RFC 9293 §3.2 and §3.7.1, RFC 7323. RFC 2018 is in sack_test.

namespace tunic::test {
namespace {

using tcp::state;

script with_timestamps() {
  return with_options("mss 1460,TS val 100 ecr 0");
}

TEST(rfc9293_mss, is_536_where_the_peer_says_none) {  // RFC 9293 §3.7.1, MUST-15
  auto t = with_options("");
  EXPECT_EQ(t.status().mss, 536u);
  t.user_sends(1000);
  t.sends(". 1:537(536) ack 1");
  t.sends("P. 537:1001(464) ack 1");
}

TEST(rfc9293_mss, is_1220_in_version_6_where_the_peer_says_none) {  // RFC 9293 §3.7.1, MUST-15
  EXPECT_EQ(with_options("", {.ipv6 = true}).status().mss, 1220u);
}

TEST(rfc9293_mss, of_an_active_open_whose_answer_says_none_is_536) {
  auto t = script::opening();
  t.arrives("S. 0:0(0) ack 1 win 65535");
  t.sends(". 1:1(0) ack 1");
  EXPECT_EQ(t.status().mss, 536u);
}

TEST(rfc9293_mss, is_the_smaller_of_the_peers_and_the_paths) {  // RFC 9293 §3.7.1, MUST-16
  EXPECT_EQ(with_options("mss 1000").status().mss, 1000u);
  EXPECT_EQ(with_options("mss 9000").status().mss, 1460u);
  EXPECT_EQ(with_options("mss 65535", {.ipv6 = true}).status().mss, 1440u);
}

TEST(rfc9293_mss, has_a_floor) {  // a hostile peer cannot make segments of an octet, or of none
  for (const char* hostile : {"mss 0", "mss 1", "mss 47"}) EXPECT_EQ(with_options(hostile).status().mss, 48u);
  auto t = with_options("mss 0,TS val 1 ecr 0");
  EXPECT_EQ(t.status().mss, 36u);
  t.user_sends(100);
  t.sends(". 1:37(36) ack 1");
  t.sends(". 37:73(36) ack 1");
  t.sends("P. 73:101(28) ack 1");
}

TEST(rfc9293_mss, of_ours_follows_the_mtu) {  // RFC 9293 §3.7.1, MUST-14, SHLD-5
  script_options o;
  o.stack.ip.mtu = 9000;
  auto t = script::listening(o);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1 <mss 8960>");
}

TEST(rfc9293_options, unknown_are_skipped) {  // RFC 9293 §3.2, MUST-6
  auto t = script::listening();
  auto syn = t.datagram("S 0:0(0) win 65535 <mss 1460,nop,wscale 7>");
  syn[20 + 20] = std::byte{253};  // the MSS option becomes one of RFC 4727's for experiments, its length right
  repair_checksums(syn);
  t.datagram_arrives(syn);
  t.sends("S. 0:0(0) ack 1 <mss 1460,nop,wscale 9>");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  EXPECT_EQ(t.status().mss, 536u);
}

TEST(rfc9293_options, with_a_ragged_length_drop_the_segment) {  // RFC 9293 §3.2, MUST-7
  auto t = script::listening();
  auto syn = t.datagram("S 0:0(0) win 65535 <mss 1460>");
  for (const int length : {0, 1, 5, 255}) {
    syn[20 + 21] = static_cast<std::byte>(length);
    repair_checksums(syn);
    t.datagram_arrives(syn);
  }
  t.silent();
  t.dropped(drop::bad_option, 4);
}

TEST(rfc7323_scale, not_offered_is_not_answered) {  // RFC 7323 §1.3
  auto t = script::listening();
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  t.arrives(". 1:1(0) ack 1 win 5000");
  t.user_accepts();
  EXPECT_FALSE(t.status().window_scale);
  EXPECT_EQ(t.status().snd_wnd, 5000u);
  EXPECT_EQ(t.status().rcv_wnd, 65535u);
}

TEST(rfc7323_scale, not_answered_is_off_for_both) {  // RFC 7323 §1.3
  auto t = script::opening();
  t.arrives("S. 0:0(0) ack 1 win 5000 <mss 1460>");
  t.sends(". 1:1(0) ack 1 win 65535");
  t.arrives(". 1:1(0) ack 1 win 5000");
  EXPECT_EQ(t.status().snd_wnd, 5000u);
}

TEST(rfc7323_scale, shifts_both_windows) {  // RFC 7323 §2.2, §2.3
  auto t = script::listening();
  t.arrives("S 0:0(0) win 1000 <mss 1460,nop,wscale 3>");
  t.sends("S. 0:0(0) ack 1 win 65535 <mss 1460,nop,wscale 9>");  // 16 MiB need 9; a SYN's window is not scaled
  t.arrives(". 1:1(0) ack 1 win 1000");
  t.user_accepts();
  EXPECT_EQ(t.status().snd_wnd, 8000u);
  t.arrives(". 1:1461(1460) ack 1");
  t.arrives(". 1461:2921(1460) ack 1");
  t.sends(". 1:1(0) ack 2921 win 507");  // (256 KiB - 2,920) / 512, rounded up
}

TEST(rfc7323_scale, of_a_syn_ack_applies_from_the_next_segment_on) {  // RFC 7323 §2.2
  auto t = script::opening();
  t.arrives("S. 0:0(0) ack 1 win 1000 <mss 1460,nop,wscale 3>");
  t.sends(". 1:1(0) ack 1 win 512");
  EXPECT_EQ(t.status().snd_wnd, 1000u);
  t.arrives(". 1:1(0) ack 1 win 1000");
  EXPECT_EQ(t.status().snd_wnd, 8000u);
}

TEST(rfc7323_scale, on_a_segment_without_syn_says_nothing) {  // RFC 7323 §2.2
  auto t = with_options("mss 1460,nop,wscale 3");
  auto octets = t.datagram("S. 1:1(0) ack 1 win 1000 <mss 1460,nop,wscale 7>");
  octets[20 + 13] = std::byte{0x10};  // ACK alone
  repair_checksums(octets);
  t.datagram_arrives(octets);
  EXPECT_EQ(t.status().snd_wnd, 8000u);
}

TEST(rfc7323_scale, is_fourteen_at_most) {  // RFC 7323 §2.3
  auto t = with_options("mss 1460,nop,wscale 15");
  t.arrives(". 1:1(0) ack 1 win 1");
  EXPECT_EQ(t.status().snd_wnd, 1u << 14);
  script_options o;
  o.stack.tcp.receive_buffer = 0xffffffff;
  auto largest = script::listening(o);
  largest.arrives("S 0:0(0) win 65535 <mss 1460,nop,wscale 0>");
  largest.sends("S. 0:0(0) ack 1 <mss 1460,nop,wscale 14>");
}

TEST(rfc7323_scale, is_nought_for_a_small_buffer) {
  script_options o;
  o.stack.tcp.receive_buffer = 65535;
  auto t = script::listening(o);
  t.arrives("S 0:0(0) win 65535 <mss 1460,nop,wscale 7>");
  t.sends("S. 0:0(0) ack 1 win 65535 <mss 1460,nop,wscale 0>");
}

TEST(rfc9293_options, that_are_switched_off_are_not_offered) {
  script_options o;
  o.stack.tcp.window_scale = o.stack.tcp.timestamps = o.stack.tcp.sack = false;
  script active{o};
  active.user_opens();
  active.sends("S 0:0(0) win 65535 <mss 1460>");
  auto passive = script::listening(o);
  passive.arrives("S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>");
  passive.sends("S. 0:0(0) ack 1 <mss 1460>");
}

TEST(rfc7323_timestamps, stand_on_each_segment_once_agreed) {  // RFC 7323 §3.2
  auto t = script::listening();
  t.arrives("S 0:0(0) win 65535 <mss 1460,TS val 100 ecr 0>");
  t.sends("S. 0:0(0) ack 1 <mss 1460,TS val 0 ecr 100>");
  t.silent_for(25ms);
  t.arrives(". 1:1(0) ack 1 <TS val 125 ecr 0>");
  t.user_accepts();
  EXPECT_TRUE(t.status().timestamps);
  EXPECT_EQ(t.status().mss, 1448u);
  EXPECT_EQ(t.status().srtt, duration{25ms});
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1 <TS val 25 ecr 125>");
  t.arrives("P. 1:11(10) ack 11 <TS val 126 ecr 25>");
  t.passes(40ms);
  t.sends(". 11:11(0) ack 11 <TS val 65 ecr 126>");
}

TEST(rfc7323_timestamps, not_agreed_stand_on_none) {  // RFC 7323 §3.2
  auto t = script::opening();
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  t.sends(". 1:1(0) ack 1 <nop>");  // "<nop>": none of the options that count
  EXPECT_FALSE(t.status().timestamps);
  EXPECT_EQ(t.status().mss, 1460u);
}

TEST(rfc7323_timestamps, not_agreed_are_not_read) {  // RFC 7323 §3.2
  auto t = with_options("mss 1460");
  t.arrives("P. 1:11(10) ack 1 <TS val 500 ecr 0>");
  t.arrives("P. 11:21(10) ack 1 <TS val 400 ecr 0>");  // PAWS would refuse it
  t.user_receives(20);
  t.passes(40ms);
  t.sends(". 1:1(0) ack 21 <nop>");
}

TEST(rfc7323_timestamps, recent_is_that_of_the_text_the_acknowledgement_covers_first) {  // RFC 7323 §4.3, (2)
  auto t = with_timestamps();
  t.arrives("P. 1:11(10) ack 1 <TS val 110 ecr 0>");
  t.arrives("P. 11:21(10) ack 1 <TS val 120 ecr 0>");  // begins behind Last.ACK.sent
  t.passes(40ms);
  t.sends(". 1:1(0) ack 21 <TS val 40 ecr 110>");
}

TEST(rfc7323_timestamps, recent_is_not_taken_from_text_out_of_order) {  // RFC 7323 §4.3, example B
  auto t = with_timestamps();
  t.arrives("P. 11:21(10) ack 1 <TS val 200 ecr 0>");
  t.sends(". 1:1(0) ack 1 <TS val 0 ecr 100>");
  t.arrives("P. 1:11(10) ack 1 <TS val 150 ecr 0>");
  t.sends(". 1:1(0) ack 21 <TS val 0 ecr 150>");
}

TEST(rfc7323_timestamps, tell_nobody_our_uptime) {  // RFC 7323 §7.1: another offset for each pair of ends
  auto t = script::listening();
  t.arrives("S 0:0(0) win 65535 <mss 1460,TS val 1 ecr 0>");
  const auto first = t.takes_sent();
  t.peer_port(40001);
  t.arrives("S 0:0(0) win 65535 <mss 1460,TS val 1 ecr 0>");
  const auto second = t.takes_sent();
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->options.timestamps->val, second->options.timestamps->val);
}

TEST(rfc7323_timestamps, missing_on_a_segment_are_reason_to_drop_it) {  // RFC 7323 §3.2: in silence, and no abort
  auto t = with_timestamps();
  t.arrives("P. 1:11(10) ack 1");
  t.arrives("F. 1:1(0) ack 1");
  t.arrives(". 1:1(0) ack 1 win 0");
  t.silent();
  t.in_state(tcp::state::established);
  t.reads_nothing();
  EXPECT_GT(t.status().snd_wnd, 0u);
  t.dropped(drop::unacceptable_segment, 3);
}

TEST(rfc7323_timestamps, missing_on_a_reset_or_a_syn_do_not_matter) {  // RFC 7323 §3.2; RFC 5961 §4.2
  auto t = with_timestamps();
  t.arrives("S 500:500(0)");  // the peer begins anew, and must learn that we do not
  t.sends(". 1:1(0) ack 1 <TS val 0 ecr 100>");
  t.arrives("R 1:1(0)");
  t.closed_with(make_error_code(std::errc::connection_reset));
}

TEST(rfc7323_timestamps, missing_are_suffered_where_the_stack_is_told_so) {  // as Linux does
  script_options o;
  o.stack.tcp.require_timestamps = false;
  auto t = with_options("mss 1460,TS val 100 ecr 0", o);
  t.arrives("P. 1:11(10) ack 1");
  t.user_receives(10);
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
}

TEST(rfc7323_timestamps, stand_on_a_reset) {  // RFC 7323 §3.2, §5.2
  auto t = with_timestamps();
  t.silent_for(1s);
  t.user_aborts();
  t.sends("R. 1:1(0) ack 1 <TS val 1000 ecr 100>");
}

TEST(rfc7323_timestamps, of_an_active_open_are_followed_from_the_first_segment_on) {  // RFC 7323 §4.3: Last.ACK.sent
  for (const std::uint32_t before_wrap : {50u, 0x90000000u}) {
    script_options o;
    o.irs_before_wrap = before_wrap;
    auto t = script::opening(o);
    t.datagram_arrives(t.datagram("S. 0:0(0) ack 1 win 65535 <mss 1460,TS val 100 ecr 0>"));
    t.datagram_arrives(t.datagram("P. 1:11(10) ack 1 <TS val 110 ecr 0>"));  // before our ACK of the SYN could leave
    t.sends(". 1:1(0) ack 11 <TS val 0 ecr 110>");
  }
}

TEST(rfc7323_paws, drops_what_is_older_than_recent_and_acknowledges) {  // RFC 7323 §5.3, R1
  auto t = with_timestamps();
  t.arrives("P. 1:11(10) ack 1 <TS val 99 ecr 0>");
  t.sends(". 1:1(0) ack 1 <TS val 0 ecr 100>");
  t.reads_nothing();
  t.dropped(drop::unacceptable_segment);
  t.arrives("P. 1:11(10) ack 1 <TS val 100 ecr 0>");
  t.user_receives(10);
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
}

TEST(rfc7323_paws, lets_a_reset_pass) {  // RFC 7323 §5.3, R1: "and not an RST"
  auto t = with_timestamps();
  t.arrives("R 1:1(0) <TS val 1 ecr 0>");
  t.closed_with(make_error_code(std::errc::connection_reset));
}

TEST(rfc7323_paws, compares_on_the_circle) {  // RFC 7323 §5.2
  auto t = with_options("mss 1460,TS val 4294967290 ecr 0");
  t.arrives("P. 1:11(10) ack 1 <TS val 5 ecr 0>");
  t.user_receives(10);
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11 <TS val 40 ecr 5>");
  t.arrives("P. 11:21(10) ack 1 <TS val 4294967295 ecr 0>");
  t.sends(". 1:1(0) ack 11");
  t.reads_nothing();
}

TEST(rfc7323_paws, forgets_what_is_older_than_24_days) {  // RFC 7323 §5.5
  auto t = with_timestamps();
  t.silent_for(std::chrono::hours{25 * 24});
  t.arrives("P. 1:11(10) ack 1 <TS val 2160000100 ecr 0>");  // 25 days of 1 ms: on the circle that seems older
  t.user_receives(10);
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
}

}  // namespace
}  // namespace tunic::test
