#pragma once

#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/base/counters.hpp"
#include "stack/base/result.hpp"
#include "stack/wire/bytes.hpp"

namespace tunic::wire {

/// IP protocol numbers that we speak (IANA).
enum class protocol : std::uint8_t { icmp = 1, tcp = 6, udp = 17, icmpv6 = 58 };
constexpr std::uint8_t number(protocol p) {
  return static_cast<std::uint8_t>(p);
}

/// RFC 791 §3.1. Options are skipped when read and never written.
struct ipv4_header {
  static constexpr std::size_t min_size = 20;

  std::uint8_t header_length = min_size;  ///< octets, 20 to 60
  std::uint8_t tos = 0;                   ///< DSCP and ECN (RFC 2474, 3168)
  std::uint16_t total_length = 0;         ///< octets, header and text
  std::uint16_t id = 0;
  bool dont_fragment = false;
  bool more_fragments = false;
  std::uint16_t fragment_offset = 0;  ///< octets, a multiple of 8
  std::uint8_t ttl = 64;
  std::uint8_t protocol = 0;
  address source{};
  address destination{};

  [[nodiscard]] bool is_fragment() const { return more_fragments || fragment_offset != 0; }
};

/// Reads and verifies a header (version, lengths against what is there, checksum). Octets beyond total_length may
/// follow.
result<ipv4_header, drop> parse_ipv4(octets datagram);
/// Writes the 20 octets with their checksum; `to` must have room.
void emit_ipv4(const ipv4_header& h, writable_octets to);

}  // namespace tunic::wire
