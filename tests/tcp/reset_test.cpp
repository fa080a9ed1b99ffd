#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// Resets: RFC 9293 §3.5.2 and §3.5.3, RFC 5961 §3.

namespace tunic::test {
namespace {

using tcp::state;

struct reset_case {
  state in;
  std::error_code error;
};
const auto reset = make_error_code(std::errc::connection_reset);
const reset_case resets[] = {
    {state::established, reset}, {state::fin_wait_1, reset}, {state::fin_wait_2, reset}, {state::close_wait, reset},
    {state::closing, {}},        {state::last_ack, {}},      {state::time_wait, {}},
};

TEST(rfc9293_reset, with_the_very_number_closes_in_each_state) {  // RFC 9293 §3.10.7.4, second step; RFC 5961 §3.2
  for (const auto& c : resets) {
    SCOPED_TRACE(tcp::name(c.in));
    auto t = script::in(c.in);
    t.arrives(line_of("R", numbers_in(c.in).rcv, 0, 0));
    t.closed_with(c.error);
    EXPECT_EQ(t.connections(), 0u);
    t.silent_for(10min);
  }
}

TEST(rfc9293_reset, with_the_very_number_and_an_acknowledgement_closes_in_each_state) {
  for (const auto& c : resets) {
    SCOPED_TRACE(tcp::name(c.in));
    auto t = script::in(c.in);
    t.arrives(line_of("R.", numbers_in(c.in).rcv, 0, numbers_in(c.in).nxt));
    t.closed_with(c.error);
  }
}

TEST(rfc9293_reset, that_carries_text_is_a_reset) {  // RFC 9293 §3.5.3, SHLD-2
  auto t = script::established();
  t.arrives("R 1:11(10)");
  t.closed_with(make_error_code(std::errc::connection_reset));
  t.reads_nothing();
}

TEST(rfc9293_reset, of_a_passive_open_returns_to_listen) {  // RFC 9293 §3.10.7.4, second step, SYN-RECEIVED
  auto t = script::in(state::syn_received);
  t.arrives("R 1:1(0)");
  t.in_state(state::listen);
  EXPECT_EQ(t.connections(), 0u);
  EXPECT_EQ(t.told_acceptable(), 0);
}

TEST(rfc9293_reset, in_the_window_is_challenged_in_each_state) {  // RFC 5961 §3.2
  for (const state s : with_window) {
    SCOPED_TRACE(tcp::name(s));
    for (const std::uint32_t ahead : {1u, 30000u}) {
      auto t = script::in(s);
      t.arrives(line_of("R", numbers_in(s).rcv + ahead, 0, 0));
      t.sends(plain_ack(s));
      t.in_state(s);
      EXPECT_EQ(t.counted().challenge_acks, 1u);
    }
  }
}

TEST(rfc9293_reset, in_the_window_of_time_wait_is_not_believed) {  // RFC 5961 §3.2, RFC 1337
  auto t = script::in(state::time_wait);
  t.arrives("R 3:3(0)");
  t.in_state(state::time_wait);
}

TEST(rfc9293_reset, outside_the_window_is_dropped_in_silence_in_each_state) {  // RFC 9293 §3.10.7.4, first step
  for (const state s : with_window) {
    SCOPED_TRACE(tcp::name(s));
    auto t = script::in(s);
    t.arrives(line_of("R", numbers_in(s).rcv - 1, 0, 0));
    t.arrives(line_of("R", numbers_in(s).rcv + 100'000, 0, 0));
    t.in_state(s);
    t.silent();
    t.dropped(drop::unacceptable_segment, 2);
    EXPECT_EQ(t.counted().challenge_acks, 0u);
  }
}

TEST(rfc9293_reset, in_listen_is_ignored) {  // RFC 9293 §3.10.7.2, first
  auto t = script::listening();
  t.arrives("R 0:0(0)");
  t.arrives("R. 0:0(0) ack 1");
  t.in_state(state::listen);
  t.silent();
}

TEST(rfc9293_reset, of_an_active_open_refuses_the_connection) {  // RFC 9293 §3.10.7.3, second
  auto t = script::opening();
  t.arrives("R. 0:0(0) ack 1");
  t.closed_with(make_error_code(std::errc::connection_refused));
  EXPECT_EQ(t.connections(), 0u);
}

TEST(rfc9293_reset, of_an_active_open_needs_an_acceptable_acknowledgement) {  // RFC 9293 §3.10.7.3, first and second
  auto t = script::opening();
  t.arrives("R 0:0(0)");
  t.arrives("R. 0:0(0) ack 0");
  t.arrives("R. 0:0(0) ack 2");
  t.in_state(state::syn_sent);
  t.silent();
}

TEST(rfc9293_reset, is_the_answer_to_what_no_connection_claims) {  // RFC 9293 §3.5.2, group 1, and §3.10.7.1
  script t;
  t.arrives("R 0:0(0)");  // never to a reset
  t.silent();
  t.arrives(". 7:7(0) ack 9");
  t.sends("R 9:9(0)");
  // Without an ACK the reset's number is a plain 0, which is 100 where the script counts from an ISS of 2^32 - 100.
  t.arrives("S 0:0(0)");
  t.sends("R. 100:100(0) ack 1");
  t.arrives("F 5:15(10)");
  t.sends("R. 100:100(0) ack 16");
  t.arrives("- 5:5(0)");
  t.sends("R. 100:100(0) ack 5");
  t.dropped(drop::no_listener, 5);
}

TEST(rfc9293_reset, over_version_6_is_the_answer_too) {
  script t{{.ipv6 = true}};
  t.arrives("S 0:0(0)");
  t.sends("R. 100:100(0) ack 1");
}

TEST(rfc9293_reset, is_the_answer_to_a_wrong_acknowledgement_of_a_handshake) {  // RFC 9293 §3.5.2, group 2
  auto t = script::in(state::syn_received);
  t.arrives(". 1:1(0) ack 0");
  t.sends("R 0:0(0)");
  t.arrives(". 1:1(0) ack 2");
  t.sends("R 2:2(0)");
  t.in_state(state::syn_received);
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.in_state(state::established);
}

TEST(rfc9293_reset, leaves_what_was_received_to_be_read) {
  auto t = script::established();
  t.arrives("P. 1:11(10) ack 1");
  t.arrives("R 11:11(0)");
  t.closed_with(reset);
  t.user_receives(10);
}

TEST(rfc9293_reset, leaves_what_had_come_to_who_accepts_then) {  // as on Linux; the handshake was complete
  auto t = script::in(state::syn_received);
  t.arrives("P. 1:11(10) ack 1");
  t.arrives("R 11:11(0)");
  EXPECT_EQ(t.connections(), 0u);
  t.user_accepts();
  t.in_state(state::closed);
  EXPECT_EQ(tcp::layer::error(t.connection()), std::errc::connection_reset);
  t.user_receives(10);
}

TEST(rfc9293_reset, that_nobody_accepts_goes_with_the_listener) {
  auto t = script::in(state::syn_received);
  t.arrives("P. 1:11(10) ack 1");
  t.arrives("R 11:11(0)");
  t.user_stops_listening();
  t.silent();
}

TEST(rfc5961_reset, of_text_that_never_left_has_the_number_that_the_peer_expects) {  // RFC 5961 §3.2
  auto t = script::established();
  t.user_sends(4000);
  t.sends(". 1:1461(1460) ack 1");
  t.sends(". 1461:2921(1460) ack 1");
  t.sends("P. 2921:4001(1080) ack 1");
  t.tcp().on_unreadable(t.connection().ends, t.iss() + 1461, t.now());
  t.sends("R. 1461:1461(0) ack 1");
  t.closed_with(make_error_code(std::errc::io_error));
}

}  // namespace
}  // namespace tunic::test
