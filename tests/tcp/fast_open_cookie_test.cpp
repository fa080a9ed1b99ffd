#include <gtest/gtest.h>

#include "stack/tcp/fast_open_cache.hpp"
#include "tests/tcp/fast_open.hpp"

// The cookies of TCP Fast Open (RFC 7413) that a client keeps.

namespace tunic::test {
namespace {

TEST(rfc7413_fast_open, a_server_of_the_old_form_is_asked_in_it_once) {
  script t{fast()};
  const auto ask = [&](const std::string& option, const std::string& answer) {
    opens(t);
    t.sends("S 0:0(0) <" + plain + "," + option + ">");
    t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK" + answer + ">");
    t.sends(". 1:1(0) ack 1");
    next(t);
  };
  ask("FO", "");
  ask("FOEXP", "");
  ask("FO", "");
  ask("FO", "");
}

TEST(rfc7413_fast_open, a_cookie_in_the_old_form_is_used_in_it) {
  script t{fast()};
  opens(t);
  t.sends("S 0:0(0) <" + plain + ",FO>");
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK>");
  t.sends(". 1:1(0) ack 1");
  next(t);
  opens(t);
  t.sends("S 0:0(0) <" + plain + ",FOEXP>");
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,FOEXP abcd1234>");
  t.sends(". 1:1(0) ack 1");
  next(t);
  opens_with(t, 10);
  t.sends("S 0:10(10) <" + plain + ",FOEXP abcd1234>");
}

TEST(rfc7413_fast_open, a_cookie_of_another_length_is_none) {  // §4.1.1
  auto t = with_cookie("mss 1460,FO 0123456789ab");
  opens_with(t, 10);
  t.sends("S 0:10(10)");
  t.arrives("S. 0:0(0) ack 11 win 65535 <mss 1460,FO 1122>");
  t.sends(". 11:11(0) ack 1");
  next(t);
  opens_with(t, 10);
  t.sends("S 0:10(10) <" + plain + ",FO 0123456789ab>");
}

TEST(rfc7413_fast_open, a_cookie_on_anything_but_a_syn_says_nothing) {  // §4.1.1
  auto t = with_cookie();
  opens_with(t, 10);
  t.sends("S 0:10(10)");
  t.arrives("S. 0:0(0) ack 11 win 65535 <mss 1460>");
  t.sends(". 11:11(0) ack 1");
  auto octets = t.datagram(". 1:1(0) ack 11 <TS val 1 ecr 0>");
  constexpr std::size_t options = 40;
  for (std::size_t i = 0; i < 12; ++i) wire::store8(octets.data() + options + i, 1);
  wire::store8(octets.data() + options, 34);
  wire::store8(octets.data() + options + 1, 6);
  repair_checksums(octets);
  t.datagram_arrives(octets);
  t.silent();
  next(t);
  opens_with(t, 10);
  t.sends("S 0:10(10) <" + plain + ",FO 0123456789ab>");
}

TEST(rfc7413_fast_open, a_cookie_that_nobody_asked_for_is_not_kept) {
  script t{fast(tcp::fast_open_use::without_cookie)};
  opens_with(t, 10);
  t.sends("S 0:10(10) <" + plain + ">");
  t.arrives("S. 0:0(0) ack 11 win 65535 <mss 940,FO 0123456789ab>");
  t.sends(". 11:11(0) ack 1");
  next(t);
  opens_with(t, 2000);
  t.sends("S 0:900(900) <" + plain + ">");  // the MSS is
  next(t);
  tcp::open_options o;
  o.remote = {*address::parse("198.51.100.1"), 40000};
  o.fast_open = tcp::fast_open_use::on;
  struct : tcp::user {
    void on_events(tcp::events) override {}
  } nobody;
  const auto opened = t.tcp().open(o, nobody, t.now());
  ASSERT_TRUE(opened);
  EXPECT_EQ(t.takes_sent()->options.fast_open, wire::fast_open{}) << "it asks";
  t.tcp().release(**opened, t.now());
}

TEST(rfc7413_fast_open, can_be_told_to_forget) {
  auto t = with_cookie();
  t.tcp().forget_fast_opens();
  opens_with(t, 10);
  t.sends("S 0:0(0) <" + plain + ",FO>");
}

TEST(rfc7413_fast_open, remembers_the_servers_used_last) {  // §4.1.3
  tcp::fast_open_cache cache{{1, 2, 3}};
  const auto to = [](std::uint8_t last, std::uint16_t port = 1) {
    return four_tuple{{address::v4(198, 51, 100, 2), 5}, {address::v4(198, 51, 100, last), port}};
  };
  for (std::uint8_t i = 1; i <= 4; ++i) cache.at(to(i), 4).mss = i;
  EXPECT_EQ(cache.at(to(1), 4).mss, 1);
  cache.at(to(5), 4).mss = 5;
  EXPECT_EQ(cache.size(), 4u);
  EXPECT_FALSE(cache.find(to(2))) << "used least lately";
  ASSERT_TRUE(cache.find(to(1, 99))) << "a port is of no account";
  EXPECT_EQ(cache.find(to(1))->mss, 1);
  EXPECT_EQ(cache.find(to(5))->mss, 5);
}

}  // namespace
}  // namespace tunic::test
