#include <gtest/gtest.h>

#include "tests/tcp/classic_ecn.hpp"

// How RFC 3168's ECN is agreed on, and when not.

namespace tunic::test {
namespace {

using tcp::ecn_feedback;
using tcp::ecn_use;
using tcp::state;

TEST(rfc3168_ecn, is_off_where_the_configuration_says_so) {
  auto t = script::listening(with(ecn_use::off));
  t.arrives("SEW 0:0(0) win 65535 <mss 1000>");
  t.sends("[noecn] S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.user_sends(1000);
  t.sends("[noecn] P. 1:1001(1000) ack 1");
  EXPECT_EQ(t.status().ecn, ecn_feedback::none);
}

TEST(rfc3168_ecn, is_accepted_by_default_and_not_asked_for) {
  auto t = script::opening();
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1000>");
  t.sends(". 1:1(0) ack 1");
  script_options o;
  o.no_delay = true;
  auto u = accepted(o);
  u.user_sends(1000);
  u.sends("[ect0] P. 1:1001(1000) ack 1");
}

TEST(rfc3168_ecn, is_not_answered_where_it_was_not_asked_for) {  // §6.1.1, first rule
  for (const char* syn : {"S 0:0(0)", "SE 0:0(0)", "SW 0:0(0)"}) {
    auto t = script::listening(with(ecn_use::on));
    t.arrives(syn);
    t.sends("[noecn] S. 0:0(0) ack 1");
    t.arrives(". 1:1(0) ack 1");
    t.user_accepts();
    t.user_sends(500);
    t.sends("[noecn] P. 1:501(500) ack 1");
  }
}

TEST(rfc3168_ecn, is_asked_for_by_ece_and_cwr_and_granted_by_ece) {  // §6.1.1
  auto t = opened();
  t.user_sends(1000);
  t.sends("[ect0] P. 1:1001(1000) ack 1");
}

TEST(rfc3168_ecn, is_not_used_with_a_peer_that_refuses_or_reflects) {  // §6.1.1: all forms of a non-ECN-setup SYN-ACK
  for (const char* answer : {"S. 0:0(0) ack 1", "S.W 0:0(0) ack 1", "S.EW 0:0(0) ack 1", "S.EWA 0:0(0) ack 1"}) {
    script t{with(ecn_use::on)};
    t.user_opens();
    t.sends("SEW 0:0(0)");
    t.arrives(answer);
    t.sends("[noecn] . 1:1(0) ack 1");
    t.user_sends(500);
    t.sends("[noecn] P. 1:501(500) ack 1");
    EXPECT_EQ(t.status().ecn, ecn_feedback::none);
    t.arrives("[ce] P. 1:11(10) ack 501");
    t.passes(40ms);
    t.sends(". 501:501(0) ack 11");
  }
}

TEST(rfc3168_ecn, is_not_asked_for_again_where_the_syn_was_lost) {  // §6.1.1.1
  script t{with(ecn_use::on)};
  t.user_opens();
  t.sends("SEW 0:0(0)");
  for (int i = 0; i < 2; ++i) {
    t.passes(10s);
    t.sends("S 0:0(0)");
  }
  t.arrives("S.E 0:0(0) ack 1 win 65535 <mss 1000>");  // to the first one
  t.sends(". 1:1(0) ack 1");
  t.user_sends(1000);
  t.sends("[noecn] P. 1:1001(1000) ack 1");  // §6.1.1, second rule: a SYN of ours did not ask
}

TEST(rfc3168_ecn, is_not_asked_for_again_where_a_reset_answers) {  // §6.1.1.1
  script t{with(ecn_use::on)};
  t.user_opens();
  t.sends("SEW 0:0(0)");
  t.arrives("R. 0:0(0) ack 1");
  t.sends("S 0:0(0)");
  t.in_state(state::syn_sent);
  t.arrives("R. 0:0(0) ack 1");
  t.closed_with(make_error_code(std::errc::connection_refused));
}

TEST(rfc3168_ecn, a_reset_of_a_plain_syn_is_a_refusal) {
  auto t = script::opening();
  t.arrives("R. 0:0(0) ack 1");
  t.closed_with(make_error_code(std::errc::connection_refused));
}

TEST(rfc3168_ecn, is_off_once_the_peer_has_repeated_its_syn_without) {  // §6.1.1, third rule
  auto t = script::listening(with(ecn_use::passive));
  t.arrives("SEW 0:0(0) win 65535 <mss 1000>");
  t.sends("S.E 0:0(0) ack 1");
  t.arrives("S 0:0(0) win 65535 <mss 1000>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.user_sends(1000);
  t.sends("[noecn] P. 1:1001(1000) ack 1");
}

TEST(rfc3168_ecn, is_off_where_the_path_writes_into_the_field) {  // §6.1.1: no SYN leaves with ECT
  for (const char* mark : {"[ect0]", "[ect1]", "[ce]"}) {
    auto t = script::listening(with(ecn_use::passive));
    t.arrives(std::string{mark} + " SEW 0:0(0) win 65535 <mss 1000>");
    t.sends("S. 0:0(0) ack 1");
  }
}

TEST(rfc3168_ecn, is_settled_in_a_simultaneous_open) {
  script t{with(ecn_use::on)};
  t.user_opens();
  t.sends("SEW 0:0(0)");
  t.arrives("SEW 0:0(0) win 65535 <mss 1000>");
  t.sends("[noecn] S.E 0:0(0) ack 1");
  t.arrives("S.E 0:0(0) ack 1 win 65535 <mss 1000>");
  t.in_state(state::established);
  t.user_sends(1000);
  t.sends("[ect0] P. 1:1001(1000) ack 1");
}

TEST(rfc3168_ecn, can_be_chosen_for_a_listener_and_for_a_connection) {
  script t{with(ecn_use::off)};
  tcp::open_options o;
  o.remote = {*address::parse("198.51.100.1"), 40000};
  o.local_port = 80;
  o.ecn = ecn_use::on;
  struct nobody final : tcp::user {
    void on_events(tcp::events) override {}
  } user;
  const auto opened = t.tcp().open(o, user, t.now());
  ASSERT_TRUE(opened);
  t.sends("SEW 0:0(0)");
  t.tcp().release(**opened, t.now());

  struct owner final : tcp::listener_user {
    void on_acceptable() override {}
  } watcher;
  tcp::listen_options l;
  l.local = {address::any(family::v4), 80};
  l.ecn = ecn_use::passive;
  ASSERT_TRUE(t.tcp().listen(l, watcher));
  t.arrives("SEW 0:0(0) win 65535 <mss 1000>");
  t.sends("S.E 0:0(0) ack 1");
}

}  // namespace
}  // namespace tunic::test
