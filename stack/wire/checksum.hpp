#pragma once

#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/wire/bytes.hpp"

namespace tunic::wire {

/// The Internet checksum (RFC 1071), added up piece by piece. A piece may begin at an odd offset of the whole.
class checksum {
 public:
  /// Adds the next octets of the data.
  void add(octets piece);
  void add16(std::uint16_t v) { sum_ += v; }
  /// The pseudo-header of TCP, UDP (RFC 9293 §3.1) and ICMPv6 (RFC 8200 §8.1); `length` is that of the transport header
  /// and text.
  void add_pseudo_header(const address& source, const address& destination, std::uint8_t protocol,
                         std::uint32_t length);

  /// The folded one's complement sum, not inverted: what a partial checksum's field holds.
  [[nodiscard]] std::uint16_t partial() const;
  /// The value of the checksum field. 0 where the sum ran over a field that was already right.
  [[nodiscard]] std::uint16_t finish() const { return static_cast<std::uint16_t>(~partial()); }

 private:
  std::uint64_t sum_ = 0;
  bool odd_ = false;  // the next octet is the low half of a 16-bit word
};

}  // namespace tunic::wire
