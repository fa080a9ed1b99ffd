#include "drivers/link.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <span>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <thread>

#include "drivers/failure.hpp"
#include "drivers/netlink.hpp"

namespace tunic::drivers {

namespace {

[[noreturn]] void fail_to_manage(int number, const std::string& sentence) {
  const bool right = number == EPERM || number == EACCES;
  fail(number, sentence + (right ? " (it needs CAP_NET_ADMIN)" : ""));
}

ifreq request_for(const std::string& link) {
  if (link.empty() || link.size() >= IFNAMSIZ) fail_to_manage(ENODEV, "'" + link + "' is no network interface");
  ifreq request{};
  link.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

void control(unsigned long what, ifreq& request, const std::string& sentence) {
  const file_descriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket || ::ioctl(socket.get(), what, &request) != 0) fail_to_manage(errno, sentence);
}

short flags_of(const std::string& link) {
  ifreq request = request_for(link);
  control(SIOCGIFFLAGS, request, "cannot read the state of " + link);
  return request.ifr_flags;
}

std::string name_of(int index) {
  char name[IFNAMSIZ] = {};
  return ::if_indextoname(static_cast<unsigned>(index), name) ? name : "";
}

address address_of(const netlink::attribute& a) {
  std::array<std::uint8_t, 16> octets{};
  std::memcpy(octets.data(), a.octets.data(), std::min(a.octets.size(), octets.size()));
  if (a.octets.size() == 4) return address::v4(octets[0], octets[1], octets[2], octets[3]);
  return address::v6(octets);
}

bool overlap(const prefix& a, const prefix& b) {
  return a.address.family() == b.address.family() && (a.contains(b.address) || b.contains(a.address));
}

}  // namespace

bool link_exists(const std::string& link) {
  return ::if_nametoindex(link.c_str()) != 0;
}

bool link_is_up(const std::string& link) {
  return (flags_of(link) & IFF_UP) != 0;
}

std::size_t link_mtu(const std::string& link) {
  ifreq request = request_for(link);
  control(SIOCGIFMTU, request, "cannot read the MTU of " + link);
  return static_cast<std::size_t>(request.ifr_mtu);
}

void set_link_mtu(const std::string& link, std::size_t mtu) {
  ifreq request = request_for(link);
  request.ifr_mtu = static_cast<int>(mtu);
  control(SIOCSIFMTU, request, "cannot set the MTU of " + link + " to " + std::to_string(mtu));
}

void bring_link_up(const std::string& link) {
  const short flags = flags_of(link);
  if ((flags & IFF_UP) != 0) return;
  ifreq request = request_for(link);
  request.ifr_flags = static_cast<short>(flags | IFF_UP);
  control(SIOCSIFFLAGS, request, "cannot bring " + link + " up");
}

void await_link(const std::string& link) {
  constexpr std::chrono::milliseconds pause{2}, most{2000};
  for (std::chrono::milliseconds waited{}; waited < most; waited += pause) {
    const short flags = flags_of(link);
    if ((flags & IFF_UP) == 0 || (flags & IFF_RUNNING) != 0) return;
    std::this_thread::sleep_for(pause);
  }
}

std::optional<unsigned> attached_queues(const std::string& link) {
  std::optional<unsigned> queues;
  const auto index = static_cast<int>(::if_nametoindex(link.c_str()));
  netlink{}.dump(RTM_GETLINK, ifinfomsg{}, [&](const ifinfomsg& m, const netlink::attributes& attributes) {
    const netlink::attribute* const about = m.ifi_index == index ? attributes.find(IFLA_LINKINFO) : nullptr;
    if (!about) return;
    const auto kind = netlink::parse(about->octets);
    const netlink::attribute* const data = kind.find(IFLA_INFO_DATA);
    if (!data) return;
    const auto of_tun = netlink::parse(data->octets);
    std::uint32_t number = 0;
    const netlink::attribute* const count = of_tun.find(IFLA_TUN_NUM_QUEUES);
    if (!count || count->octets.size() < sizeof number) return;
    std::memcpy(&number, count->octets.data(), sizeof number);
    queues = number;
  });
  return queues;
}

std::vector<link_address> link_addresses() {
  std::vector<link_address> all;
  netlink{}.dump(RTM_GETADDR, ifaddrmsg{}, [&](const ifaddrmsg& m, const netlink::attributes& attributes) {
    // IFA_ADDRESS is the peer's on a point-to-point link, where IFA_LOCAL is given too.
    const netlink::attribute* a = attributes.find(IFA_LOCAL);
    if (!a) a = attributes.find(IFA_ADDRESS);
    if (a) all.push_back({name_of(static_cast<int>(m.ifa_index)), {address_of(*a), m.ifa_prefixlen}});
  });
  return all;
}

std::vector<link_route> link_routes() {
  std::vector<link_route> all;
  netlink{}.dump(RTM_GETROUTE, rtmsg{}, [&](const rtmsg& m, const netlink::attributes& attributes) {
    const netlink::attribute* destination = attributes.find(RTA_DST);
    if (m.rtm_table != RT_TABLE_MAIN || m.rtm_dst_len == 0 || !destination || (m.rtm_flags & RTM_F_CLONED) != 0) return;
    const prefix p{address_of(*destination), m.rtm_dst_len};
    if (p.address.is_link_local()) return;
    int index = 0;
    if (const netlink::attribute* out = attributes.find(RTA_OIF)) std::memcpy(&index, out->octets.data(), sizeof index);
    all.push_back({index != 0 ? name_of(index) : "", p});
  });
  return all;
}

std::optional<std::string> link_of(const address& a) {
  for (const link_address& there : link_addresses())
    if (there.address.address == a) return there.link;
  return {};
}

std::optional<std::string> conflict(const prefix& p, std::string_view link) {
  const auto overlaps = [&](const std::string& other, const prefix& there) {
    return other != link && !there.address.is_link_local() && overlap(p, there);
  };
  for (const link_address& a : link_addresses())
    if (overlaps(a.link, a.address))
      return p.to_string() + " overlaps the address " + a.address.to_string() + " of " + a.link +
             "; choose a prefix that the machine does not use";
  for (const link_route& r : link_routes())
    if (overlaps(r.link, r.destination))
      return p.to_string() + " overlaps the route to " + r.destination.to_string() +
             (r.link.empty() ? "" : " through " + r.link) + "; choose a prefix that the machine does not use";
  return {};
}

void add_link_address(const std::string& link, const prefix& p) {
  const std::string sentence = "cannot give " + link + " the address " + p.to_string();
  if (p.length == 0) fail_to_manage(EINVAL, sentence + ": it would be a default route");
  if (const auto why = conflict(p, link)) fail_to_manage(EADDRINUSE, sentence + ": " + *why);
  ifaddrmsg m{};
  m.ifa_family = p.address.is_v4() ? AF_INET : AF_INET6;
  m.ifa_prefixlen = static_cast<std::uint8_t>(p.length);
  m.ifa_flags = IFA_F_NODAD;  // nobody else can have it: the other end is in a process, and does not answer for it
  m.ifa_index = ::if_nametoindex(link.c_str());
  if (m.ifa_index == 0) fail_to_manage(errno, "there is no network interface " + link);
  const auto octets = p.address.wire_octets();
  const netlink::attribute own[] = {{IFA_LOCAL, std::as_bytes(octets)}, {IFA_ADDRESS, std::as_bytes(octets)}};
  const int number = netlink{}.request(RTM_NEWADDR, m, own);
  if (number != 0 && number != EEXIST) fail_to_manage(number, sentence);
}

}  // namespace tunic::drivers
