#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "stack/stack.hpp"

namespace tunic {

/// An interface's address with its prefix, as a value or as text: "198.51.100.2/24". Text that is neither IPv4 nor IPv6
/// throws std::invalid_argument.
struct prefix_option {
  prefix_option(const prefix& p) : value(p) {}
  prefix_option(std::string_view text);
  prefix_option(const std::string& text) : prefix_option(std::string_view{text}) {}
  prefix_option(const char* text) : prefix_option(std::string_view{text}) {}
  prefix value;
};

/// An address, as a value or as text; throws as prefix_option does.
struct address_option {
  address_option(const address& a) : value(a) {}
  address_option(std::string_view text);
  address_option(const std::string& text) : address_option(std::string_view{text}) {}
  address_option(const char* text) : address_option(std::string_view{text}) {}
  address value;
};

constexpr duration longest_busy_poll = std::chrono::seconds{1};

struct host_options {
  std::optional<prefix_option> address = {};   ///< ours; an address without "/" reaches only itself and the gateway's
  std::vector<prefix_option> addresses = {};   ///< more of ours, of either version
  std::optional<address_option> gateway = {};  ///< makes every destination of its version reachable
  std::vector<address_option> gateways = {};   ///< more; at most one a version, all together
  bool any_address = false;                    ///< take what is sent to any destination (tunnels, transparent proxies)
  std::size_t mtu = 0;                         ///< octets, 68 (IPv6: 1,280) up to the device's; 0: the device's
  std::uint8_t hop_limit = 64;                 ///< of what is sent
  tcp::config tcp = {};
  std::optional<secret> key =
      {};  ///< 16 octets that nobody can guess; drawn from the system where not given (RFC 6528 §4)
  tcp::observer* observer = nullptr;  ///< must outlive the host
  /// Told when the device fails, and with no error when it works again. The host tries it once a second meanwhile.
  std::function<void(std::error_code)> on_device = {};
  /// Another clock than std::chrono::steady_clock, for virtual time. The host then sets no timer: whoever moves the
  /// clock calls host::wake(), and host::next_deadline() says how far it may jump.
  std::function<instant()> clock = {};
  /// How long after a packet the host goes on looking for the next one before it sleeps, 0 to longest_busy_poll: that
  /// saves the next one the time that waking up takes, and costs the processor meanwhile. 0: it sleeps at once. A
  /// `clock` that stands still while it is read never ends the looking.
  duration busy_poll = {};
  /// Other hosts have the same addresses, each on a queue of its own of one device (drivers::open_queues). Give all of
  /// them the same key, since a cookie of one may come back to another. Segments in fragments are then dropped.
  bool one_of_several = false;
};

/// What a stack is told. Throws std::invalid_argument, whose what() says what to change.
stack_config to_config(const host_options& o, const device& d);

}  // namespace tunic
