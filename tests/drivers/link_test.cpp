#include "drivers/link.hpp"

#include <algorithm>
#include <system_error>

#include "drivers/tun.hpp"
#include "tests/drivers/network_namespace.hpp"

namespace tunic::drivers {
namespace {

using namespace test;

prefix p(const char* text) {
  return *prefix::parse(text);
}

class link : public network_namespace {
 protected:
  /// A machine with an interface of its own, here a TUN device too, and a device for a stack.
  void SetUp() override {
    network_namespace::SetUp();
    if (IsSkipped()) return;
    machine.emplace(tun_options{.name = "eth0"});
    bring_link_up("eth0");
    add_link_address("eth0", p("198.51.100.1/25"));
    add_link_address("eth0", p("2001:db8::1/64"));
    device.emplace(tun_options{});
    bring_link_up("tun0");
  }
  std::optional<tun> machine;
  std::optional<tun> device;
};

TEST_F(link, lists_addresses_and_routes_of_both_families) {
  const auto addresses = link_addresses();
  const auto has_address = [&](const char* name, const char* text) {
    return std::any_of(addresses.begin(), addresses.end(),
                       [&](const link_address& a) { return a.link == name && a.address == p(text); });
  };
  EXPECT_TRUE(has_address("eth0", "198.51.100.1/25"));
  EXPECT_TRUE(has_address("eth0", "2001:db8::1/64"));
  const auto routes = link_routes();
  const auto has_route = [&](const char* name, const char* text) {
    return std::any_of(routes.begin(), routes.end(),
                       [&](const link_route& r) { return r.link == name && r.destination == p(text); });
  };
  EXPECT_TRUE(has_route("eth0", "198.51.100.0/25"));
  EXPECT_TRUE(has_route("eth0", "2001:db8::/64"));
  EXPECT_TRUE(
      std::none_of(routes.begin(), routes.end(), [](const link_route& r) { return r.destination.length == 0; }));
}

TEST_F(link, knows_whose_an_address_is) {
  EXPECT_EQ(link_of(p("198.51.100.1").address), "eth0");
  EXPECT_EQ(link_of(p("2001:db8::1").address), "eth0");
  EXPECT_EQ(link_of(p("198.51.100.2").address), std::nullopt);
}

TEST_F(link, refuses_a_prefix_that_another_link_uses) {
  for (const char* text :
       {"198.51.100.1/25", "198.51.100.2/32", "198.51.100.200/24", "2001:db8::2/64", "2001:db8::5/48"}) {
    EXPECT_TRUE(conflict(p(text), "tun0")) << text;
    try {
      add_link_address("tun0", p(text));
      ADD_FAILURE() << text << " was taken";
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code().value(), EADDRINUSE);
      EXPECT_NE(std::string{e.what()}.find("eth0"), std::string::npos) << e.what();
    }
  }
}

TEST_F(link, takes_a_prefix_that_is_free_and_is_content_to_find_it_there) {
  for (const char* text : {"198.51.100.129/25", "2001:db8:0:1::1/64"}) {
    EXPECT_FALSE(conflict(p(text), "tun0")) << text;
    add_link_address("tun0", p(text));
    add_link_address("tun0", p(text));
    EXPECT_EQ(link_of(p(text).address), "tun0");
    EXPECT_FALSE(conflict(p(text), "tun0")) << "its own is no conflict";
    EXPECT_TRUE(conflict(p(text), "eth0"));
  }
  const auto routes = link_routes();
  EXPECT_TRUE(std::any_of(routes.begin(), routes.end(), [](const link_route& r) {
    return r.link == "tun0" && r.destination == p("198.51.100.128/25");
  }));
}

TEST_F(link, never_makes_a_default_route) {
  EXPECT_THROW(add_link_address("tun0", p("198.51.100.129/0")), std::system_error);
  EXPECT_EQ(link_of(p("198.51.100.129").address), std::nullopt);
}

TEST_F(link, names_a_link_that_is_not_there) {
  EXPECT_THROW(bring_link_up("tun9"), std::system_error);
  EXPECT_THROW((void)link_mtu("tun9"), std::system_error);
  EXPECT_THROW(add_link_address("tun9", p("198.51.100.129/25")), std::system_error);
}

}  // namespace
}  // namespace tunic::drivers
