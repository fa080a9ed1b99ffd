#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// How RFC 9768 is agreed on, and what falls back to what. A digit among the flags is the ACE field.

namespace tunic::test {
namespace {

using tcp::ecn_feedback;
using tcp::ecn_use;
using tcp::recovery_phase;
using tcp::state;

script_options with(ecn_use use) {
  script_options o;
  o.stack.tcp.ecn = use;
  o.stack.tcp.congestion = tcp::congestion_algorithm::reno;
  o.stack.tcp.timestamps = false;
  o.no_delay = true;
  return o;
}

/// Our SYN has asked.
script asking() {
  script t{with(ecn_use::accurate)};
  t.user_opens();
  t.sends("[noecn] S7 0:0(0)");
  return t;
}

/// A peer's SYN has asked us, and our SYN-ACK is claimed.
script asked() {
  auto t = script::listening(with(ecn_use::accurate));
  t.arrives("S7 0:0(0) win 65535 <mss 1000,sackOK>");
  t.sends("[noecn] S.2 0:0(0) ack 1");
  return t;
}

TEST(rfc9768_accecn_handshake, is_asked_for_by_all_three_flags_and_without_the_option) {  // §3.1.1, §3.2.3.2.1
  script t{with(ecn_use::accurate)};
  t.user_opens();
  t.sends("[noecn] S7 0:0(0) <mss 1460,sackOK,wscale 9>");
  EXPECT_EQ(t.status().ecn, ecn_feedback::none);  // until the answer is heard
}

TEST(rfc9768_accecn_handshake, a_server_says_which_codepoint_the_syn_had) {  // §3.1.1, table 2
  for (const auto& [mark, answer] :
       {std::pair{"[noecn]", "S.2"}, {"[ect1]", "S.3"}, {"[ect0]", "S.4"}, {"[ce]", "S.6"}}) {
    auto t = script::listening(with(ecn_use::accurate));
    t.arrives(std::string{mark} + " S7 0:0(0) win 65535 <mss 1000,sackOK>");
    t.sends("[noecn] " + std::string{answer} + " 0:0(0) ack 1 <mss 1460,sackOK,ECN e0b 1 ceb 0 e1b 1>");
    t.arrives(".2 1:1(0) ack 1");
    t.user_accepts();
    EXPECT_EQ(t.status().ecn, ecn_feedback::accurate);
    EXPECT_EQ(t.status().marks_received.cep, 5u);  // §3.2: a SYN's mark is not counted
  }
}

TEST(rfc9768_accecn_handshake, an_option_on_a_syn_is_ignored) {  // §3.2.3.2.1
  auto t = script::listening(with(ecn_use::accurate));
  t.arrives("S7 0:0(0) win 65535 <mss 1000,sackOK,ECN e0b 0 ceb 77 e1b 0>");
  t.sends("S.2 0:0(0) ack 1");
  t.arrives(".2 1:1(0) ack 1 <ECN e0b 1 ceb 0 e1b 1>");
  t.user_accepts();
  t.user_sends(1000);
  t.sends("[ect0] P.5 1:1001(1000) ack 1");
  t.arrives(".5 1:1(0) ack 1001 <ECN e0b 1001>");
  EXPECT_EQ(t.status().marks_reported.e0b, 1001u);
  EXPECT_EQ(t.status().marks_reported.ceb, 0u);
}

TEST(rfc9768_accecn_handshake, a_server_grants_what_it_is_asked_for_and_no_more) {  // §3.1.1, §3.1.2
  for (const auto& [use, syn, answer] : {std::tuple{ecn_use::accurate, "S", "S."},
                                         {ecn_use::accurate, "SEW", "S.E"},
                                         {ecn_use::passive, "S7", "S.E"},
                                         {ecn_use::off, "S7", "S."}}) {
    auto t = script::listening(with(use));
    t.arrives(std::string{syn} + " 0:0(0) win 65535 <mss 1000,sackOK>");
    t.sends(std::string{answer} + " 0:0(0) ack 1 <mss 1460,sackOK>");
  }
}

TEST(rfc9768_accecn_handshake, combinations_without_a_meaning_yet_ask_for_it) {  // §3.1.3
  for (const char* syn : {"S1", "S2", "S4", "S5", "S6"}) {
    auto t = script::listening(with(ecn_use::accurate));
    t.arrives(std::string{syn} + " 0:0(0) win 65535 <mss 1000,sackOK>");
    t.sends("[noecn] S.2 0:0(0) ack 1");
  }
}

TEST(rfc9768_accecn_handshake, a_client_enters_the_mode_with_each_answer_that_grants_it) {  // §3.1.1, table 2; §3.1.3
  for (const auto& [answer, ect] :
       {std::pair{"S.2", true}, {"S.5", true}, {"S.3", false}, {"S.4", false}, {"S.6", false}}) {
    auto t = asking();
    t.arrives(std::string{answer} + " 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");
    t.sends("[noecn] .2 1:1(0) ack 1");
    EXPECT_EQ(t.status().ecn, ecn_feedback::accurate) << answer;
    // §3.2.2.3: our SYN left without ECT, so whatever else is told was written on the way. That ends our ECT, not what
    // we feed back.
    EXPECT_EQ(t.status().ect, ect) << answer;
    t.user_sends(100);
    t.sends(std::string{ect ? "[ect0]" : "[noecn]"} + " P.5 1:101(100) ack 1");
    t.arrives("[ce] P.5 1:11(10) ack 101");
    t.sends(".6 101:101(0) ack 11");
  }
}

TEST(rfc9768_accecn_handshake, falls_back_to_what_the_peer_knows) {            // §3.1.2
  for (const auto& [answer, feedback] : {std::pair{"S.", ecn_feedback::none},  // no ECN at all
                                         {"S.7", ecn_feedback::none},          // what it does not know it reflects
                                         {"S.1", ecn_feedback::classic}}) {
    auto t = asking();
    t.arrives(std::string{answer} + " 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");
    t.sends("[noecn] . 1:1(0) ack 1");
    EXPECT_EQ(t.status().ecn, feedback) << answer;
    t.user_sends(100);
    t.sends(std::string{feedback == ecn_feedback::classic ? "[ect0]" : "[noecn]"} + " P. 1:101(100) ack 1");
  }
}

TEST(rfc9768_accecn_handshake, ect_that_arrives_is_not_consent) {  // §3.1.5
  auto t = asking();
  t.arrives("[ect0] S. 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");
  t.sends(". 1:1(0) ack 1");
  t.arrives("[ect0] P. 1:11(10) ack 1");
  t.user_sends(100);
  t.sends("[noecn] P. 1:101(100) ack 11");
}

TEST(rfc9768_accecn_handshake, is_settled_in_a_simultaneous_open) {  // §3.1.2
  for (const auto& [syn, answer, feedback] : {std::tuple{"S7", "S.4", ecn_feedback::accurate},
                                              {"SEW", "S.E", ecn_feedback::classic},
                                              {"S", "S.", ecn_feedback::none}}) {
    auto t = asking();
    t.arrives((feedback == ecn_feedback::accurate ? "[ect0] " : "") + std::string{syn} +
              " 0:0(0) win 65535 <mss 1000,sackOK>");
    t.sends("[noecn] " + std::string{answer} + " 0:0(0) ack 1");
    t.arrives(std::string{answer} + " 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");
    t.in_state(state::established);
    EXPECT_EQ(t.status().ecn, feedback);
  }
}

TEST(rfc9768_accecn_handshake, asks_once_more_where_the_syn_was_lost) {  // §3.1.4.1
  auto t = asking();
  t.passes(10s);
  t.sends("[noecn] S7 0:0(0)");
  for (int i = 0; i < 2; ++i) {
    t.passes(10s);
    t.sends("[noecn] S 0:0(0)");  // and never for the other kind (§3.1.5)
  }
  t.arrives("S.2 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");  // to one of the first two
  t.sends(".2 1:1(0) ack 1");
  EXPECT_EQ(t.status().ecn, ecn_feedback::accurate);
}

TEST(rfc9768_accecn_handshake,
     a_plain_syn_of_ours_ends_ect_where_the_peer_is_classic) {  // RFC 3168 §6.1.1, second rule
  auto t = asking();
  t.passes(10s);
  t.sends("S7 0:0(0)");
  t.passes(10s);
  t.sends("S 0:0(0)");
  t.arrives("S.1 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");
  t.sends(". 1:1(0) ack 1");
  EXPECT_EQ(t.status().ecn, ecn_feedback::classic);
  t.user_sends(100);
  t.sends("[noecn] P. 1:101(100) ack 1");
}

TEST(rfc9768_accecn_handshake, is_given_up_where_a_reset_answers) {
  auto t = asking();
  t.arrives("R. 0:0(0) ack 1");
  t.sends("S 0:0(0)");
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");
  t.sends(". 1:1(0) ack 1");
  EXPECT_EQ(t.status().ecn, ecn_feedback::none);
}

TEST(rfc9768_accecn_handshake, a_plain_syn_that_comes_later_changes_no_mode_and_ends_ect) {  // §3.1.5
  auto t = asked();
  t.arrives("S 0:0(0) win 65535 <mss 1000,sackOK>");
  t.sends("S.2 0:0(0) ack 1");  // as before
  t.arrives(".2 1:1(0) ack 1");
  t.user_accepts();
  EXPECT_EQ(t.status().ecn, ecn_feedback::accurate);
  t.user_sends(100);
  t.sends("[noecn] P.5 1:101(100) ack 1");
  t.arrives("[ce] P.5 1:11(10) ack 101");
  t.sends(".6 101:101(0) ack 11");  // fed back all the same
}

TEST(rfc9768_accecn_handshake, the_first_syn_counts_where_a_plain_one_came_first) {  // §3.1.5
  auto t = script::listening(with(ecn_use::accurate));
  t.arrives("S 0:0(0) win 65535 <mss 1000,sackOK>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives("S7 0:0(0) win 65535 <mss 1000,sackOK>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  EXPECT_EQ(t.status().ecn, ecn_feedback::none);
}

TEST(rfc9768_accecn_handshake, a_peer_that_asks_for_both_kinds_is_reset) {  // §3.1.5
  for (const auto& [first, answer, second] : {std::tuple{"S7", "S.2", "SEW"}, {"SEW", "S.E", "S7"}}) {
    auto t = script::listening(with(ecn_use::accurate));
    t.arrives(std::string{first} + " 0:0(0) win 65535 <mss 1000,sackOK>");
    t.sends(std::string{answer} + " 0:0(0) ack 1");
    t.arrives(std::string{second} + " 0:0(0) win 65535 <mss 1000,sackOK>");
    t.sends("R. 1:1(0) ack 1");
    EXPECT_EQ(t.connections(), 0u);
  }
}

TEST(rfc9768_accecn_handshake, the_latest_syns_codepoint_is_fed_back) {  // §3.1.5
  auto t = asked();
  t.arrives("[ce] S7 0:0(0) win 65535 <mss 1000,sackOK>");
  t.sends("S.6 0:0(0) ack 1 <mss 1460,sackOK>");  // without the option, which may be what was lost (§3.2.3.2.2)
}

TEST(rfc9768_accecn_handshake, what_goes_again_goes_without_the_option_then_without_the_flags) {  // §3.2.3.2.2
  auto t = asked();
  t.passes(10s);
  t.sends("[noecn] S.2 0:0(0) ack 1 <mss 1460,sackOK>");
  t.passes(10s);
  t.sends("[noecn] S. 0:0(0) ack 1 <mss 1460,sackOK>");
  t.arrives(".2 1:1(0) ack 1");
  t.user_accepts();
  EXPECT_EQ(t.status().ecn, ecn_feedback::accurate);
  t.user_sends(100);
  t.sends("[noecn] P.5 1:101(100) ack 1");  // §3.1.5: the peer may have heard that there is none
}

// --- The ACK of the SYN-ACK

TEST(rfc9768_accecn_handshake, the_ack_says_which_codepoint_the_syn_ack_had) {  // §3.2.2.1, table 3
  for (const auto& [mark, ack, cep] :
       {std::tuple{"[noecn]", ".2", 5u}, {"[ect1]", ".3", 5u}, {"[ect0]", ".4", 5u}, {"[ce]", ".6", 6u}}) {
    auto t = asking();
    t.user_sends(100);
    t.arrives(std::string{mark} + " S.2 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");
    // An ACK of its own, though text waits; and the option, to test the path (§3.2.3.2.1).
    t.sends("[noecn] " + std::string{ack} + " 1:1(0) ack 1 <ECN e0b 1 ceb 0 e1b 1>");
    t.sends("[ect0] P." + std::to_string(cep) + " 1:101(100) ack 1 <ECN e0b 1 ceb 0 e1b 1>");
    EXPECT_EQ(t.status().marks_received.cep, cep);
    t.user_sends(100);
    t.sends("[ect0] P." + std::to_string(cep) + " 101:201(100) ack 1 <>");
  }
}

TEST(rfc9768_accecn_handshake, a_syn_ack_that_comes_again_is_answered_by_its_codepoint_and_counted_once) {  // §3.2.2.2
  auto t = asking();
  t.arrives("S.2 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");
  t.sends(".2 1:1(0) ack 1");
  for (int i = 0; i < 2; ++i) {
    t.silent_for(1s);
    t.arrives("[ce] S.2 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");
    t.sends(".6 1:1(0) ack 1");
    EXPECT_EQ(t.status().marks_received.cep, 6u);
  }
}

TEST(rfc9768_accecn_handshake, a_server_reads_the_ack_by_its_table_and_once) {  // §3.2.2.1, table 4
  for (const auto& [ack, cep, ect] : {std::tuple{".1", 5u, true},
                                      {".2", 5u, true},
                                      {".3", 5u, false},  // §3.2.2.3: our SYN-ACK left without ECT
                                      {".4", 5u, false},
                                      {".5", 5u, true},
                                      {".6", 6u, false},
                                      {".7", 5u, true}}) {
    auto t = asked();
    t.arrives(std::string{ack} + " 1:1(0) ack 1");
    t.user_accepts();
    EXPECT_EQ(t.status().marks_reported.cep, cep) << ack;
    EXPECT_EQ(t.status().ect, ect) << ack;
    t.user_sends(1000);
    t.sends(std::string{ect ? "[ect0]" : "[noecn]"} + " P.5 1:1001(1000) ack 1");
    // The counter, from then on: each is as it was, or one further.
    t.arrives(line_of("." + std::to_string(cep), 1, 0, 1001));
    EXPECT_EQ(t.status().marks_reported.cep, cep) << ack;
  }
}

TEST(rfc9768_accecn_handshake, an_ack_with_text_or_blocks_is_a_counter) {  // §3.2.2.1
  auto t = asked();
  t.arrives("P.6 1:11(10) ack 1");
  t.user_accepts();
  EXPECT_EQ(t.status().marks_reported.cep, 5u);
  EXPECT_TRUE(t.status().ect);
}

TEST(rfc9768_accecn_handshake, a_nought_in_the_ack_ends_ect_and_what_we_make_of_feedback) {  // §3.2.2.1, table 4
  auto t = asked();
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.user_sends(3000);
  for (std::uint32_t at = 1; at < 3001; at += 1000)
    t.sends("[noecn] " + line_of(at == 2001 ? "P.5" : ".5", at, 1000, 1));
  t.arrives(".6 1:1(0) ack 1001");
  EXPECT_EQ(t.status().phase, recovery_phase::open);
  t.arrives("[ce] P.6 1:11(10) ack 1001");
  t.sends(".6 3001:3001(0) ack 11");  // we feed back all the same
}

TEST(rfc9768_accecn_handshake, a_mark_on_it_leaves_a_segment_of_the_initial_window) {  // §3.2.2.1; RFC 3168 §6.1.1
  auto t = asked();
  t.arrives(".6 1:1(0) ack 1");
  t.user_accepts();
  EXPECT_EQ(t.status().cwnd, 1000u);
  auto u = asking();
  u.arrives("S.6 0:0(0) ack 1 win 65535 <mss 1000,sackOK>");
  u.sends(".2 1:1(0) ack 1");
  EXPECT_EQ(u.status().cwnd, 1000u);
}

}  // namespace
}  // namespace tunic::test
