#include <gtest/gtest.h>

#include "tests/ip/host.hpp"

namespace tunic::test {
namespace {

std::string source(const host& h, const char* destination) {
  const auto a = h.ip.source_for(at(destination));
  return a ? a->to_string() : "none";
}

TEST(routes, reach_what_their_prefixes_cover) {
  ip::config c = dual_stack();
  c.routes = {{net("203.0.113.0/25"), peer4}, {net("2001:db8:5::/48"), std::nullopt}};
  host h{c};
  for (const char* a : {"198.51.100.1", "198.51.100.200", "203.0.113.127", "2001:db8::77", "2001:db8:5:9::1"})
    EXPECT_TRUE(h.ip.reachable(at(a))) << a;
  for (const char* a : {"203.0.113.128", "198.51.101.1", "2001:db8:6::1", "0.0.0.0", "::", "127.0.0.1", "::1"})
    EXPECT_FALSE(h.ip.reachable(at(a))) << a;
}

TEST(routes, reach_everything_of_the_version_through_a_gateway) {
  ip::config c = dual_stack();
  c.gateways = {peer4};
  host h{c};
  EXPECT_TRUE(h.ip.reachable(at("203.0.113.128")));
  EXPECT_FALSE(h.ip.reachable(at("2001:db8:6::1")));
  EXPECT_FALSE(h.ip.reachable(at("0.0.0.0")));
  EXPECT_FALSE(h.ip.reachable(at("127.0.0.1")));
}

TEST(routes, choose_the_source_of_the_longest_prefix) {
  ip::config c;
  c.addresses = {net("198.51.100.2/24"), net("198.51.100.130/25"), net("203.0.113.1/24"),
                 net("fe80::2/64"),      net("2001:db8::2/64"),    net("2001:db8::1:2/112")};
  c.gateways = {peer4, peer6};
  host h{c};
  EXPECT_EQ(source(h, "198.51.100.1"), "198.51.100.2");
  EXPECT_EQ(source(h, "198.51.100.129"), "198.51.100.130");
  EXPECT_EQ(source(h, "203.0.113.200"), "203.0.113.1");
  EXPECT_EQ(source(h, "192.0.0.9"), "198.51.100.2") << "the first where none is nearer";
  EXPECT_EQ(source(h, "2001:db8::9"), "2001:db8::2");
  EXPECT_EQ(source(h, "2001:db8::1:9"), "2001:db8::1:2");
  EXPECT_EQ(source(h, "2001:db8:9::9"), "2001:db8::2") << "not the link-local one";
  EXPECT_EQ(source(h, "fe80::1"), "fe80::2");
}

TEST(routes, have_no_source_for_what_they_do_not_reach) {
  ip::config c;
  c.addresses = {net("198.51.100.2/24")};
  c.routes = {{net("2001:db8::/64"), std::nullopt}};
  host h{c};
  EXPECT_EQ(source(h, "203.0.113.1"), "none");
  EXPECT_EQ(source(h, "2001:db8::1"), "none") << "reachable, but we have no address of that version";
}

TEST(routes, know_our_addresses) {
  ip::config c = dual_stack();
  c.addresses.push_back(net("203.0.113.7/32"));
  host h{c};
  for (const char* a : {"198.51.100.2", "2001:db8::2", "203.0.113.7"}) EXPECT_TRUE(h.ip.is_ours(at(a))) << a;
  for (const char* a : {"198.51.100.1", "2001:db8::1", "203.0.113.8", "0.0.0.0", "::"})
    EXPECT_FALSE(h.ip.is_ours(at(a))) << a;
}

TEST(routes, give_a_link_of_two_hosts_no_broadcast_address) {  // RFC 3021
  ip::config c;
  c.addresses = {net("198.51.100.2/31")};
  host h{c};
  EXPECT_FALSE(is_empty(h.receive(datagram(at("198.51.100.3"), ours4, wire::protocol::udp, pattern(8)))));
}

}  // namespace
}  // namespace tunic::test
