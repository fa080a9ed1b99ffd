#include <gtest/gtest.h>

#include "tests/tcp/fast_open.hpp"

// TCP Fast Open (RFC 7413), the client's side.

namespace tunic::test {
namespace {

using tcp::state;

ip::icmp_error too_big(std::uint32_t mtu) {
  ip::icmp_error e;
  e.kind = wire::icmp_kind::packet_too_big;
  e.mtu = mtu;
  return e;
}

TEST(rfc7413_fast_open, a_client_asks_first_and_sends_no_text) {  // §4.2.1
  script t{fast()};
  opens_with(t, 10);
  t.sends("S 0:0(0) <" + plain + ",FO>");
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,FO 0123456789ab>");
  t.sends("P. 1:11(10) ack 1");
  t.in_state(state::established);
}

TEST(rfc7413_fast_open, the_next_syn_carries_text) {  // §4.2.2
  auto t = with_cookie();
  opens_with(t, 100);
  t.sends("S 0:100(100) <" + plain + ",FO 0123456789ab>");
  t.in_state(state::syn_sent);
  t.arrives("S. 0:0(0) ack 101 win 65535 <mss 1460,sackOK>");
  t.sends(". 101:101(0) ack 1");
  t.in_state(state::established);
  EXPECT_EQ(t.status().syn_text_sent, 100u);
  EXPECT_EQ(t.status().send_queued, 0u);
  EXPECT_EQ(t.status().delivered, 100u);
  EXPECT_EQ(t.counted().fast_opens_active, 1u);
  t.user_sends(10);
  t.sends("P. 101:111(10) ack 1");
}

TEST(rfc7413_fast_open, is_not_used_unless_the_user_asks) {  // §2
  auto t = with_cookie();
  tcp::open_options o;
  o.remote = {*address::parse("198.51.100.1"), 40000};
  struct : tcp::user {
    void on_events(tcp::events) override {}
  } nobody;
  const auto opened = t.tcp().open(o, nobody, t.now());
  ASSERT_TRUE(opened);
  t.tcp().send(**opened, std::array<std::byte, 10>{});
  const auto syn = t.takes_sent();
  ASSERT_TRUE(syn);
  EXPECT_FALSE(syn->options.fast_open);
  t.tcp().release(**opened, t.now());
}

TEST(rfc7413_fast_open, what_the_syn_has_no_room_for_follows_the_handshake) {
  auto t = with_cookie("mss 940,sackOK,FO 0123456789ab");
  opens_with(t, 2000);
  t.sends("S 0:900(900) <" + plain + ",FO 0123456789ab>");  // the server's MSS, less all that options may take
  EXPECT_EQ(t.status().send_queued, 2000u);
  t.arrives("S. 0:0(0) ack 901 win 65535 <mss 940,sackOK>");
  t.sends(". 901:1841(940) ack 1");
  t.sends("P. 1841:2001(160) ack 1");
}

TEST(rfc7413_fast_open, text_that_was_not_taken_goes_again_at_once) {  // §4.2.2
  auto t = with_cookie();
  opens_with(t, 1000);
  t.sends("S 0:1000(1000)");
  t.passes(20ms);
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,FO ba9876543210>");
  t.sends("P. 1:1001(1000) ack 1");
  EXPECT_EQ(t.status().cwnd, 10u * 1460) << "it was not lost";
  EXPECT_EQ(t.status().syn_text_sent, 0u);
  EXPECT_EQ(t.counted().fast_open_fails, 1u);
  t.arrives(". 1:1(0) ack 1001");
  EXPECT_EQ(t.status().phase, tcp::recovery_phase::open);
  next(t);
  opens_with(t, 10);
  t.sends("S 0:10(10) <" + plain + ",FO ba9876543210>");
}

TEST(rfc7413_fast_open, text_taken_in_part_goes_on_there) {
  auto t = with_cookie();
  opens_with(t, 1000);
  t.sends("S 0:1000(1000)");
  t.arrives("S. 0:0(0) ack 401 win 65535 <mss 1460,sackOK>");
  t.sends("P. 401:1001(600) ack 1");
  EXPECT_EQ(t.status().syn_text_sent, 0u);
}

TEST(rfc7413_fast_open, the_syn_that_goes_again_has_neither_text_nor_option) {  // §4.2.2
  auto t = with_cookie();
  opens_with(t, 1000);
  t.sends("S 0:1000(1000) <" + plain + ",FO 0123456789ab>");
  t.passes(1s);
  t.sends("S 0:0(0) <" + plain + ">");
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK>");
  t.sends("P. 1:1001(1000) ack 1");
}

TEST(rfc7413_fast_open, a_late_answer_to_the_text_counts) {
  auto t = with_cookie();
  opens_with(t, 1000);
  t.sends("S 0:1000(1000)");
  t.passes(1s);
  t.sends("S 0:0(0) <" + plain + ">");
  t.arrives("S. 0:0(0) ack 1001 win 65535 <mss 1460,sackOK>");
  t.sends(". 1001:1001(0) ack 1");
}

TEST(rfc7413_fast_open, a_path_that_loses_such_syns_is_spared_for_a_while_that_doubles) {  // §4.1.3.1
  auto t = with_cookie();
  const auto lose = [&] {
    opens_with(t, 10);
    t.sends("S 0:10(10) <" + plain + ",FO 0123456789ab>");
    t.passes(1s);
    t.sends("S 0:0(0) <" + plain + ">");
    t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK>");
    t.sends("P. 1:11(10) ack 1");
    t.arrives(". 1:1(0) ack 11");
    next(t);
  };
  const auto is_off = [&] {
    opens_with(t, 10);
    t.sends("S 0:0(0) <" + plain + ">");
    t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK>");
    t.sends("P. 1:11(10) ack 1");
    next(t);
  };
  lose();
  lose();
  is_off();
  t.passes_unheard(239s);
  is_off();
  t.passes_unheard(1s);
  lose();
  t.passes_unheard(479s);
  is_off();
  t.passes_unheard(1s);
  opens_with(t, 10);
  t.sends("S 0:10(10) <" + plain + ",FO 0123456789ab>");
  t.arrives("S. 0:0(0) ack 11 win 65535 <mss 1460,sackOK>");
  t.sends(". 11:11(0) ack 1");
  next(t);
  lose();  // and once may be chance again
  opens_with(t, 10);
  t.sends("S 0:10(10) <" + plain + ",FO 0123456789ab>");
}

TEST(rfc7413_fast_open, a_server_that_takes_no_text_is_spared_as_well) {  // §4.1.3.1
  auto t = with_cookie();
  for (int i = 0; i < 2; ++i) {
    opens_with(t, 10);
    t.sends("S 0:10(10) <" + plain + ",FO 0123456789ab>");
    t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK>");
    t.sends("P. 1:11(10) ack 1");
    next(t);
  }
  opens_with(t, 10);
  t.sends("S 0:0(0) <" + plain + ">");
}

TEST(rfc7413_fast_open, so_is_one_that_never_answers) {  // §4.1.3.1
  auto o = fast();
  o.stack.tcp.fast_open_pause = 1h;
  auto t = with_cookie("mss 1460,FO 0123456789ab", o);
  for (int i = 0; i < 2; ++i) {
    opens_with(t, 10);
    t.sends("S 0:10(10) <" + plain + ",FO 0123456789ab>");
    t.passes_unheard(10min);
    t.closed_with(make_error_code(std::errc::timed_out));
    next(t);
  }
  opens_with(t, 10);
  t.sends("S 0:0(0) <" + plain + ">");
}

TEST(rfc7413_fast_open, what_acknowledges_too_much_is_reset_and_teaches_nothing) {
  auto t = with_cookie();
  opens_with(t, 100);
  t.sends("S 0:100(100)");
  t.arrives("S. 0:0(0) ack 100101 win 65535 <mss 940,FO badc00ce>");
  t.sends("R 100101:100101(0)");
  t.in_state(state::syn_sent);
  next(t);
  opens_with(t, 2000);
  t.sends("S 0:1420(1420) <" + plain + ",FO 0123456789ab>");
}

TEST(rfc7413_fast_open, a_refusal_ends_the_attempt) {
  auto t = with_cookie();
  opens_with(t, 100);
  t.sends("S 0:100(100)");
  t.arrives("R. 0:0(0) ack 101");
  t.closed_with(make_error_code(std::errc::connection_refused));
}

TEST(rfc7413_fast_open, text_too_big_for_the_path_goes_without_the_syn) {  // §4.1.3.1
  auto t = with_cookie();
  opens_with(t, 1420);
  t.sends("S 0:1420(1420)");
  t.icmp_arrives(too_big(1000), 0);
  t.sends("S 0:0(0) <" + plain + ">");
  t.icmp_arrives(too_big(900), 0);
  t.silent();
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK>");
  t.sends(". 1:861(860) ack 1");
  t.sends("P. 861:1421(560) ack 1");
}

TEST(rfc7413_fast_open, a_simultaneous_open_takes_no_text_from_the_peers_syn) {
  auto t = with_cookie();
  opens_with(t, 1000);
  t.sends("S 0:1000(1000)");
  t.arrives("S 0:500(500) win 65535 <mss 1460,sackOK,FO 87654321>");
  t.sends("S. 0:0(0) ack 1 <mss 1460,sackOK>");
  t.arrives("S. 0:0(0) ack 1001 win 65535 <mss 1460,sackOK>");
  t.sends(". 1001:1001(0) ack 1");
  t.in_state(state::established);
  EXPECT_EQ(t.status().send_queued, 0u);
  t.arrives("P. 1:501(500) ack 1001");
  t.user_receives(500);
  t.passes_unheard(1s);
}

TEST(rfc7413_fast_open, a_simultaneous_open_sends_its_text_again) {
  auto t = with_cookie();
  opens_with(t, 1000);
  t.sends("S 0:1000(1000)");
  t.arrives("S 0:0(0) win 65535 <mss 1460,sackOK>");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.sends("P. 1:1001(1000) ack 1");
}

TEST(rfc7413_fast_open, text_and_fin_with_the_syn_ack_are_taken) {
  auto t = with_cookie();
  opens_with(t, 10);
  t.sends("S 0:10(10)");
  t.arrives("SF. 0:300(300) ack 11 win 65535 <mss 1460,sackOK>");
  t.sends(". 11:11(0) ack 302");
  t.in_state(state::close_wait);
  t.user_receives(300);
  t.at_end();
}

TEST(rfc7413_fast_open, a_syn_may_wait_for_the_text) {
  auto t = with_cookie();
  tcp::open_options o;
  o.remote = {*address::parse("198.51.100.1"), 40000};
  o.fast_open = tcp::fast_open_use::on;
  o.wait_for_text = true;
  struct : tcp::user {
    void on_events(tcp::events) override {}
  } nobody;
  auto& layer = t.tcp();
  for (const std::size_t octets : {100, 0}) {  // SEND of nothing lets it go as well
    const auto opened = layer.open(o, nobody, t.now());
    ASSERT_TRUE(opened);
    EXPECT_TRUE(tcp::layer::waits_for_text(**opened));
    EXPECT_EQ(layer.syn_text_room(**opened, t.now()), 1420u);
    t.silent_for(10s);
    layer.send(**opened, std::vector<std::byte>(octets));
    EXPECT_FALSE(tcp::layer::waits_for_text(**opened));
    const auto syn = t.takes_sent();
    ASSERT_TRUE(syn);
    EXPECT_TRUE(syn->options.fast_open);
    EXPECT_EQ(layer.syn_text_room(**opened, t.now()), 0u);
    layer.release(**opened, t.now());
  }
  o.remote.address = *address::parse("198.51.100.7");  // no cookie of this one: it need not wait
  const auto opened = layer.open(o, nobody, t.now());
  ASSERT_TRUE(opened);
  EXPECT_FALSE(tcp::layer::waits_for_text(**opened));
  EXPECT_TRUE(t.takes_sent());
  layer.release(**opened, t.now());
}

TEST(rfc7413_fast_open, an_echo_of_no_timestamp_of_ours_is_refused) {
  auto o = fast();
  o.stack.tcp.timestamps = true;
  script t{o};
  opens(t);
  t.sends("S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 9,FO>");
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460,TS val 5 ecr 99999>");
  t.sends("R 1:1(0)");
  t.in_state(state::syn_sent);
  t.passes(5ms);
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460,TS val 5 ecr 0>");
  t.sends(". 1:1(0) ack 1");
  t.in_state(state::established);
}

}  // namespace
}  // namespace tunic::test
