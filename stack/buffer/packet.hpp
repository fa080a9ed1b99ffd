#pragma once

#include <cstdint>

#include "stack/buffer/slice.hpp"

namespace tunic {

/// What is known of a received datagram's transport checksum.
enum class checksum_state : std::uint8_t {
  unknown,  ///< to be verified
  good,     ///< the device has verified it
  partial,  ///< it never crossed a wire: the field holds the pseudo-header's sum only, and the octets are good
};

/// A received IP datagram with what its device said about it.
struct packet {
  slice octets;                    ///< from the IP header on; empty where nothing was received
  std::uint16_t segment_size = 0;  ///< a super-segment: it stands for segments of this many octets of text each; else 0
  checksum_state checksum = checksum_state::unknown;

  explicit operator bool() const { return !octets.empty(); }
};

}  // namespace tunic
