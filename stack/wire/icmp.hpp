#pragma once

#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/base/counters.hpp"
#include "stack/base/result.hpp"
#include "stack/wire/bytes.hpp"

namespace tunic::wire {

/// The ICMP messages that we speak, named once for both versions (RFC 792, RFC 4443).
enum class icmp_kind : std::uint8_t {
  echo_request,
  echo_reply,
  destination_unreachable,
  packet_too_big,  ///< RFC 1191's "fragmentation needed" in version 4
  time_exceeded,
  parameter_problem,
  other,
};

/// What a destination is unreachable for; the other codes are `other`.
enum class unreachable_code : std::uint8_t { network, host, protocol, port, prohibited, other };

struct icmp_header {
  static constexpr std::size_t size = 8;

  icmp_kind kind = icmp_kind::other;
  std::uint8_t type = 0;   ///< as on the wire; emit derives it from `kind` where that is not `other`
  std::uint8_t code = 0;   ///< as on the wire
  std::uint32_t rest = 0;  ///< the second word: identifier and sequence of an echo, the MTU, a pointer

  [[nodiscard]] std::uint16_t identifier() const { return static_cast<std::uint16_t>(rest >> 16); }
  [[nodiscard]] std::uint16_t sequence() const { return static_cast<std::uint16_t>(rest); }
  /// Of a packet_too_big: the next hop's MTU; 0 where an old router did not say.
  [[nodiscard]] std::uint32_t mtu(family f) const { return f == family::v4 ? rest & 0xffff : rest; }
  [[nodiscard]] unreachable_code unreachable(family f) const;
};

/// Reads a message and verifies its checksum over all octets given (with the pseudo-header in version 6).
result<icmp_header, drop> parse_icmp(octets message, const address& source, const address& destination);
/// Writes the 8 octets with a checksum field of zero; `to` must have room. The caller adds the checksum over the whole.
void emit_icmp(const icmp_header& h, family f, writable_octets to);
/// The wire's code of an unreachable reason. An unknown protocol in version 6 is a parameter_problem (RFC 4443 §3.4):
/// its code.
std::uint8_t code_of(unreachable_code reason, family f);

}  // namespace tunic::wire
