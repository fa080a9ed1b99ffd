#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/address.hpp"
#include "stack/base/time.hpp"

namespace tunic::ip {

/// A destination that leaves through the device. A TUN link has no neighbours to resolve, so the gateway only
/// documents.
struct route {
  prefix destination;
  std::optional<address> gateway;
};

/// Every limit is a number with its reason; the defaults are safe on an open network.
struct config {
  std::vector<prefix> addresses;  ///< ours; each also makes its prefix reachable
  std::vector<route> routes;      ///< besides those of the addresses
  std::vector<address> gateways;  ///< at most one a version: makes every destination of that version reachable
  bool any_address = false;       ///< take datagrams for every destination, and reach every one
  std::uint8_t hop_limit = 64;    ///< of what we send (RFC 1700's recommended default)
  std::size_t mtu = 1500;         ///< octets; the device's

  /// Whether segments of TCP may come in fragments. Not where several stacks have our addresses: nothing in a fragment
  /// tells which of them has the connection, and another one would reset it.
  bool tcp_fragments = true;
  std::size_t reassembly_octets = 1u << 20;                ///< held in unfinished datagrams, all together
  std::size_t reassembly_datagrams = 64;                   ///< unfinished at once; they are searched one by one
  duration reassembly_timeout = std::chrono::seconds{30};  ///< Linux's; RFC 8200 §4.5 allows 60 s
  std::size_t transmit_queue = 64;                         ///< UDP and ICMP datagrams waiting for the device
  unsigned icmp_errors_per_second = 100;                   ///< sent; RFC 4443 §2.4 (f) asks for a limit
  unsigned icmp_errors_burst = 50;
  duration path_mtu_lifetime = std::chrono::minutes{10};  ///< RFC 1191 §6.3, RFC 8201 §4
  std::size_t path_mtus = 1024;                           ///< destinations remembered; the oldest goes first
};

}  // namespace tunic::ip
