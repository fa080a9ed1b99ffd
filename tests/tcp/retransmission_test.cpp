#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// Retransmission: RFC 6298, RFC 9293 §3.8.1 to §3.8.3. In a script a round trip takes no time, so the RTO is the least.

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

TEST(rfc6298_loss, of_the_syn) {  // RFC 6298 §2.1, §5.4, §5.5
  auto t = script::opening();
  sends_after(t, 1s, "S 0:0(0)");
  sends_after(t, 2s, "S 0:0(0)");
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  t.sends(". 1:1(0) ack 1");
  t.in_state(state::established);
  t.silent_for(10min);
}

TEST(rfc6298_loss, of_the_syn_ack) {
  auto t = script::in(state::syn_received);
  sends_after(t, 1s, "S. 0:0(0) ack 1");
  sends_after(t, 2s, "S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.in_state(state::established);
  t.silent_for(10min);
}

TEST(rfc6298_loss, of_the_third_ack) {
  // the peer's SYN+ACK comes again; it is not acceptable, and answered with an ACK
  auto t = script::opening();
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  t.sends(". 1:1(0) ack 1");
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  t.sends(". 1:1(0) ack 1");
  t.in_state(state::established);
}

TEST(rfc6298_loss, of_the_third_ack_of_a_passive_open) {  // our SYN+ACK goes again, and the peer's text brings the ACK
  auto t = script::in(state::syn_received);
  sends_after(t, 1s, "S. 0:0(0) ack 1");
  t.arrives("P. 1:11(10) ack 1");
  t.user_accepts();
  t.user_receives(10);
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
}

TEST(rfc6298_loss, of_the_only_text) {
  auto t = script::established();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  sends_after(t, rto_min, "P. 1:101(100) ack 1");
  t.arrives(". 1:1(0) ack 101");
  t.silent_for(10min);
  EXPECT_EQ(t.status().retransmits, 1u);
}

TEST(rfc6298_loss, of_the_first_text_with_few_behind_it) {  // two duplicates only: the timer finds it
  auto t = script::established();
  t.user_sends(3 * 1460);
  sends_text(t, 1, 4381);
  t.arrives(". 1:1(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  sends_after(t, rto_min, ". 1:1461(1460) ack 1");
  t.arrives(". 1:1(0) ack 4381");
  t.silent_for(10min);
}

TEST(rfc6298_loss, of_text_in_the_middle) {
  auto t = script::established();
  t.user_sends(3 * 1460);
  sends_text(t, 1, 4381);
  t.arrives(". 1:1(0) ack 1461");
  t.arrives(". 1:1(0) ack 1461");
  sends_after(t, rto_min, ". 1461:2921(1460) ack 1");
  t.arrives(". 1:1(0) ack 4381");
  t.silent_for(10min);
}

TEST(rfc6298_loss, of_the_last_text) {
  auto t = script::established();
  t.user_sends(3 * 1460);
  sends_text(t, 1, 4381);
  t.arrives(". 1:1(0) ack 2921");
  sends_after(t, rto_min, "P. 2921:4381(1460) ack 1");
  t.arrives(". 1:1(0) ack 4381");
  t.silent_for(10min);
}

TEST(rfc6298_loss, of_all_text_is_made_good_in_slow_start) {
  // RFC 5681 §3.1: one segment, then two for each acknowledged
  auto t = script::established({.syn_options = "mss 1000"});
  t.user_sends(5 * 1000);
  for (const char* segment : {". 1:1001(1000) ack 1", ". 1001:2001(1000) ack 1", ". 2001:3001(1000) ack 1",
                              ". 3001:4001(1000) ack 1", "P. 4001:5001(1000) ack 1"})
    t.sends(segment);
  sends_after(t, rto_min, ". 1:1001(1000) ack 1");
  t.arrives(". 1:1(0) ack 1001");
  t.sends(". 1001:2001(1000) ack 1");
  t.sends(". 2001:3001(1000) ack 1");
  t.arrives(". 1:1(0) ack 3001");
  t.sends(". 3001:4001(1000) ack 1");
  t.sends("P. 4001:5001(1000) ack 1");
  t.arrives(". 1:1(0) ack 5001");
  t.silent_for(10min);
}

TEST(rfc6298_loss, of_the_fin) {
  for (const state s : {state::fin_wait_1, state::closing, state::last_ack}) {
    SCOPED_TRACE(tcp::name(s));
    auto t = script::in(s);
    const auto rcv = numbers_in(s).rcv;
    sends_after(t, rto_min, line_of("F.", 1, 0, rcv));
    sends_after(t, 2 * rto_min, line_of("F.", 1, 0, rcv));
    t.arrives(line_of(".", rcv, 0, 2));
    t.in_state(s == state::fin_wait_1 ? state::fin_wait_2 : s == state::closing ? state::time_wait : state::closed);
    t.silent_for(30s);
  }
}

TEST(rfc6298_loss, of_the_last_text_with_its_fin) {
  auto t = script::established();
  t.user_sends_and_closes(100);
  t.sends("FP. 1:101(100) ack 1");
  sends_after(t, rto_min, "FP. 1:101(100) ack 1");
  t.arrives(". 1:1(0) ack 102");
  t.in_state(state::fin_wait_2);
}

TEST(rfc6298_loss, of_a_fin_behind_text_that_arrived) {
  auto t = script::established();
  t.user_sends_and_closes(100);
  t.sends("FP. 1:101(100) ack 1");
  t.arrives(". 1:1(0) ack 101");
  sends_after(t, rto_min, "F. 101:101(0) ack 1");
  t.arrives(". 1:1(0) ack 102");
  t.in_state(state::fin_wait_2);
}

TEST(rfc6298_loss, of_our_ack) {  // the peer's text comes again: old, and acknowledged at once
  auto t = script::established();
  t.arrives("P. 1:11(10) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
  t.arrives("P. 1:11(10) ack 1");
  t.sends(". 1:1(0) ack 11");
  t.user_receives(10);
  t.reads_nothing();
}

TEST(rfc6298_rto, doubles_up_to_the_maximum) {  // RFC 6298 §5.5
  auto t = script::established();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  for (duration d = rto_min; d < 60s; d *= 2) sends_after(t, d, "P. 1:101(100) ack 1");
  for (int i = 0; i < 3; ++i) sends_after(t, 60s, "P. 1:101(100) ack 1");
}

TEST(rfc6298_rto, gives_up_after_so_many_retransmissions) {  // RFC 9293 §3.8.3: R2 is 100 s at least for text
  auto t = script::established();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  const instant start = t.now();
  for (unsigned i = 0; i < tcp::config{}.retries; ++i) {
    t.passes(1h);
    t.sends("P. 1:101(100) ack 1");
  }
  t.silent_for(60s);
  t.closed_with(make_error_code(std::errc::timed_out));
  EXPECT_GE(t.now() - start, 100s);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(rfc6298_rto, gives_an_unanswered_syn_up_after_three_minutes) {  // RFC 9293 §3.8.3, MUST-23
  auto t = script::opening();
  const instant start = t.now();
  for (unsigned i = 0; i < tcp::config{}.syn_retries; ++i) {
    t.passes(1h);
    t.sends("S 0:0(0)");
  }
  t.silent_for(60s);
  t.closed_with(make_error_code(std::errc::timed_out));
  EXPECT_GE(t.now() - start, 180s);
}

TEST(rfc6298_rto, gives_an_unanswered_syn_ack_up_and_tells_nobody) {
  auto t = script::in(state::syn_received);
  for (unsigned i = 0; i < tcp::config{}.syn_ack_retries; ++i) {
    t.passes(1h);
    t.sends("S. 0:0(0) ack 1");
  }
  t.silent_for(60s);
  t.in_state(state::listen);
  EXPECT_EQ(t.connections(), 0u);
  EXPECT_EQ(t.told_acceptable(), 0);
}

TEST(rfc6298_rto, follows_the_round_trips) {  // RFC 6298 §2.2, §2.3
  auto t = script::opening();
  t.silent_for(400ms);
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  t.sends(". 1:1(0) ack 1");
  EXPECT_EQ(t.status().srtt, duration{400ms});
  EXPECT_EQ(t.status().rto, duration{1200ms});  // SRTT + 4 RTTVAR, RTTVAR half of the first sample
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  t.silent_for(800ms);
  t.arrives(". 1:1(0) ack 101");
  EXPECT_EQ(t.status().srtt, duration{450ms});             // 7/8 400 + 1/8 800
  EXPECT_EQ(t.status().rto, duration{450ms + 4 * 250ms});  // RTTVAR 3/4 200 + 1/4 400
  t.user_sends(100);
  t.sends("P. 101:201(100) ack 1");
  sends_after(t, 1450ms, "P. 101:201(100) ack 1");
}

TEST(rfc6298_rto, is_never_below_the_minimum) {  // RFC 6298 §2.4, with Linux's 200 ms
  EXPECT_EQ(script::established().status().rto, rto_min);
  script_options o;
  o.stack.tcp.rto_min = 1s;
  auto t = script::established(o);
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  sends_after(t, 1s, "P. 1:101(100) ack 1");
}

TEST(rfc6298_rto, takes_no_sample_from_what_was_sent_twice) {  // RFC 6298 §3, Karn's algorithm
  auto t = script::established();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  sends_after(t, rto_min, "P. 1:101(100) ack 1");
  t.silent_for(300ms);
  t.arrives(". 1:1(0) ack 101");
  EXPECT_EQ(t.status().srtt, duration{});
}

TEST(rfc6298_rto, stays_backed_off_until_a_new_sample) {
  // RFC 6298 §5, after (5.7): only a new measurement collapses it
  auto t = script::established();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  sends_after(t, rto_min, "P. 1:101(100) ack 1");
  sends_after(t, 2 * rto_min, "P. 1:101(100) ack 1");
  t.arrives(". 1:1(0) ack 101");  // of which transmission?
  t.user_sends(100);
  t.sends("P. 101:201(100) ack 1");
  t.silent_for(4 * rto_min - 1us);  // so a path that has become slow can be measured
  t.arrives(". 1:1(0) ack 201");
  EXPECT_EQ(t.status().srtt, duration{(4 * rto_min - 1us) / 8});
  t.user_sends(100);
  t.sends("P. 201:301(100) ack 1");
  sends_after(t, t.status().rto, "P. 201:301(100) ack 1");
}

TEST(rfc6298_rto, begins_at_three_seconds_where_the_syn_timed_out) {  // RFC 6298 §5.7
  auto t = script::opening();
  sends_after(t, 1s, "S 0:0(0)");
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  t.sends(". 1:1(0) ack 1");
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  sends_after(t, 3s, "P. 1:101(100) ack 1");
}

TEST(rfc6298_rto, starts_anew_with_each_acknowledgement_of_new_text) {  // RFC 6298 §5.3
  auto t = script::established();
  t.user_sends(2 * 1460);
  sends_text(t, 1, 2921);
  t.silent_for(150ms);
  t.arrives(". 1:1(0) ack 1461");
  const duration rto = t.status().rto;  // with a sample of 150 ms now
  sends_after(t, rto, "P. 1461:2921(1460) ack 1");
}

TEST(rfc6298_rto, stops_when_all_is_acknowledged) {  // RFC 6298 §5.2
  auto t = script::established();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  t.arrives(". 1:1(0) ack 101");
  t.silent_for(1h);
}

TEST(rfc6298_rto, measures_with_timestamps_what_was_sent_twice) {
  // RFC 7323 §4.1: Karn's ambiguity does not touch them
  auto t = script::in(state::syn_received, {.syn_options = "mss 1460,TS val 1 ecr 0"});
  t.arrives(". 1:1(0) ack 1 <TS val 1 ecr 0>");
  t.user_accepts();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1 <TS val 0 ecr 1>");
  t.silent_for(rto_min - 1us);
  t.passes(1us);
  t.sends("P. 1:101(100) ack 1 <TS val 200 ecr 1>");
  t.silent_for(80ms);
  t.arrives(". 1:1(0) ack 101 <TS val 2 ecr 200>");
  EXPECT_EQ(t.status().srtt, duration{10ms});  // 1/8 of 80 ms: the second transmission's round trip
}

}  // namespace
}  // namespace tunic::test
