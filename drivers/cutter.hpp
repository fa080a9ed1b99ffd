#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "drivers/segmentation.hpp"
#include "stack/wire/bytes.hpp"

namespace tunic::drivers {

/// Makes of a datagram as a device with offload carries it the datagrams that would cross a wire: super-segments are
/// cut, checksums finished.
class cutter {
 public:
  /// Begins with a datagram, which stays as it is until next() has no more of it. `segment_size` counts the octets of
  /// text in each segment; 0 where it is not to be cut.
  void begin(wire::octets datagram, std::uint16_t segment_size, bool partial_checksum);
  /// The next piece, which stays until the call after this one; empty where there is no more. What is malformed leaves
  /// as it came.
  wire::octets next();

 private:
  wire::octets datagram_;
  std::optional<transport_layout> layout_;  // none where it leaves as it is
  std::uint16_t segment_size_ = 0;
  std::uint32_t at_ = 0;  // where the next piece's text begins
  std::uint32_t index_ = 0;
  std::vector<std::byte> piece_;
};

}  // namespace tunic::drivers
