#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/address.hpp"
#include "stack/base/counters.hpp"
#include "stack/base/result.hpp"
#include "stack/wire/bytes.hpp"

namespace tunic::wire {

/// RFC 8200 §4.5.
struct ipv6_fragment {
  static constexpr std::size_t size = 8;

  std::uint16_t offset = 0;  ///< octets, a multiple of 8
  bool more = false;
  std::uint32_t id = 0;
};

/// RFC 8200 §3, with what its chain of extension headers says. Hop-by-hop and destination options that may be skipped,
/// routing headers with no segments left and fragment headers of a whole datagram (RFC 6946) are skipped when read and
/// never written.
struct ipv6_header {
  static constexpr std::size_t min_size = 40;

  std::uint8_t traffic_class = 0;
  std::uint32_t flow_label = 0;
  std::uint16_t payload_length = 0;  ///< octets behind the 40 of the fixed header
  std::uint8_t hop_limit = 64;
  address source{};
  address destination{};
  std::uint16_t header_length = min_size;   ///< octets up to the transport header or the fragment's text
  std::uint8_t protocol = 0;                ///< the transport's number: the last "next header"
  std::optional<ipv6_fragment> fragment{};  ///< of a datagram in more than one piece
  std::uint16_t next_header_offset = 6;     ///< where `protocol` stands: what an ICMP parameter problem names
};

/// Reads and verifies a header and its extension headers. Octets beyond payload_length may follow. IPv4-mapped
/// addresses are refused: `address` would take them for version 4. Unknown extension headers and protocols are left in
/// `protocol` for the caller to refuse.
result<ipv6_header, drop> parse_ipv6(octets datagram);
/// Writes 40 octets, or 48 with a fragment header, which `payload_length` counts too; `to` must have room.
void emit_ipv6(const ipv6_header& h, writable_octets to);

}  // namespace tunic::wire
