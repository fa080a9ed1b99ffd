#include <map>

#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// Who does not see the connection's segments cannot end it or write into it: RFC 5961.

namespace tunic::test {
namespace {

using tcp::state;

constexpr std::array challenged{state::established, state::fin_wait_1, state::fin_wait_2,
                                state::close_wait,  state::closing,    state::last_ack};

TEST(rfc5961_blind_syn, is_challenged_in_each_state_wherever_its_number_lies) {  // RFC 5961 §4.2
  for (const state s : challenged)
    for (const std::uint32_t number : {numbers_in(s).rcv, numbers_in(s).rcv + 1000, numbers_in(s).rcv + 1'000'000}) {
      SCOPED_TRACE(std::string{tcp::name(s)} + " " + std::to_string(number));
      auto t = script::in(s);
      t.arrives(line_of("S", number, 0, 0));
      t.sends(plain_ack(s));
      t.in_state(s);
    }
}

TEST(rfc5961_blind_syn, with_an_acknowledgement_is_challenged) {  // RFC 5961 §4.2
  for (const state s : challenged) {
    SCOPED_TRACE(tcp::name(s));
    auto t = script::in(s);
    t.arrives(line_of("S.", numbers_in(s).rcv, 0, numbers_in(s).nxt));
    t.sends(plain_ack(s));
    t.in_state(s);
  }
}

TEST(rfc5961_blind_syn, cannot_carry_text_in) {
  auto t = script::established();
  t.arrives("S. 1:101(100) ack 1");
  t.sends(". 1:1(0) ack 1");
  t.reads_nothing();
}

TEST(rfc5961_blind_syn, in_the_window_returns_a_half_open_connection_to_listen) {  // RFC 9293 §3.10.7.4, fourth step
  auto t = script::in(state::syn_received);
  t.arrives("S 1:1(0)");
  t.in_state(state::listen);
  t.silent();
}

TEST(rfc5961_blind_syn, outside_the_window_leaves_a_half_open_connection) {  // RFC 9293 §3.10.7.4, first step
  auto t = script::in(state::syn_received);
  t.arrives("S 100000:100000(0)");
  t.sends(". 1:1(0) ack 1");
  t.in_state(state::syn_received);
}

TEST(rfc5961_blind_rst, cannot_widen_its_guess_with_text) {
  // RFC 5961 §3.2: the segment's own number counts, not what is left of it
  auto t = script::established();
  t.arrives("P. 1:1001(1000) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 1001");
  t.user_receives(1000);
  t.arrives("R 501:1501(1000)");
  t.sends(". 1:1(0) ack 1001");
  t.in_state(state::established);
}

TEST(rfc5961_blind_text, cannot_outdate_genuine_timestamps) {
  // RFC 7323 §5.3 with RFC 5961 §5.2: believed only after its ACK is
  script_options o;
  o.syn_options = "mss 1460,TS val 100 ecr 0";
  auto t = script::in(state::syn_received, o);
  t.arrives(". 1:1(0) ack 1 <TS val 101 ecr 0>");
  t.user_accepts();
  t.arrives("P. 1:11(10) ack 2000000000 <TS val 2000000000 ecr 0>");
  t.sends(". 1:1(0) ack 1");
  t.arrives("P. 1:11(10) ack 1 <TS val 102 ecr 0>");
  t.user_receives(10);
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
}

TEST(rfc5961_challenge_ack, is_sent_twice_a_second_at_most_for_a_connection) {  // RFC 5961 §7
  auto t = script::established();
  t.arrives("R 2:2(0)");
  t.sends(". 1:1(0) ack 1");
  t.arrives("R 2:2(0)");
  t.arrives("S 1:1(0)");
  t.arrives(". 1:1(0) ack 2");
  t.silent_for(500ms - 1us);
  t.dropped(drop::rate_limited, 3);
  EXPECT_EQ(t.counted().challenge_acks, 1u);
  t.silent_for(1us);
  t.arrives("R 2:2(0)");
  t.sends(". 1:1(0) ack 1");
}

TEST(rfc5961_challenge_ack, of_one_connection_does_not_hold_back_anothers) {
  auto t = script::established();
  t.arrives("R 2:2(0)");
  t.sends(". 1:1(0) ack 1");
  t.peer_port(40001);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.arrives("R 2:2(0)");
  t.sends(". 1:1(0) ack 1");
}

// CVE-2016-5696: who could count to the limit could tell whether somebody else's segment was challenged.
TEST(rfc5961_challenge_ack, has_a_limit_of_the_whole_stack_that_nobody_can_count_to) {
  script_options o;
  o.stack.tcp.challenge_acks_per_second = 100;
  o.stack.tcp.invalid_answer_interval = {};
  auto t = script::established(o);
  std::map<std::uint64_t, int> seconds;
  std::uint64_t all = 0;
  t.passes_unheard(1s - t.now().time_since_epoch() % 1s);
  for (int second = 0; second < 50; ++second) {
    const std::uint64_t before = t.counted().challenge_acks;
    for (int i = 0; i < 200; ++i) t.datagram_arrives(t.datagram("R 2:2(0)"));
    const std::uint64_t sent = t.counted().challenge_acks - before;
    EXPECT_GE(sent, 50u);
    EXPECT_LT(sent, 150u);
    ++seconds[sent];
    all += sent;
    t.passes_unheard(1s - 1us);
    t.datagram_arrives(t.datagram("R 2:2(0)"));
    EXPECT_EQ(t.counted().challenge_acks - before, sent);  // not before the second is over
    t.passes_unheard(1us);
  }
  EXPECT_GT(seconds.size(), 25u);
  EXPECT_NEAR(static_cast<double>(all) / 50, 100, 15);
}

TEST(rfc5961_challenge_ack, can_be_forbidden) {
  script_options o;
  o.stack.tcp.challenge_acks_per_second = 0;
  auto t = script::established(o);
  t.arrives("R 2:2(0)");
  t.silent();
}

// Two ends that answer each other's every answer would never end.
TEST(rfc5961_invalid, segments_without_text_are_answered_twice_a_second_at_most) {
  auto t = script::established();
  t.arrives(". 100000:100000(0) ack 1");
  t.sends(". 1:1(0) ack 1");
  t.arrives(". 100000:100000(0) ack 1");
  t.arrives("S 100000:100000(0)");
  t.silent_for(500ms - 1us);
  t.dropped(drop::rate_limited, 2);
  t.silent_for(1us);
  t.arrives(". 100000:100000(0) ack 1");
  t.sends(". 1:1(0) ack 1");
}

TEST(rfc5961_invalid, segments_with_text_are_all_answered) {  // RFC 9293 §3.10.7.4: the peer waits for the answer
  auto t = script::established();
  t.arrives("P. 1:11(10) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
  for (int i = 0; i < 3; ++i) {
    t.arrives("P. 1:11(10) ack 1");
    t.sends(". 1:1(0) ack 11");
  }
}

TEST(rfc5961_invalid, segments_are_answered_in_time_wait_twice_a_second_at_most) {
  auto t = script::in(state::time_wait);
  for (int i = 0; i < 2; ++i) {
    t.arrives("S 2:2(0) win 65535 <mss 1460>");
    t.sends(". 2:2(0) ack 2");
    t.arrives("S 2:2(0) win 65535 <mss 1460>");
    t.arrives("P. 2:12(10) ack 2");
    t.silent_for(499ms - 1us);  // the record counts in milliseconds
    t.arrives("P. 2:12(10) ack 2");
    t.silent_for(2ms);
  }
}

TEST(rfc5961_blind_data, with_an_acknowledgement_of_what_was_never_sent_is_not_taken) {  // RFC 5961 §5.2
  auto t = script::established();
  t.arrives("P. 1:11(10) ack 2");
  t.sends(". 1:1(0) ack 1");
  t.reads_nothing();
  t.dropped(drop::unacceptable_ack);
  EXPECT_EQ(t.counted().challenge_acks, 1u);
}

TEST(rfc5961_blind_data, just_within_the_largest_window_is_taken_and_beyond_is_not) {  // RFC 5961 §5.2
  auto t = script::listening({.peer_window = 1000});
  t.arrives("S 0:0(0) win 1000 <mss 1000>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  for (std::uint32_t i = 0; i < 2; ++i) {
    t.user_sends(1000);
    t.sends(line_of("P.", 1 + i * 1000, 1000, 1));
    t.arrives(line_of(".", 1, 0, 1001 + i * 1000));
  }
  t.arrives("P. 1:11(10) ack 1000");  // SND.UNA is 2001, MAX.SND.WND is 1000
  t.sends(". 2001:2001(0) ack 1");
  t.reads_nothing();
  t.arrives("P. 1:11(10) ack 1001");
  t.user_receives(10);
  t.passes(40ms);
  t.sends(". 2001:2001(0) ack 11");
}

TEST(rfc5961_blind_ack, of_unsent_text_is_challenged_in_each_state) {  // RFC 5961 §5.2; RFC 9293 §3.10.7.4, fifth step
  for (const state s : challenged) {
    SCOPED_TRACE(tcp::name(s));
    auto t = script::in(s);
    t.arrives(line_of(".", numbers_in(s).rcv, 0, numbers_in(s).nxt + 1));
    t.sends(plain_ack(s));
    t.in_state(s);
  }
}

TEST(rfc5961_blind_ack, that_is_old_is_ignored) {  // RFC 9293 §3.10.7.4, fifth step: a duplicate
  for (const state s : challenged) {
    SCOPED_TRACE(tcp::name(s));
    auto t = script::in(s);
    t.arrives(line_of(".", numbers_in(s).rcv, 0, numbers_in(s).una - 1));
    t.in_state(s);
    t.silent();
  }
}

TEST(rfc5961_blind_ack, that_is_old_cannot_set_the_window) {  // RFC 9293 §3.10.7.4, fifth step: SND.UNA =< SEG.ACK
  auto t = script::established();
  t.arrives(". 1:1(0) ack 0 win 0");
  t.arrives(". 2:2(0) ack 0 win 0");
  EXPECT_EQ(t.status().snd_wnd, 65535u);
}

}  // namespace
}  // namespace tunic::test
