#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/address.hpp"

namespace tunic::drivers {

// The kernel's side of a device: what `ip link`, `ip address` and `ip route` do, by system calls, in the calling
// thread's network namespace. What changes something needs CAP_NET_ADMIN; all throw std::system_error with a sentence.

/// An address of the machine, with the prefix of its link.
struct link_address {
  std::string link;
  prefix address;
};

/// A route of the main table.
struct link_route {
  std::string link;  ///< empty where it leads nowhere (unreachable, blackhole)
  prefix destination;
};

[[nodiscard]] bool link_exists(const std::string& link);
[[nodiscard]] bool link_is_up(const std::string& link);
[[nodiscard]] std::size_t link_mtu(const std::string& link);
void set_link_mtu(const std::string& link, std::size_t mtu);
void bring_link_up(const std::string& link);
/// Waits until the kernel sends through a link that is up: it takes up to a second to notice that somebody has attached
/// to a TUN device, and loses what it has for it until then. At most two seconds; at once where the link is down.
void await_link(const std::string& link);
/// How many queues of a TUN device are attached to, by whomever; nothing where it has a single one, or is none.
[[nodiscard]] std::optional<unsigned> attached_queues(const std::string& link);

/// The machine's addresses, all of both families.
[[nodiscard]] std::vector<link_address> link_addresses();
/// The machine's routes but for default routes and those of link-local prefixes.
[[nodiscard]] std::vector<link_route> link_routes();

/// Which link of the machine has this address. A stack must not take one that the kernel answers for.
[[nodiscard]] std::optional<std::string> link_of(const address& a);
/// Why `p` cannot be the prefix of the device `link`: another link has an address or a route that overlaps it. A
/// sentence, or nothing where it can.
[[nodiscard]] std::optional<std::string> conflict(const prefix& p, std::string_view link);

/// Gives `link` an address of the kernel's, and with it the route to its prefix; does nothing where it is there. A
/// conflict is refused with EADDRINUSE, a prefix of length 0 with EINVAL: that would be a default route.
void add_link_address(const std::string& link, const prefix& p);

}  // namespace tunic::drivers
