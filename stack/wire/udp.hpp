#pragma once

#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/base/counters.hpp"
#include "stack/base/result.hpp"
#include "stack/buffer/packet.hpp"
#include "stack/wire/bytes.hpp"

namespace tunic::wire {

/// RFC 768.
struct udp_header {
  static constexpr std::size_t size = 8;

  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint16_t length = size;  ///< octets, header and text
};

/// Reads a header; verifies the length against the octets given and, where `state` is unknown, the checksum. A checksum
/// of zero is absent: allowed in version 4, refused in version 6 (RFC 8200 §8.1).
result<udp_header, drop> parse_udp(octets datagram, const address& source, const address& destination,
                                   checksum_state state);
/// Writes the 8 octets with a checksum field of zero; `to` must have room.
void emit_udp(const udp_header& h, writable_octets to);

}  // namespace tunic::wire
