#include <gtest/gtest.h>

#include "tests/tcp/segments.hpp"

// TCP Fast Open (RFC 7413), the server's side.

namespace tunic::test {
namespace {

using tcp::fast_open_use;
using tcp::state;

constexpr secret key{0xa1, 0xa1, 0xa1, 0xa1, 0xb2, 0xb2, 0xb2, 0xb2, 0xc3, 0xc3, 0xc3, 0xc3, 0xd4, 0xd4, 0xd4, 0xd4};
constexpr secret newer{1};

script_options fast(fast_open_use use = fast_open_use::on) {
  script_options o;
  o.fast_open = use;
  o.stack.tcp.timestamps = false;
  o.stack.tcp.fast_open_keys = tcp::fast_open_keys{key, std::nullopt};
  return o;
}

std::string hex(const wire::fast_open& o) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < o.size; ++i) {
    text += digits[o.cookie[i] >> 4];
    text += digits[o.cookie[i] & 15];
  }
  return text;
}

// The cookie that the script's peer has of a key.
std::string cookie(const secret& of = key) {
  return hex(tcp::fast_open_cookie(of, *address::parse("198.51.100.1"), *address::parse("198.51.100.2")));
}

std::string syn_with(std::size_t octets, const std::string& option) {
  return "S 0:" + std::to_string(octets) + "(" + std::to_string(octets) + ") win 65535 <mss 1460,sackOK," + option +
         ">";
}

// A listener to which a client with a cookie has sent ten octets with its SYN.
script opened_fast(script_options o = fast()) {
  auto t = script::listening(std::move(o));
  t.arrives(syn_with(10, "FO " + cookie()));
  t.sends("S. 0:0(0) ack 11 <mss 1460,sackOK>");
  return t;
}

TEST(rfc7413_fast_open, a_cookie_is_siphash_of_both_addresses_as_linux_has_it) {  // §4.1.2
  constexpr secret a{0xf7, 0x63, 0xbf, 0xa0, 0x81, 0x3d, 0x80, 0xed, 0x30, 0x1d, 0x64, 0xcd, 0x90, 0x4a, 0xbc, 0xce};
  const auto of = [&](const char* client, const char* server) {
    return hex(tcp::fast_open_cookie(a, *address::parse(client), *address::parse(server)));
  };
  // What Linux answered under this key.
  EXPECT_EQ(of("10.248.0.2", "192.168.0.2"), "00abaaabe8e954c2");
  EXPECT_EQ(of("10.248.0.3", "192.168.0.3"), "76d2c1c530f51f79");
  EXPECT_EQ(hex(tcp::fast_open_cookie(key, *address::parse("2001:db8::1"), *address::parse("2001:db8::2"))),
            "28c597465989d70b");
}

TEST(rfc7413_fast_open, a_request_is_answered_by_a_cookie) {  // §4.2.1
  auto t = script::listening(fast());
  t.arrives(syn_with(0, "FO"));
  t.sends("S. 0:0(0) ack 1 <mss 1460,sackOK,FO " + cookie() + ">");
  EXPECT_EQ(t.told_acceptable(), 0) << "it vouches for nobody yet";
  t.arrives(". 1:1(0) ack 1");
  EXPECT_EQ(t.told_acceptable(), 1);
  EXPECT_EQ(t.counted().fast_open_requests, 1u);
  EXPECT_EQ(t.counted().fast_opens_passive, 0u);
}

TEST(rfc7413_fast_open, text_with_a_cookie_is_there_before_the_handshake_is_done) {  // §4.2.2
  auto t = opened_fast();
  EXPECT_EQ(t.told_acceptable(), 1);
  t.user_accepts();
  t.in_state(state::syn_received);
  t.user_receives(10);
  EXPECT_EQ(t.status().syn_text_received, 10u);
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 11");
  EXPECT_FALSE(t.told().established);
  t.arrives(". 11:11(0) ack 101");
  t.in_state(state::established);
  EXPECT_TRUE(t.told().established);
  EXPECT_EQ(t.status().send_queued, 0u);
  EXPECT_EQ(t.counted().fast_opens_passive, 1u);
  EXPECT_EQ(t.counted().passive_opens, 1u);
  EXPECT_EQ(t.told_acceptable(), 1) << "once is enough";
}

TEST(rfc7413_fast_open, works_over_version_6) {
  auto o = fast();
  o.ipv6 = true;
  auto t = script::listening(o);
  t.arrives(syn_with(10, "FO 28c597465989d70b"));
  t.sends("S. 0:0(0) ack 11 <mss 1440,sackOK>");
  t.user_accepts();
  t.user_receives(10);
}

TEST(rfc7413_fast_open, a_cookie_without_text_opens_as_well) {
  auto t = script::listening(fast());
  t.arrives(syn_with(0, "FO " + cookie()));
  t.sends("S. 0:0(0) ack 1 <mss 1460,sackOK>");
  t.user_accepts();
  t.reads_nothing();
  EXPECT_EQ(t.status().syn_text_received, 0u);
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
}

TEST(rfc7413_fast_open, a_cookie_of_somebody_else_is_refused_and_the_right_one_sent) {  // §4.2.2
  auto t = script::listening(fast());
  t.arrives(syn_with(10, "FO 0123456789abcdef"));
  t.sends("S. 0:0(0) ack 1 <mss 1460,sackOK,FO " + cookie() + ">");
  EXPECT_EQ(t.told_acceptable(), 0);
  EXPECT_EQ(t.counted().fast_open_refusals, 1u);
  t.arrives("P. 1:11(10) ack 1");
  t.user_accepts();
  t.user_receives(10);
  EXPECT_EQ(t.status().syn_text_received, 0u);
  t.passes_unheard(1s);
}

TEST(rfc7413_fast_open, the_old_form_is_answered_in_the_old_form) {
  auto t = script::listening(fast());
  t.arrives(syn_with(0, "FOEXP"));
  t.sends("S. 0:0(0) ack 1 <mss 1460,sackOK,FOEXP " + cookie() + ">");
  t.peer_port(40001);
  t.arrives(syn_with(10, "FOEXP " + cookie()));
  t.sends("S. 0:0(0) ack 11 <mss 1460,sackOK>");
  t.passes_unheard(1min);
}

TEST(rfc7413_fast_open, who_was_not_told_to_ignores_the_option) {  // §4.2
  auto t = script::listening(fast(fast_open_use::off));
  t.arrives(syn_with(10, "FO " + cookie()));
  t.sends("S. 0:0(0) ack 1 <mss 1460,sackOK>");
  EXPECT_EQ(t.told_acceptable(), 0);
}

TEST(rfc7413_fast_open, text_without_a_cookie_waits_for_the_handshake) {  // §4.2.2
  auto t = script::listening(fast());
  t.arrives("S 0:10(10) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1 <mss 1460>");
  EXPECT_EQ(t.told_acceptable(), 0);
}

TEST(rfc7413_fast_open, needs_no_cookie_where_the_user_says_so) {
  auto t = script::listening(fast(fast_open_use::without_cookie));
  t.arrives("S 0:10(10) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 11 <mss 1460>");
  t.user_accepts();
  t.user_receives(10);
}

TEST(rfc7413_fast_open, a_cookie_under_the_backup_key_is_taken_and_replaced) {  // §4.1.2
  auto o = fast();
  o.stack.tcp.fast_open_keys = tcp::fast_open_keys{newer, key};
  auto t = script::listening(o);
  t.arrives(syn_with(10, "FO " + cookie()));
  t.sends("S. 0:0(0) ack 11 <mss 1460,sackOK,FO " + cookie(newer) + ">");
  EXPECT_EQ(t.told_acceptable(), 1);
}

TEST(rfc7413_fast_open, keys_can_be_changed_while_it_listens) {  // §4.1.2
  auto t = script::listening(fast());
  tcp::config c = t.tcp().settings();
  c.fast_open_keys = tcp::fast_open_keys{newer, std::nullopt};
  t.tcp().configure(c);
  t.arrives(syn_with(10, "FO " + cookie()));
  t.sends("S. 0:0(0) ack 1 <mss 1460,sackOK,FO " + cookie(newer) + ">");
  t.peer_port(40001);
  t.arrives(syn_with(10, "FO " + cookie(newer)));
  t.sends("S. 0:0(0) ack 11 <mss 1460,sackOK>");
}

TEST(rfc7413_fast_open, a_listener_may_have_keys_of_its_own) {
  auto t = script::listening(fast());
  t.listener().options.fast_open_keys = tcp::fast_open_keys{newer, std::nullopt};
  t.arrives(syn_with(10, "FO " + cookie(newer)));
  t.sends("S. 0:0(0) ack 11 <mss 1460,sackOK>");
}

TEST(rfc7413_fast_open, a_cookie_expires_when_its_period_and_the_next_are_over) {  // §4.1.2
  auto o = fast();
  o.stack.tcp.fast_open_keys.reset();
  o.stack.tcp.fast_open_period = 1h;
  auto t = script::listening(o);
  const auto request = [&](std::uint16_t port) {
    t.peer_port(port);
    t.arrives(syn_with(0, "FO"));
    return hex(*t.takes_sent()->options.fast_open);
  };
  const auto offer = [&](std::uint16_t port, const std::string& c) {
    t.peer_port(port);
    t.arrives(syn_with(10, "FO " + c));
    return *t.takes_sent();
  };
  const std::string first = request(40001);
  EXPECT_FALSE(offer(40002, first).options.fast_open) << "it is good, so nothing is to be said";
  t.passes_unheard(1h);
  const auto later = offer(40003, first);
  EXPECT_EQ(later.ack_number, t.irs() + 11);
  ASSERT_TRUE(later.options.fast_open);
  EXPECT_NE(hex(*later.options.fast_open), first);
  EXPECT_FALSE(offer(40004, hex(*later.options.fast_open)).options.fast_open);
  t.passes_unheard(1h);
  EXPECT_EQ(offer(40005, first).ack_number, t.irs() + 1);
  t.passes_unheard(1min);
}

TEST(rfc7413_fast_open, beyond_the_limit_of_pending_ones_it_is_off) {  // §4.2, §5.1
  auto o = fast();
  o.fast_open_limit = 2;
  auto t = opened_fast(o);
  t.peer_port(40001);
  t.arrives(syn_with(10, "FO " + cookie()));
  t.sends("S. 0:0(0) ack 11");
  t.peer_port(40002);
  t.arrives(syn_with(10, "FO " + cookie()));
  t.sends("S. 0:0(0) ack 1 <mss 1460,sackOK>");
  EXPECT_EQ(t.counted().fast_open_overflows, 1u);
  t.peer_port(40000);
  t.user_accepts();
  t.peer_port(40003);
  t.arrives(syn_with(10, "FO " + cookie()));
  t.sends("S. 0:0(0) ack 1 <mss 1460,sackOK>");  // accepted or not, its handshake is not done
  t.peer_port(40000);
  t.arrives(". 11:11(0) ack 1");
  t.peer_port(40004);
  t.arrives(syn_with(10, "FO " + cookie()));
  t.sends("S. 0:0(0) ack 11 <mss 1460,sackOK>");
}

TEST(rfc7413_fast_open, one_that_a_reset_ends_is_pending_for_a_minute_more) {  // §5.1
  auto o = fast();
  o.fast_open_limit = 1;
  auto t = opened_fast(o);
  t.arrives("R 11:11(0)");
  t.peer_port(40001);
  t.arrives(syn_with(10, "FO " + cookie()));
  t.sends("S. 0:0(0) ack 1");
  t.arrives("R 1:1(0)");
  t.passes_unheard(61s);
  t.peer_port(40002);
  t.arrives(syn_with(10, "FO " + cookie()));
  t.sends("S. 0:0(0) ack 11");
}

TEST(rfc7413_fast_open, one_that_nobody_answers_is_pending_no_more) {
  auto o = fast();
  o.fast_open_limit = 1;
  auto t = opened_fast(o);
  t.passes_unheard(2min);
  t.peer_port(40001);
  t.arrives(syn_with(10, "FO " + cookie()));
  t.sends("S. 0:0(0) ack 11");
}

TEST(rfc7413_fast_open, the_answer_begins_with_the_initial_window) {  // §4.2.2
  auto t = opened_fast();
  t.user_accepts();
  t.user_receives(10);
  t.user_sends(100'000);
  std::uint32_t sent = 0;
  while (const auto n = t.takes_sent_text()) sent += n;
  EXPECT_EQ(sent, 10u * 1460);
}

TEST(rfc7413_fast_open, the_answer_keeps_to_the_window_of_the_syn) {
  auto t = script::listening(fast());
  t.arrives("S 0:10(10) win 2000 <mss 1000,nop,wscale 7,FO " + cookie() + ">");
  t.sends("S. 0:0(0) ack 11");
  t.user_accepts();
  t.user_receives(10);
  t.user_sends(5000);
  t.sends(". 1:1001(1000) ack 11");
  t.sends(". 1001:2001(1000) ack 11");
  t.silent();
}

TEST(rfc7413_fast_open, the_syn_ack_goes_again_without_option_or_text) {  // §4.2.2
  auto o = fast();
  o.stack.tcp.fast_open_keys = tcp::fast_open_keys{newer, key};
  auto t = script::listening(o);
  t.arrives(syn_with(10, "FO " + cookie()));
  t.sends("S. 0:0(0) ack 11 <mss 1460,sackOK,FO " + cookie(newer) + ">");
  t.user_accepts();
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 11");
  t.passes(1s);
  t.sends("S. 0:0(0) ack 11 <mss 1460,sackOK>");
  t.arrives(". 11:11(0) ack 1");  // the text was lost: it goes again once the handshake is done
  t.in_state(state::established);
  t.passes(4s);
  t.sends("P. 1:101(100) ack 11");
}

TEST(rfc7413_fast_open, a_client_that_repeats_its_syn_bare_is_answered) {  // §4.2.2
  auto t = opened_fast();
  t.arrives("S 0:0(0) win 65535 <mss 1460,sackOK>");
  t.sends("S. 0:0(0) ack 11 <mss 1460,sackOK>");
  t.user_accepts();
  t.user_receives(10);
}

TEST(rfc7413_fast_open, a_fin_may_follow_the_answer) {
  auto t = opened_fast();
  t.user_accepts();
  t.user_receives(10);
  t.user_sends_and_closes(100);
  t.sends("FP. 1:101(100) ack 11");
  t.in_state(state::syn_received);
  t.arrives(". 11:11(0) ack 102");
  t.in_state(state::fin_wait_2);
}

TEST(rfc7413_fast_open, an_answer_lost_in_part_is_repaired_when_the_handshake_ends) {
  auto t = opened_fast();
  t.user_accepts();
  t.user_receives(10);
  t.user_sends(5 * 1460);
  while (t.takes_sent_text() > 0) {
  }
  t.arrives(". 11:11(0) ack 1 <sack 1461:7301>");
  t.sends(". 1:1461(1460) ack 11");
  t.arrives(". 11:11(0) ack 7301");
  EXPECT_EQ(t.status().send_queued, 0u);
}

TEST(rfc7413_fast_open, what_a_reset_one_had_brought_can_be_accepted) {
  auto t = opened_fast();
  t.arrives("R 11:11(0)");
  t.user_accepts();
  t.in_state(state::closed);
  EXPECT_EQ(tcp::layer::error(t.connection()), std::errc::connection_reset);
  t.user_receives(10);
}

TEST(rfc7413_fast_open, one_that_its_user_holds_learns_of_a_reset) {
  auto t = opened_fast();
  t.user_accepts();
  t.arrives("R 11:11(0)");
  t.closed_with(make_error_code(std::errc::connection_reset));
}

TEST(rfc7413_fast_open, a_listener_that_goes_resets_what_nobody_accepted) {
  auto t = opened_fast();
  t.user_stops_listening();
  t.sends("R. 1:1(0) ack 11");
  EXPECT_EQ(t.connections(), 0u);
}

TEST(rfc7413_fast_open, outlives_its_listener_once_accepted) {
  auto t = opened_fast();
  t.user_accepts();
  t.user_stops_listening();
  t.user_receives(10);
  t.arrives(". 11:11(0) ack 1");
  t.in_state(state::established);
}

TEST(rfc7413_fast_open, an_unreachable_client_leaves_its_text) {
  auto t = opened_fast();
  ip::icmp_error e;
  e.kind = wire::icmp_kind::destination_unreachable;
  e.unreachable = wire::unreachable_code::host;
  t.icmp_arrives(e, 0);
  EXPECT_EQ(t.connections(), 0u);
  t.user_accepts();
  EXPECT_EQ(tcp::layer::error(t.connection()), std::errc::host_unreachable);
  t.user_receives(10);
}

}  // namespace
}  // namespace tunic::test
