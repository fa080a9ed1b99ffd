#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// The user calls in each state: RFC 9293 §3.10.1 to §3.10.6.

namespace tunic::test {
namespace {

using tcp::state;
const auto aborted = make_error_code(std::errc::connection_aborted);

/// A connection of our own making in SYN-RECEIVED: a simultaneous open.
script syn_received() {
  auto t = script::opening();
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  return t;
}

TEST(open, refuses_what_cannot_be_reached) {  // RFC 9293 §3.10.1
  script t;
  struct nobody final : tcp::user {
    void on_events(tcp::events) override {}
  } user;
  const auto error = [&](tcp::open_options o) {
    const auto opened = t.tcp().open(o, user, t.now());
    return opened ? std::error_code{} : opened.error();
  };
  tcp::open_options o;
  for (const char* nowhere : {"0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"}) {
    o.remote = {*address::parse(nowhere), 80};
    EXPECT_EQ(error(o), make_error_code(std::errc::invalid_argument)) << nowhere;  // RFC 9293 §3.9.2.3, MUST-46
  }
  o.remote = {address::v4(198, 51, 100, 1), 0};
  EXPECT_EQ(error(o), make_error_code(std::errc::invalid_argument));
  o.remote = {address::v4(203, 0, 113, 1), 80};  // no route
  EXPECT_EQ(error(o), make_error_code(std::errc::network_unreachable));
  o.remote = {address::v4(198, 51, 100, 1), 80};
  o.local_address = address::v4(198, 51, 100, 77);
  EXPECT_EQ(error(o), make_error_code(std::errc::address_not_available));
  o.local_address = *address::parse("2001:db8::2");
  EXPECT_EQ(error(o), make_error_code(std::errc::address_not_available));
  EXPECT_EQ(t.connections(), 0u);
}

TEST(open, of_the_same_two_ends_twice_is_refused) {  // RFC 9293 §3.10.1: "connection already exists"
  auto t = script::opening();
  struct nobody final : tcp::user {
    void on_events(tcp::events) override {}
  } user;
  tcp::open_options o;
  o.remote = t.status().ends.remote;
  o.local_port = t.status().ends.local.port;
  const auto again = t.tcp().open(o, user, t.now());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), make_error_code(std::errc::address_in_use));
}

TEST(send, is_refused_once_close_was_called) {  // RFC 9293 §3.10.2: "connection closing"
  for (const state s : {state::fin_wait_1, state::fin_wait_2, state::closing, state::last_ack, state::time_wait}) {
    SCOPED_TRACE(tcp::name(s));
    auto t = script::in(s);
    EXPECT_EQ(t.tcp().send_room(t.connection()), 0u);
    EXPECT_EQ(t.user_sends(10), 0u);
    t.silent();
  }
}

TEST(send, takes_text_in_each_state_before_close) {
  for (const state s : {state::established, state::close_wait}) {
    auto t = script::in(s);
    EXPECT_EQ(t.user_sends(10), 10u);
    t.sends(line_of("P.", 1, 10, numbers_in(s).rcv));
  }
  auto queued = syn_received();
  EXPECT_EQ(queued.user_sends(10), 10u);
  queued.silent();
  queued.arrives("S. 0:0(0) ack 1");
  queued.sends("P. 1:11(10) ack 1");
}

TEST(send, takes_what_there_is_room_for_and_tells_when_there_is_more) {
  script_options o;
  o.stack.tcp.send_buffer = 4000;
  o.no_delay = true;
  auto t = script::established(o);
  EXPECT_EQ(t.user_sends(5000), 4000u);
  sends_text(t, 1, 4001);
  EXPECT_EQ(t.user_sends(1), 0u);
  EXPECT_FALSE(t.told().writable);
  t.arrives(". 1:1(0) ack 1001");
  EXPECT_FALSE(t.told().writable);  // not for a little
  t.arrives(". 1:1(0) ack 2921");
  EXPECT_TRUE(t.told().writable);
  EXPECT_EQ(t.user_sends(5000), 2920u);
  sends_text(t, 4001, 6921);
  t.arrives(". 1:1(0) ack 6921");
  EXPECT_TRUE(t.told().writable);
  t.arrives(". 1:1(0) ack 6921");
  EXPECT_FALSE(t.told().writable);  // once
}

TEST(send, after_close_does_not_make_the_connection_writable_later) {
  auto t = script::established();
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1");
  t.user_closes();
  t.sends("F. 11:11(0) ack 1");
  EXPECT_EQ(t.user_sends(10), 0u);
  t.arrives(". 1:1(0) ack 12");
  EXPECT_FALSE(t.told().writable);
}

TEST(send, of_a_shared_slice_copies_nothing) {
  auto t = script::established({.no_delay = true});
  const buffer_ref b = t.stack().pool().small();
  t.tcp().send(t.connection(), pool::view(b, 1000));
  frame f;
  ASSERT_TRUE(t.stack().poll_transmit(f, t.now()));
  ASSERT_EQ(f.text.size(), 1u);
  EXPECT_EQ(f.text.begin()->data(), b->room().data());
}

TEST(receive, goes_on_in_each_state_after_close) {  // RFC 9293 §3.10.3
  for (const state s : {state::fin_wait_1, state::fin_wait_2}) {
    auto t = script::in(s);
    t.arrives(line_of("FP.", 1, 10, 2));
    t.sends(". 2:2(0) ack 12");
    t.user_receives(4);
    EXPECT_FALSE(tcp::layer::at_end(t.connection()));
    t.user_receives(6);
    t.at_end();
  }
}

TEST(receive, without_a_copy) {
  auto t = script::established();
  t.arrives("P. 1:11(10) ack 1");
  EXPECT_EQ(t.tcp().available(t.connection()), 10u);
  EXPECT_EQ(t.tcp().peek(t.connection()).size(), 10u);
  t.tcp().consume(t.connection(), 10);
  t.reads_nothing();
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
}

TEST(rfc9293_close, in_syn_sent_forgets_the_connection) {  // RFC 9293 §3.10.4, SYN-SENT
  auto t = script::opening();
  t.user_closes();
  t.in_state(state::closed);
  EXPECT_EQ(tcp::layer::error(t.connection()), aborted);
  t.silent_for(1h);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(rfc9293_close, twice_is_once) {  // RFC 9293 §3.10.4, FIN-WAIT-1 and on
  for (const state s : {state::fin_wait_1, state::fin_wait_2, state::closing, state::last_ack, state::time_wait}) {
    SCOPED_TRACE(tcp::name(s));
    auto t = script::in(s);
    t.user_closes();
    t.silent();
    t.in_state(s);
  }
}

struct abort_case {
  state in;
  const char* sends;
};

TEST(abort, resets_in_each_state_that_still_has_something_to_say) {  // RFC 9293 §3.10.5
  const abort_case cases[] = {
      {state::syn_sent, ""},
      {state::established, "R. 1:1(0) ack 1"},
      {state::fin_wait_1, "R. 2:2(0) ack 1"},
      {state::fin_wait_2, "R. 2:2(0) ack 1"},
      {state::close_wait, "R. 1:1(0) ack 2"},
      {state::closing, ""},
      {state::last_ack, ""},
      {state::time_wait, ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(tcp::name(c.in));
    auto t = script::in(c.in);
    (void)t.told();
    t.user_aborts();
    EXPECT_FALSE(t.told().any());  // the user knows: it asked
    if (*c.sends != 0) t.sends(c.sends);
    t.silent_for(1h);
    t.in_state(state::closed);
    EXPECT_EQ(t.connections(), 0u);
  }
}

TEST(abort, in_syn_received_resets) {  // RFC 9293 §3.10.5
  auto t = syn_received();
  t.user_aborts();
  t.sends("R. 1:1(0) ack 1");
  t.in_state(state::closed);
  EXPECT_EQ(tcp::layer::error(t.connection()), aborted);
}

TEST(abort, with_the_fin_behind_text_that_has_not_left_resets) {  // the peer would wait for the FIN for ever
  auto t = script::in(state::close_wait);
  t.arrives(". 2:2(0) ack 1 win 0");
  t.user_sends_and_closes(100);
  t.in_state(state::last_ack);
  t.user_aborts();
  t.sends("R. 1:1(0) ack 2");
}

TEST(abort, forgets_what_was_to_be_sent) {
  auto t = script::established();
  t.user_sends(20000);
  sends_text(t, 1, 14601, false);
  t.user_aborts();
  t.sends("R. 14601:14601(0) ack 1");
  t.silent_for(1h);
  EXPECT_EQ(t.status().send_queued, 0u);
}

TEST(shut_receive, acknowledges_and_drops_what_arrives) {
  auto t = script::established();
  t.arrives("P. 1:11(10) ack 1");
  t.user_shuts_receive();
  t.reads_nothing();
  t.arrives(". 11:1471(1460) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 1471 win 65535");
  t.reads_nothing();
  EXPECT_FALSE(t.told().closed);
  t.user_releases();
  t.sends("F. 1:1(0) ack 1471");  // nothing was left unread: no reset
}

TEST(events, tell_of_text_of_the_end_and_of_the_close) {
  auto t = script::established();
  (void)t.told();
  t.arrives("P. 1:11(10) ack 1");
  auto told = t.told();
  EXPECT_TRUE(told.readable && !told.closed && !told.writable && !told.established);
  t.arrives("F. 11:11(0) ack 1");
  t.sends(". 1:1(0) ack 12");
  EXPECT_TRUE(t.told().readable);
  t.user_receives(10);
  t.user_closes();
  t.sends("F. 1:1(0) ack 12");
  EXPECT_FALSE(t.told().any());
  t.arrives(". 12:12(0) ack 2");
  EXPECT_TRUE(t.told().closed);
}

}  // namespace
}  // namespace tunic::test
