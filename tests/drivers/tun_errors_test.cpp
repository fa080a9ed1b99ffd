#include <linux/capability.h>
#include <linux/if_tun.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "drivers/link.hpp"
#include "drivers/tun.hpp"
#include "tests/drivers/network_namespace.hpp"

namespace tunic::drivers {
namespace {

using namespace test;

class tun_errors : public network_namespace {
 protected:
  /// What the constructor says, or "" where it does not throw.
  static std::string sentence_of(const std::string& name) {
    try {
      tun device{{.name = name}};
    } catch (const std::system_error& e) {
      return e.what();
    }
    return "";
  }
  static void expect(const std::string& sentence, const std::string& part) {
    EXPECT_NE(sentence.find(part), std::string::npos) << "'" << sentence << "' lacks '" << part << "'";
  }
};

/// Takes CAP_NET_ADMIN out of the thread's effective rights for a while.
class without_net_admin {
 public:
  without_net_admin() {
    ::syscall(SYS_capget, &head_, before_);
    __user_cap_data_struct less[2] = {before_[0], before_[1]};
    less[0].effective &= ~(1u << CAP_NET_ADMIN);
    ::syscall(SYS_capset, &head_, less);
  }
  ~without_net_admin() { ::syscall(SYS_capset, &head_, before_); }

 private:
  __user_cap_header_struct head_{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct before_[2]{};
};

TEST_F(tun_errors, name_the_three_ways_to_permission) {
  const without_net_admin less;
  const std::string sentence = sentence_of("tun0");
  expect(sentence, "tun0");
  expect(sentence, "not permitted");
  expect(sentence, "setcap cap_net_admin+ep");
  expect(sentence, "ip tuntap add dev NAME mode tun user");
  expect(sentence, "unshare -Urn");
}

TEST_F(tun_errors, say_that_a_name_is_in_use) {
  tun first{{.name = "tun0"}};
  const std::string sentence = sentence_of("tun0");
  expect(sentence, "tun0 is in use by another process");
  expect(sentence, "choose another name");
}

TEST_F(tun_errors, tell_a_tap_device_from_a_tun_device) {
  make_persistent("tap0", IFF_TAP | IFF_NO_PI);
  expect(sentence_of("tap0"), "tap0 is a TAP device");
}

TEST_F(tun_errors, tell_another_interface_from_a_tun_device) {
  expect(sentence_of("lo"), "lo is a network interface");
}

TEST_F(tun_errors, refuse_what_cannot_be_a_name) {
  for (const char* name : {"", "sixteen-letters!", "a/b", "a b", "..", "tun%d", "a:b"})
    expect(sentence_of(name), "cannot name a TUN device");
}

TEST_F(tun_errors, refuse_an_mtu_out_of_range) {
  EXPECT_THROW((tun{{.mtu = 67}}), std::system_error);
  EXPECT_THROW((tun{{.mtu = 65536}}), std::system_error);
  EXPECT_FALSE(link_exists("tun0"));
}

TEST_F(tun_errors, an_mtu_that_may_not_be_set_binds_us_alone) {
  make_persistent("tun0", IFF_TUN | IFF_NO_PI);
  const without_net_admin less;
  std::string said;
  tun device{{.mtu = 1280, .log = [&](std::string_view s) { said += s; }}};
  EXPECT_EQ(device.mtu(), 1280u);
  EXPECT_EQ(link_mtu("tun0"), 1500u);
  expect(said, "not permitted to set the MTU");
}

}  // namespace
}  // namespace tunic::drivers
