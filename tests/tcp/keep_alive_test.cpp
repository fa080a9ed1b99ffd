#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// Keep-alives: RFC 9293 §3.8.4.

namespace tunic::test {
namespace {

using tcp::state;

script kept_alive() {
  auto t = script::established();
  t.tcp().set_liveness(t.connection(), {.keep_alive = true}, t.now());
  return t;
}

TEST(rfc9293_keep_alive, is_off_by_default) {  // RFC 9293 §3.8.4, MUST-25
  auto t = script::established();
  t.silent_for(std::chrono::hours{24 * 30});
  t.in_state(state::established);
}

TEST(rfc9293_keep_alive, comes_after_two_hours_of_silence) {  // RFC 9293 §3.8.4, MUST-28; SEG.SEQ = SND.NXT-1
  auto t = kept_alive();
  t.silent_for(2h - 1us);
  t.passes(1us);
  t.sends(". 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.silent_for(2h - 1us);
  t.passes(1us);
  t.sends(". 0:0(0) ack 1");
}

TEST(rfc9293_keep_alive, is_put_off_by_whatever_arrives) {  // RFC 9293 §3.8.4, MUST-26
  auto t = kept_alive();
  t.silent_for(1h);
  t.arrives("P. 1:11(10) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
  t.silent_for(2h - 40ms - 1us);
  t.passes(1us);
  t.sends(". 0:0(0) ack 11");
}

TEST(rfc9293_keep_alive, that_is_answered_by_nobody_ends_the_connection) {
  // RFC 9293 §3.8.4, MUST-29: not for one lost probe
  auto t = kept_alive();
  t.silent_for(2h - 1us);
  t.passes(1us);
  t.sends(". 0:0(0) ack 1");
  for (unsigned i = 1; i < tcp::config{}.keep_alive_probes; ++i) {
    t.silent_for(75s - 1us);
    t.passes(1us);
    t.sends(". 0:0(0) ack 1");
  }
  t.silent_for(75s - 1us);
  t.in_state(state::established);
  t.passes(1us);
  t.sends("R. 1:1(0) ack 1");
  t.closed_with(make_error_code(std::errc::timed_out));
}

TEST(rfc9293_keep_alive, that_is_answered_by_a_reset_ends_the_connection) {
  auto t = kept_alive();
  t.passes(2h);
  t.sends(". 0:0(0) ack 1");
  t.arrives("R 1:1(0)");
  t.closed_with(make_error_code(std::errc::connection_reset));
}

TEST(rfc9293_keep_alive, leaves_unacknowledged_text_to_the_retransmission_timer) {  // RFC 9293 §3.8.4
  auto t = kept_alive();
  t.silent_for(2h - 100ms);
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1");
  t.silent_for(200ms - 1us);
  t.passes(1us);
  t.sends("P. 1:11(10) ack 1");
}

TEST(rfc9293_keep_alive, leaves_text_that_waits_for_a_window_to_its_probes) {  // RFC 9293 §3.8.4, §3.8.6.1
  auto t = script::established();
  t.tcp().set_liveness(t.connection(), {.keep_alive = true, .keep_alive_probes = 2, .keep_alive_idle = 1s}, t.now());
  t.arrives(". 1:1(0) ack 1 win 0");
  t.user_sends(10);
  t.passes_unheard(200s);  // two keep-alives would have ended it after 151 s
  t.in_state(state::established);
}

TEST(rfc9293_keep_alive, has_settings_of_the_connections_own) {  // RFC 9293 §3.8.4, MUST-25; TCP_KEEPIDLE and others
  auto t = script::established();
  t.tcp().set_liveness(t.connection(),
                       {.keep_alive = true, .keep_alive_probes = 2, .keep_alive_idle = 45s, .keep_alive_interval = 5s},
                       t.now());
  t.silent_for(45s - 1us);
  t.passes(1us);
  t.sends(". 0:0(0) ack 1");
  t.silent_for(5s - 1us);
  t.passes(1us);
  t.sends(". 0:0(0) ack 1");
  t.silent_for(5s - 1us);
  t.passes(1us);
  t.sends("R. 1:1(0) ack 1");
  t.closed_with(make_error_code(std::errc::timed_out));
}

TEST(rfc9293_keep_alive, forgets_its_probes_when_one_is_answered) {  // RFC 9293 §3.8.4, MUST-29
  auto t = script::established();
  t.tcp().set_liveness(t.connection(),
                       {.keep_alive = true, .keep_alive_probes = 2, .keep_alive_idle = 45s, .keep_alive_interval = 5s},
                       t.now());
  for (int round = 0; round < 3; ++round) {
    t.silent_for(45s - 1us);
    t.passes(1us);
    t.sends(". 0:0(0) ack 1");
    t.silent_for(5s - 1us);
    t.passes(1us);
    t.sends(". 0:0(0) ack 1");
    t.arrives(". 1:1(0) ack 1");
  }
  t.in_state(state::established);
}

TEST(rfc9293_keep_alive, can_be_switched_off_again) {
  auto t = kept_alive();
  t.silent_for(1h);
  t.tcp().set_liveness(t.connection(), {}, t.now());
  t.silent_for(std::chrono::hours{24});
}

TEST(rfc9293_keep_alive, of_the_peer_is_answered) {  // RFC 9293 §3.10.7.4, first step: not acceptable, so acknowledged
  auto t = script::established();
  t.arrives(". 0:0(0) ack 1");
  t.sends(". 1:1(0) ack 1");
  t.arrives(". 0:1(1) ack 1");  // with the octet of old implementations
  t.sends(". 1:1(0) ack 1");
  t.reads_nothing();
}

}  // namespace
}  // namespace tunic::test
