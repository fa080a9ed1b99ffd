#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// What becomes of a connection whose user lets go: FIN-WAIT-2's timeout, linger, and the limit of how many there are.

namespace tunic::test {
namespace {

using tcp::state;

TEST(release, closes_in_each_state_and_leaves_nothing_behind) {
  for (const state s : {state::syn_sent, state::established, state::fin_wait_1, state::fin_wait_2, state::close_wait,
                        state::closing, state::last_ack, state::time_wait}) {
    SCOPED_TRACE(tcp::name(s));
    auto t = script::in(s);
    t.user_releases();
    t.passes_unheard(1h);
    EXPECT_EQ(t.connections(), 0u);
    EXPECT_EQ(t.stack().pool().in_use(), 0u);
  }
  auto t = script::opening();
  t.arrives("S 0:0(0) win 65535 <mss 1460>");  // a simultaneous open: SYN-RECEIVED
  t.sends("S. 0:0(0) ack 1");
  t.user_releases();
  t.passes_unheard(1h);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(release, finishes_the_close_alone) {
  auto t = script::established();
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1");
  t.user_releases();
  t.sends("F. 11:11(0) ack 1");
  t.silent_for(200ms - 1us);
  t.passes(1us);
  t.sends("FP. 1:11(10) ack 1");
  t.arrives("F. 1:1(0) ack 12");
  t.sends(". 12:12(0) ack 2");
  EXPECT_EQ(t.connections(), 1u);
  t.silent_for(60s);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(release, in_close_wait_sends_the_fin) {
  auto t = script::in(state::close_wait);
  t.user_releases();
  t.sends("F. 1:1(0) ack 2");
  t.arrives(". 2:2(0) ack 2");
  EXPECT_EQ(t.connections(), 0u);
}

TEST(release, with_unread_text_resets) {  // RFC 2525 §2.17: the peer must learn that nobody read it
  for (const state s : {state::established, state::fin_wait_2}) {
    auto t = script::in(s);
    t.arrives(line_of("P.", 1, 10, numbers_in(s).nxt));
    t.user_releases();
    t.sends(line_of("R.", numbers_in(s).nxt, 0, 11));
    EXPECT_EQ(t.connections(), 0u);
  }
}

TEST(release, with_text_unread_behind_the_peers_fin_resets) {
  auto t = script::established();
  t.arrives("FP. 1:11(10) ack 1");
  t.sends(". 1:1(0) ack 12");
  t.user_releases();
  t.sends("R. 1:1(0) ack 12");
  EXPECT_EQ(t.connections(), 0u);
}

TEST(release, in_fin_wait_2_waits_for_the_peer_a_minute) {
  auto t = script::in(state::fin_wait_2);
  t.user_releases();
  t.silent_for(60s - 1us);
  EXPECT_EQ(t.connections(), 1u);
  t.silent_for(1us);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(release, in_fin_wait_2_waits_as_long_as_the_connection_was_told) {  // TCP_LINGER2
  for (const auto begin : {state::fin_wait_1, state::fin_wait_2}) {
    auto t = script::in(begin);
    t.tcp().set_liveness(t.connection(), {.fin_wait_2 = 5s}, t.now());
    t.user_releases();
    if (begin == state::fin_wait_1) t.arrives(". 1:1(0) ack 2");
    t.silent_for(5s - 1us);
    EXPECT_EQ(t.connections(), 1u);
    t.silent_for(1us);
    EXPECT_EQ(t.connections(), 0u);
  }
}

TEST(release, before_fin_wait_2_waits_a_minute_from_there) {
  auto t = script::in(state::fin_wait_1);
  t.user_releases();
  t.silent_for(100ms);
  t.arrives(". 1:1(0) ack 2");
  t.silent_for(60s - 1us);
  EXPECT_EQ(t.connections(), 1u);
  t.silent_for(1us);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(half_closed, connection_with_a_user_waits_in_fin_wait_2_for_ever) {  // RFC 9293 §3.6: the peer may talk on
  auto t = script::in(state::fin_wait_2);
  t.silent_for(std::chrono::hours{24});
  t.in_state(state::fin_wait_2);
}

TEST(orphan, that_gets_text_resets) {  // RFC 1122 §4.2.2.13: nobody will ever read it
  auto t = script::in(state::fin_wait_2);
  t.user_releases();
  t.arrives("P. 1:11(10) ack 2");
  t.sends("R 2:2(0)");
  EXPECT_EQ(t.connections(), 0u);
}

TEST(orphan,
     resets_by_the_number_that_the_peer_expects) {  // RFC 9293 §3.10.7.1: its own, for RFC 5961 believes no other
  auto t = script::established();
  t.user_releases();
  t.sends("F. 1:1(0) ack 1");
  t.arrives("P. 1:11(10) ack 1");  // our FIN was lost
  t.sends("R 1:1(0)");
  EXPECT_EQ(t.connections(), 0u);
}

TEST(orphan, that_gets_a_fin_goes_to_time_wait) {
  auto t = script::in(state::fin_wait_2);
  t.user_releases();
  t.arrives("F. 1:1(0) ack 2");
  t.sends(". 2:2(0) ack 2");
  t.silent_for(60s - 1us);
  EXPECT_EQ(t.connections(), 1u);
  t.silent_for(1us);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(orphan, whose_fin_is_never_acknowledged_is_given_up) {
  auto t = script::in(state::last_ack);
  t.user_releases();
  t.passes_unheard(1h);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(linger, aborts_what_is_not_acknowledged_in_time) {  // SO_LINGER
  auto t = script::established();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  t.user_releases(2s);
  t.sends("F. 101:101(0) ack 1");
  t.passes_unheard(2s - 1us);
  EXPECT_EQ(t.connections(), 1u);
  t.passes(1us);
  t.sends("R. 102:102(0) ack 1");
  EXPECT_EQ(t.connections(), 0u);
}

TEST(linger, aborts_where_the_fin_is_not_acknowledged_in_time) {
  auto t = script::established();
  t.arrives("F. 1:1(0) ack 1");
  t.sends(". 1:1(0) ack 2");
  t.user_releases(2s);
  t.passes_unheard(2s);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(linger, asks_no_more_than_that_the_peer_has_it_all) {
  auto t = script::established();
  t.user_sends_and_closes(100);
  t.sends("FP. 1:101(100) ack 1");
  t.user_releases(2s);
  t.arrives(". 1:1(0) ack 102");
  t.silent_for(60s - 1us);  // FIN-WAIT-2's own time
  EXPECT_EQ(t.connections(), 1u);
  t.silent_for(1us);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(linger, leaves_time_wait_alone) {
  auto t = script::established();
  t.user_releases(2s);
  t.sends("F. 1:1(0) ack 1");
  t.arrives("F. 1:1(0) ack 2");
  t.sends(". 2:2(0) ack 2");
  t.silent_for(59s);
  EXPECT_EQ(t.tcp().in_time_wait(), 1u);
}

/// The peer's next connection, which the user closes and leaves; with how it ends.
void comes_and_is_left(script& t, std::uint16_t port, std::string_view end) {
  t.peer_port(port);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.user_releases();
  t.sends(end);
}

TEST(released_connections, are_bounded) {  // Linux's tcp_max_orphans
  script_options o;
  o.stack.tcp.released_connections = 2;
  auto t = script::listening(o);
  comes_and_is_left(t, 40000, "F. 1:1(0) ack 1");
  comes_and_is_left(t, 40001, "F. 1:1(0) ack 1");
  EXPECT_EQ(t.tcp().released(), 2u);
  comes_and_is_left(t, 40002, "R. 1:1(0) ack 1");
  EXPECT_EQ(t.tcp().released(), 2u);
  EXPECT_EQ(t.counted().releases_aborted, 1u);
  t.peer_port(40000);
  t.arrives("F. 1:1(0) ack 2");  // one goes to TIME-WAIT, which is no load
  t.sends(". 2:2(0) ack 2");
  EXPECT_EQ(t.tcp().released(), 1u);
  comes_and_is_left(t, 40003, "F. 1:1(0) ack 1");
  t.peer_port(40001);
  t.arrives("R 1:1(0)");  // and one is gone
  EXPECT_EQ(t.tcp().released(), 1u);
  t.passes_unheard(1h);
  EXPECT_EQ(t.tcp().released(), 0u);
}

}  // namespace
}  // namespace tunic::test
