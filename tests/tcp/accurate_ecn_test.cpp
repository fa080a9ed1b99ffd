#include <gtest/gtest.h>

#include "stack/tcp/ecn.hpp"
#include "tests/tcp/segments.hpp"

// What RFC 9768 counts and feeds back, and what a sender makes of it. A digit among the flags is the ACE field.

namespace tunic::test {
namespace {

using tcp::ecn_feedback;
using tcp::ecn_use;
using tcp::recovery_phase;
using enum wire::ecn_codepoint;

/// A passive open with a peer that asks for it, in segments of 1,000 octets. `last_ack`: of the handshake.
script accepted(std::string_view last_ack = ".2 1:1(0) ack 1 <ECN e0b 1 ceb 0 e1b 1>", script_options o = {}) {
  o.stack.tcp.ecn = ecn_use::accurate;
  o.stack.tcp.congestion = tcp::congestion_algorithm::reno;
  o.no_delay = true;
  auto t = script::listening(o);
  t.arrives("S7 0:0(0) win 65535 <mss 1000,sackOK>");
  t.sends("[noecn] S.2 0:0(0) ack 1");
  t.silent_for(100ms);
  t.arrives(last_ack);
  t.user_accepts();
  EXPECT_EQ(t.status().ecn, ecn_feedback::accurate);
  return t;
}

void sends_capable(script& t, std::uint32_t begin, std::uint32_t end, std::string_view ace = "5") {
  for (; begin < end; begin += 1000)
    t.sends("[ect0] " + line_of((begin + 1000 == end ? "P." : ".") + std::string{ace}, begin, 1000, 1));
}

// --- What leaves

TEST(rfc9768_accecn, new_text_leaves_with_ect0_and_nothing_else_does) {  // §3.1.5
  auto t = accepted();
  t.user_sends(1000);
  t.sends("[ect0] P.5 1:1001(1000) ack 1");
  t.passes(10s);
  t.sends("[noecn] P.5 1:1001(1000) ack 1");
  t.arrives(".5 1:1(0) ack 1001");
  t.arrives("P.5 1:11(10) ack 1001");
  t.passes(40ms);
  t.sends("[noecn] .5 1001:1001(0) ack 11");
}

TEST(rfc9768_accecn, cwr_is_a_bit_of_the_counter_and_says_no_more_that_a_mark_was_answered) {  // §3.1.5
  auto t = accepted();
  t.user_sends(20000);
  for (std::uint32_t at = 1; at < 10001; at += 1000) t.sends("[ect0] " + line_of(".5", at, 1000, 1));
  t.arrives(".6 1:1(0) ack 2001");
  EXPECT_EQ(t.status().phase, recovery_phase::cwr);
  while (t.takes_sent()) {
  }
  t.arrives(".6 1:1(0) ack 6001");
  int sent = 0;
  for (; const auto h = t.takes_sent(); ++sent) {
    EXPECT_TRUE(h->flags.ae && !h->flags.cwr && h->flags.ece);
  }
  EXPECT_GT(sent, 0);
}

TEST(rfc9768_accecn, a_super_segment_waits_while_the_counter_has_the_bit_that_devices_take) {
  // §3.2.2; device_capabilities
  script_options o;
  o.stack.device = {.checksum = false, .segmentation_v4 = true, .segmentation_v6 = true};
  auto t = accepted(".2 1:1(0) ack 1", o);
  t.user_sends(2000);
  t.sends("[ect0] P.5 1:2001(2000) ack 1");
  t.arrives("[ce] P.5 1:11(10) ack 2001");
  t.sends(".6 2001:2001(0) ack 11");
  t.user_sends(2000);
  t.sends("[ect0] .6 2001:3001(1000) ack 11");
  t.sends("[ect0] P.6 3001:4001(1000) ack 11");
}

TEST(rfc9768_accecn, feedback_is_answered_though_ect_is_off) {  // §3.1.5
  auto t = accepted(".4 1:1(0) ack 1");                         // the path writes into the field
  EXPECT_FALSE(t.status().ect);
  t.user_sends(2000);
  t.sends("[noecn] .5 1:1001(1000) ack 1");
  t.sends("[noecn] P.5 1001:2001(1000) ack 1");
  t.arrives(".6 1:1(0) ack 1001");
  EXPECT_EQ(t.status().phase, recovery_phase::cwr);
}

// --- The receiver

TEST(rfc9768_accecn, counts_each_segment_with_ce_that_is_acceptable) {  // §3.2, §3.2.2
  auto t = accepted();
  t.arrives("[ce] P.5 1:11(10) ack 1");
  t.sends(".6 1:1(0) ack 11");
  t.arrives("[ce] .5 11:11(0) ack 1");  // acknowledgements too
  t.arrives("[ce] .5 11:11(0) ack 1");
  EXPECT_EQ(t.status().marks_received.cep, 8u);
  t.arrives("[ce] P.5 900011:900021(10) ack 1");  // far outside of the window
  t.sends(". 1:1(0) ack 11");                     // 8 & 7
  EXPECT_EQ(t.status().marks_received.cep, 8u);
  EXPECT_EQ(t.status().marks_received.ceb, 10u);
}

TEST(rfc9768_accecn, counts_the_octets_of_each_codepoint) {  // §3.2, §3.2.3
  auto t = accepted();
  t.arrives("[ect0] P.5 1:101(100) ack 1");
  t.passes(40ms);
  t.sends(".5 1:1(0) ack 101 <ECN e0b 101>");
  t.arrives("[ce] P.5 101:301(200) ack 1");
  t.sends(".6 1:1(0) ack 301 <ECN e0b 101 ceb 200>");
  t.arrives("[ect1] P.5 301:601(300) ack 1");
  t.passes(40ms);
  t.sends(".6 1:1(0) ack 601 <ECN e0b 101 ceb 200 e1b 301>");
  t.arrives("P.5 601:611(10) ack 1");
  t.passes(40ms);
  t.sends(".6 1:1(0) ack 611 <>");  // no news, no option (§3.2.3.3)
  t.user_sends(10);
  t.sends("P.6 1:11(10) ack 611 <>");
}

TEST(rfc9768_accecn, the_order_of_the_fields_is_what_takes_less) {  // §3.2.3
  auto t = accepted();
  t.arrives("[ect1] P.5 1:101(100) ack 1");
  t.passes(40ms);
  t.sends(".5 1:1(0) ack 101 <ECN e1b 101>");
}

TEST(rfc9768_accecn, the_first_mark_after_none_is_acknowledged_at_once) {  // §3.2.2.5.1, change-triggered
  auto t = accepted();
  t.arrives("[ect0] P.5 1:11(10) ack 1");
  t.arrives("[ce] P.5 11:21(10) ack 1");
  t.sends(".6 1:1(0) ack 21");
  t.arrives("[ce] P.5 21:31(10) ack 1");
  t.passes(40ms);
  t.sends(".7 1:1(0) ack 31");
  t.arrives("[ect0] P.5 31:41(10) ack 1");
  t.arrives("[ce] P.5 41:51(10) ack 1");
  t.sends(". 1:1(0) ack 51");
}

TEST(rfc9768_accecn, every_second_mark_is_acknowledged_at_once) {  // §3.2.2.5.1, increment-triggered
  auto t = accepted();
  t.arrives("[ce] P.5 1:11(10) ack 1");
  t.sends(".6 1:1(0) ack 11");
  t.arrives("[ce] P.5 11:21(10) ack 1");
  t.arrives("[ce] P.5 21:31(10) ack 1");
  t.sends(". 1:1(0) ack 31");
}

TEST(rfc9768_accecn, every_third_where_only_acknowledgements_are_marked) {  // §3.2.2.5.1
  auto t = accepted();
  t.arrives("[ce] .5 1:1(0) ack 1");
  t.arrives("[ce] .5 1:1(0) ack 1");
  t.silent();
  t.arrives("[ce] .5 1:1(0) ack 1");
  t.sends(". 1:1(0) ack 1");  // 8 & 7
}

TEST(rfc9768_accecn, an_acknowledgement_of_acknowledgements_has_no_blocks) {  // §3.2.2.5.1
  auto t = accepted();
  t.arrives(".5 11:21(10) ack 1");
  t.sends(".5 1:1(0) ack 1 <sack 11:21>");
  for (int i = 0; i < 3; ++i) t.arrives("[ce] .5 1:1(0) ack 1");
  t.sends(". 1:1(0) ack 1 <>");
  t.arrives(".5 31:41(10) ack 1");
  t.sends(". 1:1(0) ack 1 <sack 31:41 11:21>");
}

TEST(rfc9768_accecn, two_sack_blocks_go_before_the_option) {  // §3.2.3.3
  script_options o;
  o.stack.tcp.ecn = ecn_use::accurate;
  auto t = script::listening(o);
  t.arrives("S7 0:0(0) win 65535 <mss 1000,sackOK,TS val 100 ecr 0>");
  t.sends("S.2 0:0(0) ack 1");
  t.arrives(".2 1:1(0) ack 1 <TS val 100 ecr 0>");
  t.user_accepts();
  t.arrives("[ect0] .5 11:21(10) ack 1 <TS val 101 ecr 0>");
  t.sends(".5 1:1(0) ack 1 <TS val 0 ecr 100,ECN e0b 11,sack 11:21>");
  t.arrives("[ect0] .5 31:41(10) ack 1 <TS val 101 ecr 0>");
  t.sends(".5 1:1(0) ack 1 <TS val 0 ecr 100,ECN e0b 21,sack 31:41 11:21>");
  t.arrives("[ce] .5 51:61(10) ack 1 <TS val 101 ecr 0>");
  t.sends(".6 1:1(0) ack 1 <TS val 0 ecr 100,ECN e0b 21 ceb 10,sack 51:61 31:41>");
  t.arrives("[ect1] .5 71:81(10) ack 1 <TS val 101 ecr 0>");
  // All three fields would leave room for one block, so that only what is new since the last option is told.
  t.sends(".6 1:1(0) ack 1 <TS val 0 ecr 100,ECN e1b 11,sack 71:81 51:61>");
  t.datagram_arrives(t.datagram("[ect0] .5 91:101(10) ack 1 <TS val 101 ecr 0>"));
  t.datagram_arrives(t.datagram("[ce] .5 111:121(10) ack 1 <TS val 101 ecr 0>"));
  t.datagram_arrives(t.datagram("[ect1] .5 131:141(10) ack 1 <TS val 101 ecr 0>"));
  t.sends(".7 1:1(0) ack 1 <TS val 0 ecr 100,sack 131:141 111:121 91:101>");  // all three are new: none of them is told
}

TEST(rfc9768_accecn, a_client_whose_first_text_is_lost_leaves_the_option_off) {  // §3.2.3.2.2
  script_options o;
  o.stack.tcp.ecn = ecn_use::accurate;
  o.stack.tcp.timestamps = false;
  o.no_delay = true;
  script t{o};
  t.user_opens();
  t.sends("S7 0:0(0)");
  t.arrives("S.2 0:0(0) ack 1 win 65535 <mss 1000,sackOK,ECN e0b 1 ceb 0 e1b 1>");
  t.sends(".2 1:1(0) ack 1 <ECN e0b 1 ceb 0 e1b 1>");
  t.user_sends(100);
  t.sends("[ect0] P.5 1:101(100) ack 1 <ECN e0b 1 ceb 0 e1b 1>");
  t.passes(10s);
  t.sends("[noecn] P.5 1:101(100) ack 1 <>");
  t.arrives("[ect0] P.5 1:11(10) ack 101");
  t.passes(40ms);
  t.sends(".5 101:101(0) ack 11 <>");
}

TEST(rfc9768_accecn, a_receiver_whose_acks_seem_lost_leaves_the_option_off) {  // §3.2.3.2.2
  auto t = accepted();
  t.arrives("[ect0] P.5 1:11(10) ack 1");
  t.passes(40ms);
  t.sends(".5 1:1(0) ack 11 <ECN e0b 11>");
  t.arrives("P.5 1:11(10) ack 1");  // it may be chance
  t.sends(".5 1:1(0) ack 11 <ECN e0b 11,sack 1:11>");
  t.arrives("[ect0] P.5 11:21(10) ack 1");
  t.passes(40ms);
  t.sends(".5 1:1(0) ack 21 <ECN e0b 21>");
  t.arrives("P.5 11:21(10) ack 1");
  t.sends(".5 1:1(0) ack 21 <ECN e0b 21,sack 11:21>");
  t.arrives("P.5 11:21(10) ack 1");  // twice it is none
  t.sends(".5 1:1(0) ack 21 <sack 11:21>");
  t.arrives("[ect0] P.5 21:31(10) ack 1");
  t.passes(40ms);
  t.sends(".5 1:1(0) ack 31 <>");
}

// --- The sender

TEST(rfc9768_accecn, the_counter_tells_the_marks_since_the_last_acknowledgement) {  // §3.2.2
  auto t = accepted();
  t.user_sends(4000);
  sends_capable(t, 1, 4001);
  t.arrives(".5 1:1(0) ack 1001");
  EXPECT_EQ(t.status().phase, recovery_phase::open);
  t.arrives(".7 1:1(0) ack 3001");
  EXPECT_EQ(t.status().phase, recovery_phase::cwr);
  EXPECT_EQ(t.status().marks_reported.cep, 7u);
  t.arrives(". 1:1(0) ack 4001");
  EXPECT_EQ(t.status().marks_reported.cep, 8u);
}

TEST(rfc9768_accecn, the_octets_tell_how_much_was_marked) {  // §3.2.3
  auto t = accepted();
  t.user_sends(4000);
  sends_capable(t, 1, 4001);
  t.arrives(".5 1:1(0) ack 2001 <ECN e0b 2001>");
  EXPECT_EQ(t.status().phase, recovery_phase::open);
  t.arrives(".6 1:1(0) ack 4001 <ECN e0b 3001 ceb 1000>");
  EXPECT_EQ(t.status().phase, recovery_phase::cwr);
  EXPECT_EQ(t.status().marks_reported.e0b, 3001u);
  EXPECT_EQ(t.status().marks_reported.ceb, 1000u);
}

TEST(rfc9768_accecn, an_acknowledgement_that_was_overtaken_tells_nothing) {  // appendix A.1
  auto t = accepted();
  t.user_sends(4000);
  sends_capable(t, 1, 4001);
  t.arrives(".6 1:1(0) ack 3001");
  t.arrives(".5 1:1(0) ack 2001");
  EXPECT_EQ(t.status().marks_reported.cep, 6u);
  t.arrives(".6 1:1(0) ack 4001");
  EXPECT_EQ(t.status().marks_reported.cep, 6u);
}

TEST(rfc9768_accecn, the_first_counter_may_be_any_but_nought) {  // §3.2.2.4
  for (const char* ace : {".1", ".3", ".7"}) {
    auto t = accepted();
    t.user_sends(1000);
    t.sends("[ect0] P.5 1:1001(1000) ack 1");
    t.arrives(std::string{ace} + " 1:1(0) ack 1001");
    EXPECT_TRUE(t.status().ect);
  }
  auto t = accepted();
  t.user_sends(2000);
  sends_capable(t, 1, 2001);
  t.arrives(". 1:1(0) ack 1001");  // one segment cannot have made three marks: somebody clears the field
  EXPECT_FALSE(t.status().ect);
  t.arrives(".7 1:1(0) ack 2001");
  EXPECT_EQ(t.status().phase, recovery_phase::open);  // nor is it believed again
}

TEST(rfc9768_accecn, the_first_octets_may_be_any_but_nought) {  // §3.2.3.2.4
  for (const bool zeroed : {false, true}) {
    auto t = accepted(zeroed ? ".2 1:1(0) ack 1 <ECN e0b 0 ceb 0 e1b 1>" : ".2 1:1(0) ack 1 <ECN e0b 77 ceb 0 e1b 5>");
    t.user_sends(1000);
    t.sends("[ect0] P.5 1:1001(1000) ack 1");
    t.arrives(".5 1:1(0) ack 1001 <ECN e0b 1001>");
    EXPECT_EQ(t.status().marks_reported.e0b, zeroed ? 1u : 1001u);
    EXPECT_TRUE(t.status().ect);
  }
}

TEST(rfc9768_accecn, octets_that_met_ce_in_no_segment_end_ect) {  // §3.2.3.2.5
  auto t = accepted();
  t.user_sends(4000);
  sends_capable(t, 1, 4001);
  t.arrives(".5 1:1(0) ack 1001 <ECN e0b 1 ceb 1000>");
  t.arrives(".5 1:1(0) ack 2001 <ECN e0b 1 ceb 2000>");
  EXPECT_TRUE(t.status().ect);  // an acknowledgement's coverage is an estimate
  t.arrives(".5 1:1(0) ack 3001 <ECN e0b 1 ceb 3000>");
  EXPECT_FALSE(t.status().ect);
}

// --- The arithmetic alone: what a long stretch of acknowledged text makes of three bits

/// A server's half of a connection whose handshake is done; `option`: the path lets the option pass.
tcp::ecn established(bool option) {
  tcp::ecn e{ecn_use::accurate, seq{0}};
  wire::tcp_header h;
  h.flags = {.syn = true, .ece = true, .cwr = true, .ae = true};
  EXPECT_TRUE(e.take_syn(h, not_ect));
  h.flags = {.ack = true, .cwr = true};
  if (option) h.options.accurate_ecn = wire::accurate_ecn{false, 3, {1, 0, 1}};
  e.take_last_ack(h, true);
  return e;
}

wire::tcp_header feedback(unsigned ace, std::optional<wire::accurate_ecn> option = {}) {
  wire::tcp_header h;
  h.flags = {.ack = true, .ece = (ace & 1) != 0, .cwr = (ace & 2) != 0, .ae = (ace & 4) != 0};
  h.options.accurate_ecn = option;
  return h;
}

constexpr std::uint32_t mss = 1000;

TEST(rfc9768_accecn_wrap, up_to_seven_segments_leave_no_doubt) {  // §3.2.2.5.2
  auto e = established(false);
  EXPECT_EQ(e.take_feedback(feedback(4), 7 * mss, mss), 7 * mss);
  EXPECT_EQ(e.reported().cep, 12u);
}

TEST(rfc9768_accecn_wrap, beyond_the_safest_case_is_assumed) {  // §3.2.2.5.2, appendix A.2
  auto e = established(false);
  (void)e.take_feedback(feedback(5), 2 * mss, mss);                 // two segments an ACK, as is usual
  EXPECT_EQ(e.take_feedback(feedback(6), 10 * mss, mss), 9 * mss);  // 1, or 9 of 10
  EXPECT_EQ(e.reported().cep, 14u);
  // Nothing new in three bits may be once around them.
  EXPECT_EQ(e.take_feedback(feedback(6), 8 * mss, mss), 8 * mss);
}

TEST(rfc9768_accecn_wrap, where_the_option_comes_the_next_one_tells) {  // §3.2.3.2.5
  auto e = established(true);
  EXPECT_EQ(e.take_feedback(feedback(6), 10 * mss, mss), 1 * mss);
}

TEST(rfc9768_accecn_wrap, the_octets_settle_it) {  // §3.2.3.2.5, appendix A.2
  auto once = established(true);
  EXPECT_EQ(once.take_feedback(feedback(6, wire::accurate_ecn{false, 2, {9001, 1000, 0}}), 10 * mss, mss), 1 * mss);
  EXPECT_EQ(once.reported().cep, 6u);
  auto nine = established(true);
  EXPECT_EQ(nine.take_feedback(feedback(6, wire::accurate_ecn{false, 2, {1001, 9000, 0}}), 10 * mss, mss), 9 * mss);
  EXPECT_EQ(nine.reported().cep, 14u);
}

TEST(rfc9768_accecn_wrap, rare_acknowledgements_prove_no_loss_of_them) {  // §3.2.2.5.2
  auto e = established(false);
  for (int i = 0; i < 1000; ++i) (void)e.take_feedback(feedback(5), 7 * mss, mss);  // seven segments an ACK, as a rule
  EXPECT_EQ(e.take_feedback(feedback(6), 10 * mss, mss), 1 * mss);
}

TEST(rfc9768_accecn_wrap, a_field_is_24_bits_of_a_counter) {  // §3.2.3.1
  auto e = established(true);
  (void)e.take_arrival({.mark = ect0, .text = 0x0fffffff});
  wire::tcp_options o;
  e.add_option(o);
  ASSERT_TRUE(o.accurate_ecn);
  EXPECT_EQ(o.accurate_ecn->e0b(), 0u);
  EXPECT_EQ(e.received().e0b, 0x10000000u);
  // And what comes is taken for the next that looks so.
  (void)e.take_feedback(feedback(5, wire::accurate_ecn{false, 1, {0x700000}}), 7 * mss, mss);
  (void)e.take_feedback(feedback(5, wire::accurate_ecn{false, 1, {0xe00000}}), 7 * mss, mss);
  (void)e.take_feedback(feedback(5, wire::accurate_ecn{false, 1, {0x10}}), 7 * mss, mss);
  EXPECT_EQ(e.reported().e0b, 0x1000010u);
  (void)e.take_feedback(feedback(5, wire::accurate_ecn{false, 1, {0x8}}), 7 * mss, mss);  // overtaken
  EXPECT_EQ(e.reported().e0b, 0x1000010u);
}

TEST(rfc9768_accecn_wrap, a_syn_has_no_counter_nor_has_who_agreed_on_none) {  // §3.2.2
  auto e = established(false);
  auto syn = feedback(6);
  syn.flags.syn = true;
  EXPECT_FALSE(e.take_feedback(syn, mss, mss));
  EXPECT_EQ(e.reported().cep, 5u);
  tcp::ecn none{ecn_use::accurate, seq{0}};
  EXPECT_FALSE(none.take_feedback(feedback(6), mss, mss));
}

}  // namespace
}  // namespace tunic::test
