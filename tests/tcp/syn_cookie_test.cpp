#include "stack/tcp/syn_cookie.hpp"

#include <random>

#include <gtest/gtest.h>

#include "tests/support/two_stacks.hpp"
#include "tests/tcp/segments.hpp"

// SYN cookies: RFC 4987 §3.6, with Linux's way of keeping options in the timestamp.

namespace tunic::test {
namespace {

using tcp::ecn_feedback;
using tcp::ecn_use;
using tcp::state;
using tcp::syn_cookie_use;
using tcp::syn_cookies;

constexpr std::string_view all_options = "mss 1400,sackOK,TS val 7 ecr 0,nop,wscale 7";

script_options with(syn_cookie_use use, std::size_t backlog = 1) {
  script_options o;
  o.stack.tcp.syn_cookies = use;
  o.backlog = backlog;
  o.no_delay = true;
  return o;
}

/// A listener whose SYN queue is full of the peer's port 40000.
script crowded(script_options o = with(syn_cookie_use::when_full)) {
  auto t = script::listening(o);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.peer_port(40001);
  return t;
}

/// The peer's SYN is answered with a cookie; gives the SYN-ACK.
wire::tcp_header asks(script& t, std::string_view options, std::string_view flags = "S") {
  t.arrives(std::string{flags} + " 0:0(0) win 65535 <" + std::string{options} + ">");
  return t.takes_syn_ack();
}

constexpr std::string_view echo = " <TS val 8 ecr 0>";  // our timestamps count from the SYN-ACK's

TEST(rfc4987_syn_cookies, answer_for_a_syn_queue_that_is_full) {
  auto t = crowded();
  const auto syn_ack = asks(t, "mss 1460");
  EXPECT_EQ(syn_ack.options.mss, 1460);
  EXPECT_EQ(t.connections(), 1u);  // the one in the queue
  EXPECT_EQ(t.counted().syn_cookies_sent, 1u);
  t.silent_for(999ms);  // the other's SYN-ACK goes again then, and never this one
  t.arrives(". 1:1(0) ack 1");
  EXPECT_EQ(t.told_acceptable(), 1);
  EXPECT_EQ(t.counted().syn_cookies_received, 1u);
  EXPECT_EQ(t.counted().passive_opens, 1u);
  t.user_accepts();
  t.in_state(state::established);
  t.user_sends(100);
  t.sends("P. 1:101(100) ack 1");
  t.arrives("P. 1:51(50) ack 101");
  t.user_receives(50);
  t.user_closes();
  t.sends("F. 101:101(0) ack 51");
}

TEST(rfc4987_syn_cookies, are_no_stand_in_for_a_queue_with_room) {  // §4
  auto t = script::listening(with(syn_cookie_use::when_full, 2));
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  EXPECT_EQ(t.connections(), 1u);
  EXPECT_EQ(t.counted().syn_cookies_sent, 0u);
}

TEST(rfc4987_syn_cookies, never_are_sent_where_the_configuration_forbids) {
  auto t = crowded(with(syn_cookie_use::never));
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.silent();
  t.dropped(drop::syn_queue_full);
}

TEST(rfc4987_syn_cookies, always_are_sent_where_the_configuration_says_so) {
  auto t = script::listening(with(syn_cookie_use::always, 16));
  asks(t, "mss 1460");
  EXPECT_EQ(t.connections(), 0u);
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.in_state(state::established);
}

TEST(rfc4987_syn_cookies, keep_mss_scale_and_sack_of_a_peer_with_timestamps) {
  auto t = script::listening(with(syn_cookie_use::always));
  const auto syn_ack = asks(t, all_options);
  EXPECT_EQ(syn_ack.options.mss, 1460);
  EXPECT_TRUE(syn_ack.options.sack_permitted);
  EXPECT_TRUE(syn_ack.options.window_scale);
  ASSERT_TRUE(syn_ack.options.timestamps);
  EXPECT_EQ(syn_ack.options.timestamps->ecr, 7u);
  t.arrives(". 1:1(0) ack 1 win 500" + std::string{echo});
  t.user_accepts();
  EXPECT_TRUE(t.status().timestamps);
  EXPECT_TRUE(t.status().sack);
  EXPECT_TRUE(t.status().window_scale);
  EXPECT_EQ(t.status().mss, 1400u - 12);
  EXPECT_EQ(t.status().snd_wnd, 500u << 7);
  EXPECT_EQ(t.connection().rcv_shift, *syn_ack.options.window_scale);
  t.arrives(". 1001:2001(1000) ack 1 win 500 <TS val 9 ecr 0>");  // ahead of a gap
  const auto answer = t.takes_sent();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->options.sack.size(), 1u);
}

TEST(rfc4987_syn_cookies, keep_them_over_version_6) {
  auto o = with(syn_cookie_use::always);
  o.ipv6 = true;
  auto t = script::listening(o);
  asks(t, all_options);
  t.arrives(". 1:1(0) ack 1 win 500" + std::string{echo});
  t.user_accepts();
  EXPECT_TRUE(t.status().sack && t.status().window_scale);
  EXPECT_EQ(t.status().mss, 1400u - 12);
}

TEST(rfc4987_syn_cookies, keep_that_there_is_no_scale_and_no_sack) {
  auto t = script::listening(with(syn_cookie_use::always));
  const auto syn_ack = asks(t, "mss 1460,TS val 7 ecr 0");
  EXPECT_FALSE(syn_ack.options.sack_permitted || syn_ack.options.window_scale);
  t.arrives(". 1:1(0) ack 1 win 500" + std::string{echo});
  t.user_accepts();
  EXPECT_FALSE(t.status().sack || t.status().window_scale);
  EXPECT_EQ(t.status().snd_wnd, 500u);
}

TEST(rfc4987_syn_cookies, offer_the_mss_alone_where_nothing_echoes) {
  auto t = script::listening(with(syn_cookie_use::always));
  const auto syn_ack = asks(t, "mss 1000,sackOK,nop,wscale 7", "SEW");
  EXPECT_FALSE(syn_ack.options.sack_permitted || syn_ack.options.window_scale || syn_ack.options.timestamps);
  EXPECT_FALSE(syn_ack.flags.ece);
  t.arrives(". 1:1(0) ack 1 win 500");
  t.user_accepts();
  EXPECT_FALSE(t.status().sack || t.status().window_scale || t.status().timestamps);
  EXPECT_EQ(t.status().snd_wnd, 500u);
  EXPECT_EQ(t.status().mss, 536u);  // the next lower of the eight that a cookie can tell
}

TEST(rfc4987_syn_cookies, keep_ecn) {
  for (const bool accurate : {false, true}) {
    auto o = with(syn_cookie_use::always);
    o.stack.tcp.ecn = accurate ? ecn_use::accurate : ecn_use::passive;
    auto t = script::listening(o);
    const auto syn_ack = asks(t, all_options, accurate ? "SEWA" : "SEW");
    EXPECT_EQ(syn_ack.flags.ece, !accurate);
    EXPECT_EQ(syn_ack.flags.cwr, accurate);
    t.arrives((accurate ? ".2 1:1(0) ack 1 win 500" : ". 1:1(0) ack 1 win 500") + std::string{echo});
    t.user_accepts();
    EXPECT_EQ(t.status().ecn, accurate ? ecn_feedback::accurate : ecn_feedback::classic);
    EXPECT_TRUE(t.status().ect);
    t.user_sends(100);
    t.sends(accurate ? "[ect0] P.5 1:101(100) ack 1" : "[ect0] P. 1:101(100) ack 1");
  }
}

TEST(rfc4987_syn_cookies, deliver_the_text_of_the_segment_that_completes_them) {
  auto t = crowded();
  asks(t, "mss 1460");
  t.arrives("FP. 1:101(100) ack 1");  // the bare one was lost
  t.sends(". 1:1(0) ack 102");
  t.user_accepts();
  t.in_state(state::close_wait);
  t.user_receives(100);
  t.at_end();
}

TEST(rfc4987_syn_cookies, are_good_for_a_tick_and_the_next) {
  auto t = script::listening(with(syn_cookie_use::always));
  const auto in_tick = t.now().time_since_epoch() % syn_cookies::tick;
  t.silent_for(syn_cookies::tick - in_tick);  // at its very beginning
  asks(t, "mss 1460");
  t.silent_for(syn_cookies::lifetime - 1us);
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.in_state(state::established);
}

TEST(rfc4987_syn_cookies, grow_stale) {
  auto t = script::listening(with(syn_cookie_use::always));
  asks(t, "mss 1460");
  t.silent_for(syn_cookies::lifetime / 2);
  t.peer_port(40001);
  asks(t, "mss 1460");  // so that cookies are about
  t.silent_for(syn_cookies::lifetime / 2);
  t.peer_port(40000);
  t.arrives(". 1:1(0) ack 1");
  t.sends("R 1:1(0)");
  EXPECT_EQ(t.counted().syn_cookies_failed, 1u);
  t.dropped(drop::unacceptable_ack);
  EXPECT_EQ(t.connections(), 0u);
}

TEST(rfc4987_syn_cookies, are_believed_to_the_last_bit) {
  auto t = script::listening(with(syn_cookie_use::always));
  asks(t, "mss 1460");
  int refused = 0;
  const auto refuses = [&](std::string_view segment) {
    t.arrives(segment);
    const auto answer = t.takes_sent();
    EXPECT_TRUE(answer && answer->flags.rst) << segment;
    EXPECT_EQ(t.counted().syn_cookies_failed, static_cast<std::uint64_t>(++refused)) << segment;
    EXPECT_EQ(t.connections(), 0u) << segment;
  };
  for (unsigned bit = 3; bit < 32; ++bit)  // the lowest three tell an MSS, of whatever size
    refuses(". 1:1(0) ack " + std::to_string(1 + (1u << bit)));
  for (const char* other : {". 2:2(0) ack 1", ". 0:0(0) ack 1", "P. 1001:1011(10) ack 1"}) refuses(other);
  t.peer_port(40001);
  t.arrives(". 1:1(0) ack 1");
  EXPECT_TRUE(t.takes_sent()->flags.rst);
  t.peer_port(40000);
  t.arrives("R. 1:1(0) ack 1");  // nor is it a reset's
  t.arrives("S. 1:1(0) ack 1");
  EXPECT_TRUE(t.takes_sent()->flags.rst);
  EXPECT_EQ(t.connections(), 0u);
  t.arrives(". 1:1(0) ack 1");
  EXPECT_EQ(t.connections(), 1u);
}

TEST(rfc4987_syn_cookies, are_not_believed_where_none_was_sent_lately) {
  auto other = script::listening(with(syn_cookie_use::always));  // the same secret at the same moment
  const auto syn_ack = asks(other, "mss 1460");
  auto t = script::listening(with(syn_cookie_use::when_full, 16));
  t.arrives(". 1:1(0) ack " + std::to_string(distance(t.iss(), syn_ack.seq_number) + 1));
  const auto answer = t.takes_sent();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->flags.rst);
  EXPECT_EQ(t.connections(), 0u);
  EXPECT_EQ(t.counted().syn_cookies_failed, 0u);
}

TEST(rfc4987_syn_cookies, wait_while_the_accept_queue_is_full) {
  auto t = crowded();
  asks(t, "mss 1460");
  t.peer_port(40002);
  asks(t, "mss 1460");
  t.arrives(". 1:1(0) ack 1");
  EXPECT_EQ(t.told_acceptable(), 1);
  t.peer_port(40001);
  t.arrives("P. 1:11(10) ack 1");
  t.silent();
  t.dropped(drop::accept_queue_full);
  EXPECT_EQ(t.listener().accept_queue.size(), 1u);
  t.user_accepts();
  t.arrives("P. 1:11(10) ack 1");  // the peer says it again
  EXPECT_EQ(t.told_acceptable(), 2);
  t.passes(40ms);
  t.sends(". 1:1(0) ack 11");
}

TEST(rfc4987_syn_cookies, ask_the_owner_of_the_listener_first) {
  auto t = crowded();
  t.user_answers_syns(tcp::verdict::refuse);
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  EXPECT_TRUE(t.takes_sent()->flags.rst);
  EXPECT_EQ(t.counted().syn_cookies_sent, 0u);
}

TEST(rfc4987_syn_cookies, give_no_round_trip) {  // when the SYN-ACK left is not known, and the echo is coarse
  auto t = script::listening(with(syn_cookie_use::always));
  asks(t, all_options);
  t.silent_for(300ms);
  t.arrives(". 1:1(0) ack 1 win 500" + std::string{echo});
  t.user_accepts();
  EXPECT_FALSE(t.status().srtt);
  t.user_sends(100);
  t.takes_sent();
  t.silent_for(70ms);
  t.arrives(". 1:1(0) ack 101 win 500 <TS val 9 ecr 300>");
  EXPECT_EQ(t.status().srtt, 70ms);
}

TEST(rfc4987_syn_cookies, tell_an_mss_that_is_no_larger_than_the_peers) {
  const syn_cookies cookies{secret{1, 2, 3}};
  const four_tuple ends{{address::v4(1), 80}, {address::v4(2), 1234}};
  const instant now{1000s};
  for (std::uint32_t mss = 0; mss <= 65535; ++mss) {
    const seq cookie = cookies.make(ends, seq{5}, static_cast<std::uint16_t>(mss), now);
    const auto told = cookies.mss_of(ends, seq{5}, cookie, now);
    ASSERT_TRUE(told);
    ASSERT_LE(*told, std::max(mss, 48u));
  }
  for (const std::uint16_t usual : std::initializer_list<std::uint16_t>{536, 1220, 1440, 1460})
    EXPECT_EQ(cookies.mss_of(ends, seq{5}, cookies.make(ends, seq{5}, usual, now), now), usual);
}

TEST(rfc4987_syn_cookies, are_not_guessed) {
  const syn_cookies cookies{secret{1, 2, 3}};
  const four_tuple ends{{address::v4(1), 80}, {address::v4(2), 1234}};
  std::mt19937 random{7};
  for (int i = 0; i < 1'000'000; ++i)  // a guess in 2^28 is right
    ASSERT_FALSE(cookies.mss_of(ends, seq{5}, seq{static_cast<std::uint32_t>(random())}, instant{1000s})) << i;
}

TEST(rfc4987_syn_cookies, stamp_what_was_agreed_on_and_never_run_ahead) {
  for (const std::uint32_t clock : {0u, 1u, 127u, 128u, 0x12345678u, 0xffffffffu})
    for (int scale = -1; scale <= 14; ++scale)
      for (const bool sack : {false, true})
        for (const auto ecn : {ecn_feedback::none, ecn_feedback::classic, ecn_feedback::accurate}) {
          tcp::cookie_agreement a;
          if (scale >= 0) a.window_scale = wire::window_shift{static_cast<std::uint8_t>(scale)};
          a.sack = sack;
          a.ecn = ecn;
          const std::uint32_t stamp = syn_cookies::stamp(clock, a);
          ASSERT_LT(clock - stamp, 128u);
          const auto b = syn_cookies::agreement_of(stamp);
          ASSERT_TRUE(b.window_scale == a.window_scale && b.sack == a.sack && b.ecn == a.ecn);
        }
}

// A hundred thousand SYNs from nowhere, a thousand each time that anything happens; meanwhile somebody real connects,
// and both sides send.
TEST(rfc4987_syn_cookies, let_a_client_in_while_a_flood_goes_on) {
  constexpr std::size_t backlog = 128;
  two_stacks t;
  t.server_listens(backlog);
  const endpoint server{*address::parse("198.51.100.2"), two_stacks::port};
  std::uint32_t flooded = 0;
  const auto flood = [&](std::uint32_t n) {
    for (; n > 0; --n, ++flooded) {
      wire::tcp_header h;
      h.seq_number = seq{flooded * 2654435761u};
      h.flags.syn = true;
      h.options.mss = 1460;
      const endpoint nobody{address::v4(0xcb007100 + (flooded & 0xff)),
                            static_cast<std::uint16_t>(1024 + flooded / 256)};
      t.server_gets(datagram_of(nobody, server, h));
    }
  };
  flood(10'000);
  t.passes(5ms);
  auto& client = t.client_opens();
  const std::string text(512 * 1024, 'x');
  std::size_t client_sent = 0;
  std::size_t server_sent = 0;
  std::size_t client_got = 0;
  std::size_t server_got = 0;
  two_stacks::user* accepted = nullptr;
  while (flooded < 100'000) {
    flood(500);
    t.passes(1ms);
    ASSERT_LE(t.server().tcp().connections(), backlog + 1);
    ASSERT_LT(t.server().pool().in_use(), 64u << 20);
    if (!accepted && t.acceptable()) accepted = &t.server_accepts();
    if (!accepted) continue;
    client_sent += client.sends(std::string_view{text}.substr(client_sent));
    server_sent += accepted->sends(std::string_view{text}.substr(server_sent));
    client_got += client.receives().size();
    server_got += accepted->receives().size();
  }
  t.passes(1s);
  ASSERT_TRUE(accepted);
  client_got += client.receives().size();
  server_got += accepted->receives().size();
  EXPECT_EQ(client_got, text.size());
  EXPECT_EQ(server_got, text.size());
  const auto& counted = t.server().counters();
  EXPECT_GT(counted.syn_cookies_sent, 99'000u);
  EXPECT_EQ(counted.syn_cookies_received, 1u);
  EXPECT_TRUE(accepted->status().sack && accepted->status().window_scale && accepted->status().timestamps);
  EXPECT_EQ(accepted->status().mss, 1448u);
  t.passes(70s);
  EXPECT_EQ(t.server().tcp().connections(), 1u);  // the half-open ones are given up
}

}  // namespace
}  // namespace tunic::test
