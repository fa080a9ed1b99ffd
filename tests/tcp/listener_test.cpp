#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// Passive OPEN: RFC 9293 §3.10.1 and §3.9.1.1, and the two queues of a listener.

namespace tunic::test {
namespace {

using tcp::state;

struct watcher final : tcp::listener_user {
  int acceptable = 0;
  void on_acceptable() override { ++acceptable; }
};

tcp::listen_options listen_on(std::string_view address_text, std::uint16_t port = 80) {
  tcp::listen_options o;
  o.local = {*address::parse(address_text), port};
  return o;
}

/// The whole handshake from another port of the peer.
void connects(script& t, std::uint16_t port) {
  t.peer_port(port);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
}

TEST(listener, makes_a_connection_for_each_peer) {  // RFC 9293 §3.9.1.1, MUST-42: it listens on
  auto t = script::listening();
  for (std::uint16_t port = 40000; port < 40010; ++port) connects(t, port);
  EXPECT_EQ(t.told_acceptable(), 10);
  EXPECT_EQ(t.connections(), 10u);
  EXPECT_EQ(t.counted().passive_opens, 10u);
  t.user_accepts();
  EXPECT_EQ(t.status().ends.remote.port, 40000);  // in the order of their handshakes
}

TEST(rfc4987_syn_queue, is_bounded) {  // what it does not hold without cookies is lost
  script_options o;
  o.backlog = 2;
  o.stack.tcp.syn_cookies = tcp::syn_cookie_use::never;
  auto t = script::listening(o);
  for (std::uint16_t port = 40000; port < 40002; ++port) {
    t.peer_port(port);
    t.arrives("S 0:0(0) win 65535 <mss 1460>");
    t.sends("S. 0:0(0) ack 1");
  }
  t.peer_port(40002);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.silent();
  t.dropped(drop::syn_queue_full);
  t.peer_port(40000);
  t.arrives(". 1:1(0) ack 1");  // makes room
  t.peer_port(40002);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
}

TEST(accept_queue, full_takes_no_new_syn) {
  auto t = script::listening({.backlog = 1});
  connects(t, 40000);
  t.peer_port(40001);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.silent();
  t.dropped(drop::accept_queue_full);
  t.user_accepts();
  connects(t, 40001);
  EXPECT_EQ(t.told_acceptable(), 2);
}

TEST(accept_queue, full_drops_the_third_segment_and_recovers) {
  auto t = script::listening({.backlog = 2});
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.peer_port(40001);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.peer_port(40002);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.peer_port(40000);
  t.arrives(". 1:1(0) ack 1");
  t.dropped(drop::accept_queue_full);
  EXPECT_EQ(t.told_acceptable(), 2);
  t.user_accepts();  // somebody accepts by and by
  t.silent_for(1s - 1us);
  t.passes(1us);
  t.sends("S. 0:0(0) ack 1");  // which makes the peer repeat itself
  t.arrives(". 1:1(0) ack 1");
  EXPECT_EQ(t.told_acceptable(), 3);
}

TEST(accept_queue, holds_text_for_whom_accepts_later) {
  auto t = script::in(state::syn_received);
  t.arrives(". 1:1(0) ack 1");
  t.arrives("P. 1:101(100) ack 1");
  t.passes(40ms);
  t.sends(". 1:1(0) ack 101");
  t.user_accepts();
  t.user_receives(100);
}

TEST(verdict, refuse_resets) {
  auto t = script::listening();
  t.user_answers_syns(tcp::verdict::refuse);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("R. 100:100(0) ack 1");  // the plain number 0 is ISS + 100
  EXPECT_EQ(t.connections(), 0u);
}

TEST(verdict, drop_is_silence) {
  auto t = script::listening();
  t.user_answers_syns(tcp::verdict::drop);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.silent();
  EXPECT_EQ(t.connections(), 0u);
}

TEST(listener, closed_resets_what_is_half_open_and_what_nobody_accepted) {
  auto t = script::listening();
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  connects(t, 40001);
  t.user_stops_listening();
  t.peer_port(40000);
  t.sends("R. 1:1(0) ack 1");
  t.peer_port(40001);
  t.sends("R. 1:1(0) ack 1");
  EXPECT_EQ(t.connections(), 0u);
  t.peer_port(40002);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  const auto answer = t.takes_sent();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->flags.rst);
}

TEST(listener, closed_leaves_what_was_accepted) {
  auto t = script::established();
  t.user_stops_listening();
  t.arrives("P. 1:11(10) ack 1");
  t.user_receives(10);
  t.in_state(state::established);
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
}

TEST(listener, of_a_port_is_one_an_address) {  // RFC 9293 §3.9.1.1, MUST-43: the local address may be named
  script t;
  watcher w;
  auto& tcp = t.tcp();
  ASSERT_TRUE(tcp.listen(listen_on("0.0.0.0"), w));
  ASSERT_TRUE(tcp.listen(listen_on("198.51.100.2"), w));
  ASSERT_TRUE(tcp.listen(listen_on("2001:db8::2"), w));
  ASSERT_TRUE(tcp.listen(listen_on("0.0.0.0", 81), w));
  for (const char* taken : {"0.0.0.0", "198.51.100.2", "2001:db8::2", "::"}) {
    const auto l = tcp.listen(listen_on(taken), w);
    ASSERT_FALSE(l) << taken;
    EXPECT_EQ(l.error(), make_error_code(std::errc::address_in_use));
  }
  auto v6_only = listen_on("::");
  v6_only.v6_only = true;
  EXPECT_TRUE(tcp.listen(v6_only, w));
}

TEST(listener, needs_a_port_and_an_address_of_ours) {
  script t;
  watcher w;
  const auto no_port = t.tcp().listen(listen_on("0.0.0.0", 0), w);
  ASSERT_FALSE(no_port);
  EXPECT_EQ(no_port.error(), make_error_code(std::errc::invalid_argument));
  const auto foreign = t.tcp().listen(listen_on("198.51.100.77"), w);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error(), make_error_code(std::errc::address_not_available));
}

TEST(listener, that_names_the_address_goes_before_one_that_does_not) {
  auto t = script::listening();  // 0.0.0.0
  watcher specific;
  const auto l = t.tcp().listen(listen_on("198.51.100.2"), specific);
  ASSERT_TRUE(l);
  connects(t, 40001);
  EXPECT_EQ(specific.acceptable, 1);
  EXPECT_EQ(t.told_acceptable(), 0);
  t.tcp().close(**l, t.now());
  t.sends("R. 1:1(0) ack 1");
  connects(t, 40002);
  EXPECT_EQ(t.told_acceptable(), 1);
}

TEST(listener, that_names_the_address_goes_before_one_that_came_later) {
  script t;
  watcher specific;
  watcher any;
  ASSERT_TRUE(t.tcp().listen(listen_on("198.51.100.2"), specific));
  ASSERT_TRUE(t.tcp().listen(listen_on("0.0.0.0"), any));
  connects(t, 40001);
  EXPECT_EQ(specific.acceptable, 1);
  EXPECT_EQ(any.acceptable, 0);
}

TEST(listener, on_the_unspecified_address_of_version_6_takes_both_versions) {  // RFC 3493 §3.7
  script t;
  watcher w;
  ASSERT_TRUE(t.tcp().listen(listen_on("::"), w));
  connects(t, 40001);
  EXPECT_EQ(w.acceptable, 1);
  script six{{.ipv6 = true}};
  ASSERT_TRUE(six.tcp().listen(listen_on("::"), w));
  connects(six, 40001);
  EXPECT_EQ(w.acceptable, 2);
}

TEST(listener, on_version_6_only_leaves_version_4_alone) {  // RFC 3493 §5.3
  script t;
  watcher w;
  auto o = listen_on("::");
  o.v6_only = true;
  ASSERT_TRUE(t.tcp().listen(o, w));
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("R. 100:100(0) ack 1");
}

TEST(listener, on_version_4_leaves_version_6_alone) {
  script t{{.ipv6 = true}};
  watcher w;
  ASSERT_TRUE(t.tcp().listen(listen_on("0.0.0.0"), w));
  t.arrives("S 0:0(0) win 65535 <mss 1440>");
  t.sends("R. 100:100(0) ack 1");
}

TEST(listener, of_a_host_with_any_address_takes_what_the_peer_dialled) {
  script_options o;
  o.stack.ip.any_address = true;
  o.us = "203.0.113.77";
  auto t = script::established(o);
  EXPECT_EQ(t.status().ends.local.address, *address::parse("203.0.113.77"));
  t.user_sends(10);
  t.sends("P. 1:11(10) ack 1");
}

TEST(listener, of_a_host_without_any_address_does_not) {
  script_options o;
  o.us = "203.0.113.77";
  auto t = script::listening(o);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.silent();
  t.dropped(drop::not_for_us);
}

}  // namespace
}  // namespace tunic::test
