#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// The user timeout: RFC 9293 §3.8.3 and §3.10.8, RFC 5482; TCP_USER_TIMEOUT.

namespace tunic::test {
namespace {

using tcp::state;
const auto timed_out = make_error_code(std::errc::timed_out);

void set_user_timeout(script& t, tcp::patience p) {
  t.tcp().set_liveness(t.connection(), {.user_timeout = p}, t.now());
}

script with_user_timeout(tcp::patience p, script_options o = {}) {
  auto t = script::established(std::move(o));
  set_user_timeout(t, p);
  return t;
}

TEST(rfc5482_user_timeout, ends_a_connection_whose_text_stays_unacknowledged_so_long) {  // RFC 9293 §3.10.8
  auto t = with_user_timeout(3s);
  t.silent_for(1h);  // nothing is due from the peer: no reason to end it
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1");
  t.passes_unheard(3s - 1us);
  t.in_state(state::established);
  t.passes_unheard(1us);
  t.closed_with(timed_out);
}

TEST(rfc5482_user_timeout, takes_the_place_of_the_count_of_retransmissions) {
  script_options o;
  o.stack.tcp.retries = 2;
  auto t = with_user_timeout(10min, o);
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1");
  t.passes_unheard(10min - 1us);
  t.in_state(state::established);
  t.passes_unheard(1us);
  t.closed_with(timed_out);
}

TEST(rfc5482_user_timeout, begins_anew_when_the_peer_moves_on) {
  auto t = with_user_timeout(3s);
  t.user_sends(2920);
  sends_text(t, 1, 2921);
  t.passes_unheard(2s);
  t.arrives(". 1:1(0) ack 1461");
  t.passes_unheard(3s - 1us);
  t.in_state(state::established);
  t.passes_unheard(1us);
  t.closed_with(timed_out);
}

TEST(rfc5482_user_timeout, is_not_put_off_by_a_peer_that_speaks_and_acknowledges_nothing) {
  auto t = with_user_timeout(3s);
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1");
  t.passes_unheard(2s);
  t.arrives("P. 1:11(10) ack 1");
  t.passes_unheard(1s - 1us);
  t.in_state(state::established);
  t.passes_unheard(1us);
  t.closed_with(timed_out);
}

TEST(rfc5482_user_timeout, is_over_once_all_is_acknowledged) {
  auto t = with_user_timeout(3s);
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1");
  t.arrives(". 1:1(0) ack 11");
  t.silent_for(1h);
  t.user_sends(10);
  t.sends("P. 11:21(10) ack 1");
  t.passes_unheard(3s - 1us);
  t.in_state(state::established);
}

TEST(rfc5482_user_timeout, ends_a_connection_whose_window_stays_shut_so_long) {
  auto t = with_user_timeout(3s);
  t.arrives(". 1:1(0) ack 1 win 0");
  t.user_sends(10);
  const instant from = t.now();
  while (t.status().state == state::established && t.now() - from < 1h) {
    t.passes(3s - (t.now() - from));
    if (!t.takes_sent()) break;
    t.arrives(". 1:1(0) ack 1 win 0");  // it is there, but it takes nothing
  }
  t.closed_with(timed_out);
  EXPECT_EQ(t.now() - from, 3s);
}

TEST(rfc5482_user_timeout, begins_anew_when_the_window_opens) {
  auto t = with_user_timeout(3s);
  t.arrives(". 1:1(0) ack 1 win 0");
  t.user_sends(10);
  t.passes_unheard(2s);
  t.arrives(". 1:1(0) ack 1 win 100");
  t.sends("P. 1:11(10) ack 1");
  t.passes_unheard(3s - 1us);
  t.in_state(state::established);
  t.passes_unheard(1us);
  t.closed_with(timed_out);
}

TEST(rfc5482_user_timeout, set_later_counts_from_when_the_text_left) {
  auto t = script::established();
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1");
  t.passes_unheard(2s);
  set_user_timeout(t, 3s);
  t.passes_unheard(1s - 1us);
  t.in_state(state::established);
  t.passes_unheard(1us);
  t.closed_with(timed_out);
}

TEST(rfc5482_user_timeout, ends_an_attempt_to_connect) {  // RFC 9293 §3.9.1.1: the timeout of OPEN
  auto t = script::opening();
  set_user_timeout(t, 5s);
  t.passes_unheard(5s - 1us);
  t.in_state(state::syn_sent);
  t.passes_unheard(1us);
  t.closed_with(timed_out);
}

TEST(rfc5482_user_timeout, ends_a_close_that_nobody_acknowledges) {  // and nobody waits for
  auto t = with_user_timeout(3s);
  t.user_releases();
  t.sends("F. 1:1(0) ack 1");
  t.passes_unheard(3s - 1us);
  EXPECT_EQ(t.connections(), 1u);
  t.passes_unheard(1us);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(rfc5482_user_timeout, bounds_the_probes_of_keep_alive) {  // as on Linux
  auto t = script::established();
  t.tcp().set_liveness(t.connection(),
                       {.keep_alive = true, .keep_alive_idle = 10s, .keep_alive_interval = 3s, .user_timeout = 15s},
                       t.now());
  t.silent_for(10s - 1us);
  t.passes(1us);
  t.sends(". 0:0(0) ack 1");
  t.silent_for(3s - 1us);
  t.passes(1us);
  t.sends(". 0:0(0) ack 1");
  t.silent_for(2s - 1us);
  t.passes(1us);
  t.sends("R. 1:1(0) ack 1");
  t.closed_with(timed_out);
}

TEST(rfc5482_user_timeout, lets_keep_alive_send_one_probe_at_least) {
  auto t = script::established();
  t.tcp().set_liveness(t.connection(),
                       {.keep_alive = true, .keep_alive_idle = 10s, .keep_alive_interval = 3s, .user_timeout = 5s},
                       t.now());
  t.passes(10s);
  t.sends(". 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.passes(10s);
  t.sends(". 0:0(0) ack 1");
  t.silent_for(3s - 1us);
  t.passes(1us);
  t.sends("R. 1:1(0) ack 1");
  t.closed_with(timed_out);
}

TEST(rfc5482_user_timeout, of_the_stack_holds_for_every_connection) {
  script_options o;
  o.stack.tcp.user_timeout = 30s;
  auto t = script::in(state::syn_received, o);
  t.passes_unheard(30s - 1us);
  t.in_state(state::syn_received);
  t.passes_unheard(1us);
  t.in_state(state::listen);

  auto u = script::established(o);
  u.user_sends(10);
  u.sends("P. 1:11(10) ack 1");
  u.passes_unheard(30s - 1us);
  u.in_state(state::established);
  u.passes_unheard(1us);
  u.closed_with(timed_out);
}

}  // namespace
}  // namespace tunic::test
