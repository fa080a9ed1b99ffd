#include <gtest/gtest.h>

#include "stack/tcp/isn.hpp"
#include "tests/support/two_stacks.hpp"
#include "tests/tcp/segments.hpp"

// How TIME-WAIT ends early, for a new incarnation of the connection: RFC 9293 §3.6.1, MAY-2; RFC 6191.

namespace tunic::test {
namespace {

using tcp::state;
using tcp::syn_cookie_use;
constexpr duration msl = tcp::config{}.msl;

TEST(rfc6191_time_wait, takes_a_syn_behind_the_old_connection) {  // RFC 9293 §3.6.1, MAY-2
  auto t = script::in(state::time_wait);
  t.silent_for(msl);
  const seq old_nxt = t.iss() + 2;
  t.user_releases();
  t.datagram_arrives(t.datagram("S 3:3(0) win 65535 <mss 1460>"));
  const auto answer = t.takes_sent();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->flags.syn && answer->flags.ack);
  EXPECT_EQ(answer->ack_number, t.irs() + 4);
  EXPECT_TRUE(answer->seq_number > old_nxt - 1);
}

TEST(rfc6191_time_wait,
     answers_a_new_syn_with_a_number_behind_all_it_has_sent) {  // RFC 9293 §3.6.1, MAY-2, condition 1
  // RFC 6528's clock makes 250,000 numbers a second: a fast connection uses more, here within one moment.
  auto t = script::established();
  t.user_sends(1460);
  t.sends("P. 1:1461(1460) ack 1");
  t.user_closes();
  t.sends("F. 1461:1461(0) ack 1");
  t.arrives("F. 1:1(0) ack 1462");
  t.sends(". 1462:1462(0) ack 2");
  t.user_releases();
  t.datagram_arrives(t.datagram("S 3:3(0) win 65535 <mss 1460>"));
  const auto answer = t.takes_sent();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->flags.syn && answer->flags.ack);
  EXPECT_TRUE(answer->seq_number >= t.iss() + 1462);
}

TEST(rfc6191_time_wait, challenges_a_syn_that_may_be_an_old_duplicate) {  // RFC 9293 §3.10.7.4, fourth step
  auto t = script::in(state::time_wait);
  t.arrives("S 2:2(0) win 65535 <mss 1460>");
  t.sends(". 2:2(0) ack 2");
  t.in_state(state::time_wait);
}

TEST(rfc6191_time_wait, takes_a_syn_with_a_newer_timestamp_wherever_its_number_lies) {  // RFC 6191 §2
  auto t = script::in(state::syn_received, {.syn_options = "mss 1460,TS val 100 ecr 0"});
  t.arrives(". 1:1(0) ack 1 <TS val 100 ecr 0>");
  t.user_accepts();
  t.user_closes();
  t.sends("F. 1:1(0) ack 1");
  t.arrives("F. 1:1(0) ack 2 <TS val 100 ecr 0>");
  t.sends(". 2:2(0) ack 2");
  t.arrives("S 1:1(0) win 65535 <mss 1460,TS val 100 ecr 0>");  // not newer, not behind
  t.sends(". 2:2(0) ack 2");
  t.silent_for(1s);
  t.arrives("S 5:5(0) win 65535 <mss 1460,TS val 99 ecr 0>");  // behind, but older
  t.sends(". 2:2(0) ack 2");
  t.in_state(state::time_wait);
  t.user_releases();
  t.datagram_arrives(t.datagram("S 1:1(0) win 65535 <mss 1460,TS val 101 ecr 0>"));
  const auto answer = t.takes_sent();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->flags.syn && answer->flags.ack);
}

/// A passive open whose old connection is in TIME-WAIT; `ts` stands on each of the peer's segments.
script waiting(const std::string& syn_options, const std::string& ts) {
  auto t = script::in(state::syn_received, {.syn_options = syn_options});
  t.arrives(". 1:1(0) ack 1" + ts);
  t.user_accepts();
  t.user_closes();
  t.sends("F. 1:1(0) ack 1");
  t.arrives("F. 1:1(0) ack 2" + ts);
  t.sends(". 2:2(0) ack 2");
  t.user_releases();
  return t;
}

bool takes(script& t, std::string_view syn) {
  t.datagram_arrives(t.datagram(syn));
  const auto answer = t.takes_sent();
  return answer && answer->flags.syn && answer->flags.ack;
}

TEST(rfc6191_time_wait, takes_a_syn_with_the_same_timestamp_behind_the_old_connection) {  // RFC 6191 §2
  auto t = waiting("mss 1460,TS val 100 ecr 0", " <TS val 100 ecr 0>");
  EXPECT_TRUE(takes(t, "S 3:3(0) win 65535 <mss 1460,TS val 100 ecr 0>"));
}

TEST(rfc6191_time_wait, takes_a_syn_with_timestamps_where_the_old_connection_had_none) {  // RFC 6191 §2
  auto t = waiting("mss 1460", "");
  EXPECT_TRUE(takes(t, "S 1:1(0) win 65535 <mss 1460,TS val 100 ecr 0>"));
  // Where segments without them are taken all the same, what is left of the old one would be, too.
  script_options o;
  o.stack.tcp.require_timestamps = false;
  auto u = script::in(state::time_wait, o);
  EXPECT_FALSE(takes(u, "S 1:1(0) win 65535 <mss 1460,TS val 100 ecr 0>"));
}

TEST(rfc6191_time_wait, stays_where_the_listener_takes_no_syn) {
  script_options o;
  o.backlog = 1;
  o.stack.tcp.syn_cookies = syn_cookie_use::never;
  auto t = script::in(state::time_wait, o);
  t.peer_port(40001);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.peer_port(40000);
  t.arrives("S 3:3(0) win 65535 <mss 1460>");
  t.silent();
  t.dropped(drop::syn_queue_full);
  t.in_state(state::time_wait);
}

/// A connection in TIME-WAIT whose listener answers with cookies from now on.
script with_cookies(const std::string& syn_options, const std::string& ts) {
  auto t = waiting(syn_options, ts);
  tcp::config c = t.tcp().settings();
  c.syn_cookies = syn_cookie_use::always;
  t.tcp().configure(c);
  return t;
}

TEST(rfc6191_time_wait, ends_for_a_cookie_by_timestamps_alone) {  // a cookie's number is anywhere
  auto t = with_cookies("mss 1460", "");
  t.arrives("S 3:3(0) win 65535 <mss 1460>");
  t.sends(". 2:2(0) ack 2");
  EXPECT_EQ(t.tcp().in_time_wait(), 1u);
  auto u = with_cookies("mss 1460,TS val 100 ecr 0", " <TS val 100 ecr 0>");
  u.arrives("S 3:3(0) win 65535 <mss 1460,TS val 101 ecr 0>");
  EXPECT_TRUE(u.takes_sent()->flags.syn);
  EXPECT_EQ(u.tcp().in_time_wait(), 0u);
}

// The active side: Linux's tcp_tw_reuse.

TEST(rfc6191_time_wait, holds_its_port_against_an_active_open) {
  auto t = script::in(state::time_wait);
  struct nobody final : tcp::user {
    void on_events(tcp::events) override {}
  } user;
  tcp::open_options o;
  o.remote = t.status().ends.remote;
  o.local_port = t.status().ends.local.port;
  const auto opened = t.tcp().open(o, user, t.now());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(), make_error_code(std::errc::address_in_use));
}

/// A client that was the first to close, both users gone; its TIME-WAIT has lasted for `since`.
std::uint16_t closed_by_client(two_stacks& t, duration since) {
  auto& client = t.client_opens();
  t.passes(10ms);
  auto& server = t.server_accepts();
  const std::uint16_t port = client.status().ends.local.port;
  client.closes();
  t.passes(10ms);
  server.releases();
  client.releases();
  t.passes(10ms);
  EXPECT_EQ(t.client().tcp().in_time_wait(), 1u);
  EXPECT_EQ(t.server().tcp().connections(), 0u);
  t.passes(since - 10ms);
  return port;
}

TEST(rfc6191_time_wait, ends_for_an_open_from_the_same_port_once_timestamps_have_moved_on) {
  two_stacks t;
  t.server_listens();
  const auto port = closed_by_client(t, 1100ms);
  auto& client = t.client_opens(port);
  EXPECT_EQ(t.client().tcp().in_time_wait(), 0u);
  t.passes(10ms);
  EXPECT_EQ(client.state(), state::established);
  client.sends("again");
  t.passes(10ms);
  EXPECT_EQ(t.server_accepts().receives(), "again");
}

TEST(rfc6191_time_wait, ends_for_no_open_before_the_peers_clock_has_surely_ticked) {
  two_stacks t;
  t.server_listens();
  const auto port = closed_by_client(t, 900ms);
  EXPECT_THROW(t.client_opens(port), std::system_error);
  EXPECT_EQ(t.client().tcp().in_time_wait(), 1u);
}

TEST(rfc6191_time_wait, ends_for_no_open_without_timestamps) {
  tcp::config plain;
  plain.timestamps = false;
  two_stacks t{{}, plain};
  t.server_listens();
  const auto port = closed_by_client(t, 30s);
  EXPECT_THROW(t.client_opens(port), std::system_error);
}

TEST(rfc6191_time_wait, ends_for_no_open_while_its_user_holds_it) {
  two_stacks t;
  t.server_listens();
  auto& client = t.client_opens();
  t.passes(10ms);
  client.closes();
  t.passes(10ms);
  t.server_accepts().releases();
  t.passes(10s);
  ASSERT_EQ(client.state(), state::time_wait);
  EXPECT_THROW(t.client_opens(client.status().ends.local.port), std::system_error);
}

TEST(rfc6191_time_wait, makes_room_where_every_port_is_taken) {
  two_stacks t;
  t.server_listens();
  std::vector<two_stacks::user*> clients;
  const std::uint32_t all = tcp::ephemeral_ports::count;
  for (std::uint32_t n = 0; n < all; n += 512) {
    for (std::uint32_t i = 0; i < 512; ++i) clients.push_back(&t.client_opens());
    t.passes(10ms);
    for (std::uint32_t i = 0; i < 512; ++i) clients[n + i]->releases();
    t.passes(10ms);
    for (std::uint32_t i = 0; i < 512; ++i) t.server_accepts().releases();
    t.passes(10ms);
  }
  EXPECT_EQ(t.client().tcp().in_time_wait(), all);
  auto& last = t.client_opens();
  t.passes(10ms);
  EXPECT_EQ(last.state(), state::established);
  EXPECT_EQ(t.client().tcp().in_time_wait(), all - 1);
}

// The peer has not heard our last ACK and still waits in LAST-ACK: it challenges the new SYN, our RST ends the old
// connection, and the SYN goes again.
TEST(rfc6191_time_wait, ends_for_an_open_though_the_peer_is_in_last_ack) {
  script_options o;
  o.syn_options = "mss 1460,TS val 100 ecr 0";
  auto t = script::opening(o);
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460,TS val 100 ecr 0>");
  t.sends(". 1:1(0) ack 1");
  t.user_closes();
  t.sends("F. 1:1(0) ack 1");
  t.arrives("F. 1:1(0) ack 2 <TS val 101 ecr 0>");
  t.sends(". 2:2(0) ack 2");
  t.user_releases();
  t.silent_for(2s);
  t.user_opens();
  const auto syn = t.takes_sent();
  ASSERT_TRUE(syn && syn->flags.syn && syn->options.timestamps);
  EXPECT_TRUE(syn->seq_number >= t.iss() + 2);  // MAY-2: behind all that was sent
  t.arrives(". 2:2(0) ack 1 <TS val 102 ecr 0>");
  const auto rst = t.takes_sent();
  ASSERT_TRUE(rst && rst->flags.rst);
  EXPECT_EQ(rst->seq_number, t.iss() + 1);
  t.in_state(state::syn_sent);
  t.passes(1s);
  EXPECT_TRUE(t.takes_sent()->flags.syn);
}

}  // namespace
}  // namespace tunic::test
