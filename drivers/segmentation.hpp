#pragma once

#include <cstdint>
#include <optional>

#include "stack/wire/bytes.hpp"

namespace tunic::drivers {

/// Where the parts of a TCP or UDP datagram begin, in octets from its start.
struct transport_layout {
  bool ipv6 = false;
  bool tcp = false;                   ///< else UDP
  std::uint16_t transport = 0;        ///< the TCP or UDP header
  std::uint16_t text = 0;             ///< what follows it
  std::uint32_t end = 0;              ///< the end of the datagram by its IP header
  std::uint16_t checksum_offset = 0;  ///< of the checksum field in the transport header
};

/// Nothing where the datagram is malformed, a fragment, or neither TCP nor UDP.
std::optional<transport_layout> layout_of(wire::octets datagram);

/// Makes of `header`, a copy of a super-segment's headers, those of its segment number `index`, as a network interface
/// does: lengths, IPv4 identification, sequence number and flags are the segment's own, the checksum is left partial.
/// `segment_size` counts the octets of text in each segment but the last, `text_size` those in this one.
void cut_header(wire::writable_octets header, const transport_layout& layout, std::uint32_t index,
                std::uint16_t segment_size, std::uint32_t text_size, bool last);

/// Finishes a partial checksum: `header` are the headers, where the field holds the pseudo-header's sum, `text` the
/// rest.
void finish_checksum(wire::writable_octets header, const transport_layout& layout, wire::octets text);

}  // namespace tunic::drivers
