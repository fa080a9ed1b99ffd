#include "tests/drivers/network_namespace.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace tunic::drivers::test {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::system_category(), what};
}

}  // namespace

void network_namespace::SetUp() {
  const std::string user = std::to_string(::getuid()), group = std::to_string(::getgid());
  if (::unshare(CLONE_NEWNET) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
      GTEST_SKIP() << "NOT CHECKED: neither a network nor a user namespace is permitted here: " << std::strerror(errno);
    std::ofstream{"/proc/self/setgroups"} << "deny";
    std::ofstream{"/proc/self/uid_map"} << "0 " << user << " 1";
    std::ofstream{"/proc/self/gid_map"} << "0 " << group << " 1";
  }
  if (!file_descriptor{::open("/dev/net/tun", O_RDWR | O_CLOEXEC)})
    GTEST_SKIP() << "NOT CHECKED: /dev/net/tun cannot be opened here: " << std::strerror(errno);
}

void make_persistent(const std::string& name, int flags) {
  const file_descriptor fd{::open("/dev/net/tun", O_RDWR | O_CLOEXEC)};
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(flags);
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) fail("TUNSETIFF");
  if (::ioctl(fd.get(), TUNSETPERSIST, 1) != 0) fail("TUNSETPERSIST");
}

void delete_link(const std::string& name) {
  struct {
    nlmsghdr head{};
    ifinfomsg link{};
  } request;
  request.head = {sizeof request, RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, 0, 0};
  request.link.ifi_index = static_cast<int>(::if_nametoindex(name.c_str()));
  struct {
    nlmsghdr head;
    int error;
    char rest[1024];
  } answer{};
  const file_descriptor socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  if (::send(socket.get(), &request, sizeof request, 0) < 0) fail("netlink");
  if (::recv(socket.get(), &answer, sizeof answer, 0) < 0) fail("netlink");
  errno = -answer.error;
  if (answer.error != 0) fail("cannot delete the link");
}

file_descriptor kernel_udp(std::uint16_t port) {
  file_descriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_port = htons(port);
  ::inet_pton(AF_INET, "198.51.100.1", &here.sin_addr);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) fail("bind");
  return socket;
}

void send_to_us(const file_descriptor& socket, std::uint16_t port, const std::string& text) {
  sockaddr_in there{};
  there.sin_family = AF_INET;
  there.sin_port = htons(port);
  ::inet_pton(AF_INET, "198.51.100.2", &there.sin_addr);
  if (::sendto(socket.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&there), sizeof there) < 0)
    fail("sendto");
}

bool wait_readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 5000) == 1;
}

}  // namespace tunic::drivers::test
