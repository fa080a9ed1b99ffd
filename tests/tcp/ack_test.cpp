#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// When we acknowledge, and when short text waits: RFC 9293 §3.8.6.3 and §3.7.4, RFC 5681 §4.2.

namespace tunic::test {
namespace {

using tcp::state;

TEST(rfc9293_delayed_ack, waits_forty_milliseconds) {  // RFC 9293 §3.8.6.3, MUST-40: less than 0.5 s
  auto t = script::established();
  t.arrives("P. 1:11(10) ack 1");
  t.silent_for(40ms - 1us);
  t.passes(1us);
  t.sends(". 1:1(0) ack 11");
  t.silent_for(1h);
}

TEST(rfc9293_delayed_ack, is_counted_from_the_first_unacknowledged_text) {
  auto t = script::established();
  t.arrives("P. 1:11(10) ack 1");
  t.silent_for(30ms);
  t.arrives("P. 11:21(10) ack 1");
  t.silent_for(10ms - 1us);
  t.passes(1us);
  t.sends(". 1:1(0) ack 21");
  t.silent_for(1h);
}

TEST(rfc9293_delayed_ack, ends_with_the_second_full_segment) {  // RFC 9293 §3.8.6.3, SHLD-19
  auto t = script::established();
  t.arrives(". 1:1461(1460) ack 1");
  t.silent();
  t.arrives(". 1461:2921(1460) ack 1");
  t.sends(". 1:1(0) ack 2921");
  t.arrives(". 2921:4381(1460) ack 1");
  t.silent();
  t.arrives(". 4381:5841(1460) ack 1");
  t.sends(". 1:1(0) ack 5841");
  t.silent_for(1h);
}

TEST(delayed_ack, counts_segments_as_full_that_carry_timestamps) {
  // RFC 5681 §4.2: a full segment is one of the peer's
  script_options o;
  o.syn_options = "mss 1460,TS val 100 ecr 0";
  auto t = script::in(tcp::state::syn_received, o);
  t.arrives(". 1:1(0) ack 1 <TS val 101 ecr 0>");
  t.user_accepts();
  t.arrives(". 1:1449(1448) ack 1 <TS val 102 ecr 0>");
  t.silent();
  t.arrives(". 1449:2897(1448) ack 1 <TS val 102 ecr 0>");
  t.sends(". 1:1(0) ack 2897");
}

TEST(rfc9293_delayed_ack, rides_on_text) {  // RFC 9293 §3.10.7.4, seventh step: piggy-backed
  auto t = script::established();
  t.arrives("P. 1:11(10) ack 1");
  t.user_sends(5);
  t.sends("P. 1:6(5) ack 11");
  t.arrives(". 11:11(0) ack 6");
  t.silent_for(1h);
}

TEST(rfc9293_delayed_ack, is_as_long_as_configured) {
  script_options o;
  o.stack.tcp.delayed_ack = 100ms;
  auto t = script::established(o);
  t.arrives("P. 1:11(10) ack 1");
  t.silent_for(100ms - 1us);
  t.passes(1us);
  t.sends(". 1:1(0) ack 11");
}

TEST(rfc9293_ack, is_one_a_batch) {  // RFC 9293 §3.10.7.4, MUST-58, MUST-59
  auto t = script::established();
  for (std::uint32_t i = 0; i < 6; ++i) t.datagram_arrives(t.datagram(line_of(".", 1 + i * 1460, 1460, 1)));
  t.sends(". 1:1(0) ack 8761");
  t.silent_for(1h);
}

TEST(rfc9293_ack, is_immediate_for_text_out_of_order) {  // RFC 5681 §4.2
  auto t = script::established();
  t.arrives("P. 11:21(10) ack 1");
  t.sends(". 1:1(0) ack 1");
  t.arrives("P. 31:41(10) ack 1");
  t.sends(". 1:1(0) ack 1");
}

TEST(rfc9293_ack, is_immediate_where_a_gap_is_filled_or_narrowed) {  // RFC 5681 §4.2
  auto t = script::established();
  t.arrives("P. 21:31(10) ack 1");
  t.sends(". 1:1(0) ack 1");
  t.arrives("P. 1:11(10) ack 1");
  t.sends(". 1:1(0) ack 11");
  t.arrives("P. 11:21(10) ack 1");
  t.sends(". 1:1(0) ack 31");
  t.user_receives(30);
  t.arrives("P. 31:41(10) ack 1");
  t.silent_for(40ms - 1us);  // in order again
  t.passes(1us);
  t.sends(". 1:1(0) ack 41");
}

TEST(rfc9293_ack, is_immediate_for_a_fin) {
  auto t = script::established();
  t.arrives("FP. 1:11(10) ack 1");
  t.sends(". 1:1(0) ack 12");
  t.silent_for(1h);
}

TEST(rfc9293_ack, never_answers_an_ack) {
  auto t = script::established();
  t.arrives(". 1:1(0) ack 1");
  t.arrives(". 1:1(0) ack 1 win 1000");
  t.silent_for(1h);
}

TEST(rfc9293_push, stands_on_the_last_segment_of_what_was_sent) {  // RFC 9293 §3.9.1.2, SEND without a flag: MUST-61
  auto t = script::established();
  t.user_sends(3000);
  t.sends(". 1:1461(1460) ack 1");
  t.sends(". 1461:2921(1460) ack 1");
  t.sends("P. 2921:3001(80) ack 1");
}

TEST(rfc9293_nagle, keeps_short_text_while_anything_is_under_way) {  // RFC 9293 §3.7.4, MUST-17
  auto t = script::established();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  t.user_sends(50);
  t.user_sends(50);
  t.silent();
  t.arrives(". 1:1(0) ack 101");
  t.sends("P. 101:201(100) ack 1");
}

TEST(rfc9293_nagle, lets_the_end_of_a_larger_text_go) {  // RFC 9293 §A.3
  auto t = script::established();
  t.user_sends(1460);
  t.sends("P. 1:1461(1460) ack 1");
  t.user_sends(1500);
  t.sends(". 1461:2921(1460) ack 1");
  t.sends("P. 2921:2961(40) ack 1");
  t.user_sends(10);
  t.silent();
  t.arrives(". 1:1(0) ack 2921");
  t.silent();
  t.arrives(". 1:1(0) ack 2961");
  t.sends("P. 2961:2971(10) ack 1");
}

TEST(rfc9293_nagle, lets_full_segments_go) {
  auto t = script::established();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  t.user_sends(1500);
  t.sends(". 101:1561(1460) ack 1");
  t.silent();
  t.arrives(". 1:1(0) ack 1561");
  t.sends("P. 1561:1601(40) ack 1");
}

TEST(rfc9293_nagle, lets_the_last_text_go_with_its_fin) {
  auto t = script::established();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  t.user_sends_and_closes(50);
  t.sends("FP. 101:151(50) ack 1");
}

TEST(rfc9293_nagle, is_off_where_asked) {  // RFC 9293 §3.7.4, MUST-17: for an individual connection
  auto t = script::established({.no_delay = true});
  for (std::uint32_t i = 0; i < 3; ++i) {
    t.user_sends(10);
    t.sends(line_of("P.", 1 + i * 10, 10, 1));
  }
}

TEST(rfc9293_nagle, switched_off_lets_go_what_waits) {
  auto t = script::established();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  t.user_sends(50);
  t.silent();
  t.tcp().set_no_delay(t.connection(), true);
  t.sends("P. 101:151(50) ack 1");
}

TEST(rfc9293_nagle, is_inherited_from_the_listener) {
  auto t = script::listening({.no_delay = true});
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1");
  t.user_sends(10);
  t.sends("P. 11:21(10) ack 1");
}

TEST(quick_ack, is_for_the_first_answer_to_a_client_too) {  // a handshake is nothing that text of ours would answer
  auto t = script::opening({.quick_acks = 16});
  t.arrives("S. 0:0(0) ack 1 <mss 1460>");
  t.sends(". 1:1(0) ack 1");
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  t.arrives("P. 1:201(200) ack 101");
  t.sends(". 101:101(0) ack 201");
}

}  // namespace
}  // namespace tunic::test
