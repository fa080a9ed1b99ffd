#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// SEGMENT ARRIVES, each event in each state: RFC 9293 §3.10.7. Resets stand in reset_test, SYNs in the synchronised
// states and acknowledgements of the unsent in blind_attack_test.

namespace tunic::test {
namespace {

using tcp::state;

/// One arriving segment, what answers it ("" for silence), and the state after both.
struct event {
  state in;
  const char* arrives;
  const char* sends;
  state then;
};

void run(std::initializer_list<event> events) {
  for (const event& e : events) {
    SCOPED_TRACE(std::string{tcp::name(e.in)} + " <- " + e.arrives);
    auto t = script::in(e.in);
    t.arrives(e.arrives);
    if (*e.sends != 0) t.sends(e.sends);
    t.silent();
    t.in_state(e.then);
  }
}

TEST(rfc9293_segment_arrives, syn) {
  run({
      {state::closed, "S 0:0(0)", "R. 100:100(0) ack 1", state::closed},  // the plain number 0 is ISS + 100
      {state::listen, "S 0:0(0)", "S. 0:0(0) ack 1", state::syn_received},
      {state::syn_sent, "S 0:0(0)", "S. 0:0(0) ack 1", state::syn_received},
      {state::syn_received, "S 0:0(0)", "S. 0:0(0) ack 1", state::syn_received},
      {state::syn_received, "S 1:1(0)", "", state::listen},
      {state::time_wait, "S 0:0(0)", ". 2:2(0) ack 2", state::time_wait},  // the old connection's own
  });
}

TEST(rfc9293_segment_arrives, syn_and_ack) {
  run({
      {state::closed, "S. 0:0(0) ack 1", "R 1:1(0)", state::closed},
      {state::listen, "S. 0:0(0) ack 1", "R 1:1(0)", state::listen},
      {state::syn_sent, "S. 0:0(0) ack 1", ". 1:1(0) ack 1", state::established},
      {state::syn_sent, "S. 0:0(0) ack 0", "R 0:0(0)", state::syn_sent},
      {state::syn_sent, "S. 0:0(0) ack 2", "R 2:2(0)", state::syn_sent},
      {state::syn_received, "S. 0:0(0) ack 1", ". 1:1(0) ack 1", state::syn_received},
      {state::time_wait, "S. 2:2(0) ack 2", ". 2:2(0) ack 2", state::time_wait},
  });
}

TEST(rfc9293_segment_arrives, syn_and_fin_opens_nothing) {
  run({
      {state::listen, "SF 0:0(0)", "", state::listen},
      {state::time_wait, "SF 5:5(0)", ". 2:2(0) ack 2", state::time_wait},
  });
}

TEST(rfc9293_segment_arrives, acceptable_ack) {
  run({
      {state::closed, ". 0:0(0) ack 1", "R 1:1(0)", state::closed},
      {state::listen, ". 0:0(0) ack 1", "R 1:1(0)", state::listen},
      {state::syn_sent, ". 0:0(0) ack 1", "", state::syn_sent},  // acknowledges our SYN, and is no SYN itself
      {state::established, ". 1:1(0) ack 1", "", state::established},
      {state::fin_wait_1, ". 1:1(0) ack 2", "", state::fin_wait_2},
      {state::fin_wait_2, ". 1:1(0) ack 2", "", state::fin_wait_2},
      {state::close_wait, ". 2:2(0) ack 1", "", state::close_wait},
      {state::closing, ". 2:2(0) ack 2", "", state::time_wait},
      {state::last_ack, ". 2:2(0) ack 2", "", state::closed},
      {state::time_wait, ". 2:2(0) ack 2", "", state::time_wait},
  });
  auto t = script::in(state::syn_received);
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.in_state(state::established);
}

TEST(rfc9293_segment_arrives, ack_that_repeats_itself) {
  run({
      {state::fin_wait_1, ". 1:1(0) ack 1", "", state::fin_wait_1},
      {state::closing, ". 2:2(0) ack 1", "", state::closing},
      {state::last_ack, ". 2:2(0) ack 1", "", state::last_ack},
  });
}

TEST(rfc9293_segment_arrives, ack_outside_the_window) {  // first step: answered with an ACK, and dropped
  run({
      {state::syn_received, ". 0:0(0) ack 1", ". 1:1(0) ack 1", state::syn_received},
      {state::syn_received, ". 99999:99999(0) ack 1", ". 1:1(0) ack 1", state::syn_received},
      {state::established, ". 0:0(0) ack 1", ". 1:1(0) ack 1", state::established},
      {state::established, ". 99999:99999(0) ack 1", ". 1:1(0) ack 1", state::established},
      {state::fin_wait_1, ". 0:0(0) ack 2", ". 2:2(0) ack 1", state::fin_wait_1},
      {state::fin_wait_2, ". 0:0(0) ack 2", ". 2:2(0) ack 1", state::fin_wait_2},
      {state::close_wait, ". 1:1(0) ack 1", ". 1:1(0) ack 2", state::close_wait},
      {state::closing, ". 1:1(0) ack 2", ". 2:2(0) ack 2", state::closing},
      {state::last_ack, ". 1:1(0) ack 2", ". 2:2(0) ack 2", state::last_ack},
      {state::time_wait, ". 1:1(0) ack 2", ". 2:2(0) ack 2", state::time_wait},
  });
}

TEST(rfc9293_segment_arrives, without_ack) {  // fifth step: dropped
  run({
      {state::closed, "- 0:0(0)", "R. 100:100(0) ack 0", state::closed},
      {state::listen, "- 0:0(0)", "", state::listen},
      {state::listen, "P 1:11(10)", "", state::listen},
      {state::syn_sent, "- 0:0(0)", "", state::syn_sent},
      {state::syn_received, "- 1:1(0)", "", state::syn_received},
      {state::established, "P 1:11(10)", "", state::established},
      {state::fin_wait_1, "P 1:11(10)", "", state::fin_wait_1},
      {state::fin_wait_2, "F 1:1(0)", "", state::fin_wait_2},
      {state::close_wait, "- 2:2(0)", "", state::close_wait},
      {state::closing, "- 2:2(0)", "", state::closing},
      {state::last_ack, "- 2:2(0)", "", state::last_ack},
      {state::time_wait, "- 2:2(0)", "", state::time_wait},
  });
}

TEST(rfc9293_segment_arrives, fin) {
  run({
      {state::closed, "F. 0:0(0) ack 1", "R 1:1(0)", state::closed},
      {state::listen, "F 0:0(0)", "", state::listen},
      {state::syn_sent, "F 0:0(0)", "", state::syn_sent},  // eighth step: SEG.SEQ cannot be validated
      {state::syn_sent, "F. 0:0(0) ack 1", "", state::syn_sent},
      {state::established, "F. 1:1(0) ack 1", ". 1:1(0) ack 2", state::close_wait},
      {state::fin_wait_1, "F. 1:1(0) ack 1", ". 2:2(0) ack 2", state::closing},
      {state::fin_wait_1, "F. 1:1(0) ack 2", ". 2:2(0) ack 2", state::time_wait},
      {state::fin_wait_2, "F. 1:1(0) ack 2", ". 2:2(0) ack 2", state::time_wait},
      {state::close_wait, "F. 1:1(0) ack 1", ". 1:1(0) ack 2", state::close_wait},  // again: our ACK was lost
      {state::closing, "F. 1:1(0) ack 1", ". 2:2(0) ack 2", state::closing},
      {state::last_ack, "F. 1:1(0) ack 1", ". 2:2(0) ack 2", state::last_ack},
      {state::time_wait, "F. 1:1(0) ack 2", ". 2:2(0) ack 2", state::time_wait},
      {state::close_wait, "F. 2:2(0) ack 1", "", state::close_wait},  // behind the first: remain
      {state::closing, "F. 2:2(0) ack 1", "", state::closing},
      {state::last_ack, "F. 2:2(0) ack 1", "", state::last_ack},
  });
}

TEST(rfc9293_segment_arrives, fin_with_text) {
  run({
      {state::established, "FP. 1:11(10) ack 1", ". 1:1(0) ack 12", state::close_wait},
      {state::fin_wait_1, "FP. 1:11(10) ack 1", ". 2:2(0) ack 12", state::closing},
      {state::fin_wait_1, "FP. 1:11(10) ack 2", ". 2:2(0) ack 12", state::time_wait},
      {state::fin_wait_2, "FP. 1:11(10) ack 2", ". 2:2(0) ack 12", state::time_wait},
  });
}

TEST(rfc9293_segment_arrives, fin_ahead_of_missing_text) {
  run({
      {state::established, "F. 11:11(0) ack 1", ". 1:1(0) ack 1", state::established},
      {state::fin_wait_1, "F. 11:11(0) ack 2", ". 2:2(0) ack 1", state::fin_wait_2},
      {state::fin_wait_2, "FP. 11:21(10) ack 2", ". 2:2(0) ack 1", state::fin_wait_2},
  });
}

TEST(rfc9293_segment_arrives, text_out_of_order) {  // acknowledged at once (RFC 5681 §4.2)
  run({
      {state::established, "P. 11:21(10) ack 1", ". 1:1(0) ack 1", state::established},
      {state::fin_wait_1, "P. 11:21(10) ack 1", ". 2:2(0) ack 1", state::fin_wait_1},
      {state::fin_wait_2, "P. 11:21(10) ack 2", ". 2:2(0) ack 1", state::fin_wait_2},
  });
}

TEST(rfc9293_segment_arrives, text_after_the_peers_fin) {  // seventh step: this should not occur; ignore it
  run({
      {state::close_wait, "P. 2:12(10) ack 1", "", state::close_wait},
      {state::closing, "P. 2:12(10) ack 1", "", state::closing},
      {state::last_ack, "P. 2:12(10) ack 1", "", state::last_ack},
      {state::time_wait, "P. 2:12(10) ack 2", ". 2:2(0) ack 2", state::time_wait},
  });
}

TEST(rfc9293_segment_arrives, text_for_no_connection) {
  run({
      {state::closed, "P. 1:11(10) ack 1", "R 1:1(0)", state::closed},
      {state::listen, "P. 1:11(10) ack 1", "R 1:1(0)", state::listen},
      {state::syn_sent, "P. 1:11(10) ack 1", "", state::syn_sent},
  });
}

TEST(rfc9293_segment_arrives, text_that_was_there_before) {  // first step: the whole segment is old
  run({
      {state::syn_received, "P. 0:1(1) ack 1", ". 1:1(0) ack 1", state::syn_received},
      {state::established, "P. 0:1(1) ack 1", ". 1:1(0) ack 1", state::established},
      {state::fin_wait_1, "P. 0:1(1) ack 1", ". 2:2(0) ack 1", state::fin_wait_1},
      {state::fin_wait_2, "P. 0:1(1) ack 2", ". 2:2(0) ack 1", state::fin_wait_2},
      {state::close_wait, "P. 0:1(1) ack 1", ". 1:1(0) ack 2", state::close_wait},
      {state::closing, "P. 0:1(1) ack 1", ". 2:2(0) ack 2", state::closing},
      {state::last_ack, "P. 0:1(1) ack 1", ". 2:2(0) ack 2", state::last_ack},
      {state::time_wait, "P. 0:1(1) ack 2", ". 2:2(0) ack 2", state::time_wait},
  });
}

TEST(rfc9293_segment_arrives, text_beyond_the_window) {  // first step
  run({
      {state::syn_received, "P. 65537:65547(10) ack 1", ". 1:1(0) ack 1", state::syn_received},
      {state::established, "P. 65536:65546(10) ack 1", ". 1:1(0) ack 1", state::established},
      {state::fin_wait_1, "P. 65537:65547(10) ack 1", ". 2:2(0) ack 1", state::fin_wait_1},
      {state::fin_wait_2, "P. 65537:65547(10) ack 2", ". 2:2(0) ack 1", state::fin_wait_2},
  });
}

TEST(rfc9293_segment_arrives, text_in_order_is_taken_in_each_receiving_state) {  // seventh step
  for (const state s : {state::established, state::fin_wait_1, state::fin_wait_2}) {
    SCOPED_TRACE(tcp::name(s));
    auto t = script::in(s);
    t.arrives(line_of("P.", 1, 10, numbers_in(s).una));
    EXPECT_TRUE(t.told().readable);
    t.user_receives(10);
    t.in_state(s);
    t.passes(40ms);
    t.sends(line_of(".", numbers_in(s).nxt, 0, 11));
  }
}

TEST(segment_arrives, text_that_is_partly_old_is_taken_for_the_rest) {
  // first step: "only the new parts are processed"
  auto t = script::established();
  t.arrives("P. 1:11(10) ack 1");
  t.arrives("P. 6:21(15) ack 1");
  t.sends(". 1:1(0) ack 21");
  t.user_receives(20);
}

TEST(rfc9293_segment_arrives, text_that_straddles_the_window_is_taken_up_to_it) {  // first step
  script_options o;
  o.stack.tcp.receive_buffer = 1000;
  auto t = script::established(o);
  t.arrives("FP. 1:1201(1200) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 1001 win 0");
  t.in_state(state::established);  // the FIN lies beyond the window
  t.user_receives(1000);
  t.sends(". 1:1(0) ack 1001 win 1000");
  t.arrives("FP. 1001:1201(200) ack 1");  // a FIN is acknowledged at once
  t.sends(". 1:1(0) ack 1202");
  t.user_receives(200);
  t.at_end();
}

TEST(rfc9293_segment_arrives, fin_behind_text_that_fills_the_window_is_taken) {
  script_options o;
  o.stack.tcp.receive_buffer = 1000;
  auto t = script::established(o);
  t.arrives("FP. 1:1001(1000) ack 1");
  t.sends(". 1:1(0) ack 1002 win 0");
  t.in_state(state::close_wait);
  EXPECT_EQ(t.status().rcv_wnd, 0u);
}

TEST(rfc9293_segment_arrives, urgent_text_is_text) {  // RFC 6093 §6
  auto t = script::established();
  t.arrives("PU. 1:11(10) ack 1");
  t.user_receives(10);
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
}

TEST(rfc9293_segment_arrives, at_the_very_edge_of_the_window_an_ack_is_taken) {
  // a peer that filled the window stands there
  auto t = script::in(state::fin_wait_1);
  t.arrives(". 65536:65536(0) ack 2");
  t.in_state(state::fin_wait_2);
}

}  // namespace
}  // namespace tunic::test
