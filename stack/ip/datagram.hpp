#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "stack/base/address.hpp"
#include "stack/buffer/packet.hpp"
#include "stack/wire/icmp.hpp"

namespace tunic::ip {

/// A datagram for a transport protocol: validated, whole, addressed to us.
struct datagram {
  address source;
  address destination;
  std::uint8_t protocol = 0;
  std::uint8_t tos = 0;
  std::uint8_t hop_limit = 0;
  packet transport;  ///< the transport's header and text; checksum state and segment size as the device gave them
  slice whole;       ///< from the IP header on: what an ICMP error quotes
};

/// An ICMP error about a packet that carries one of our addresses as its source. Whether it is true, only the transport
/// can tell (RFC 5927 §4).
struct icmp_error {
  wire::icmp_kind kind =
      wire::icmp_kind::other;  ///< destination_unreachable, packet_too_big, time_exceeded, parameter_problem
  wire::unreachable_code unreachable = wire::unreachable_code::other;
  std::uint32_t mtu = 0;  ///< of a packet_too_big; estimated from RFC 1191 §7's table where an old router did not say
  address reporter;       ///< who sent the error
  address source;         ///< of the packet it is about: ours
  address destination;    ///< of the packet it is about
  std::uint8_t protocol = 0;  ///< of the packet it is about
  slice transport;            ///< what is quoted of its transport header and text: at least 8 octets
};

/// An answer to an echo that we sent.
struct echo_reply {
  address source;
  std::uint16_t identifier = 0;
  std::uint16_t sequence = 0;
  std::uint8_t hop_limit = 0;
  slice text;
};

using delivery = std::variant<std::monostate, datagram, icmp_error, echo_reply>;

/// A datagram to be sent by UDP or ICMP. TCP composes its own frames.
struct outgoing {
  address source;
  address destination;
  std::uint8_t protocol = 0;
  std::uint8_t tos = 0;
  std::uint8_t hop_limit = 0;     ///< 0: the configured one
  bool dont_fragment = false;     ///< else cut into fragments where it exceeds the path's MTU
  std::vector<std::byte> header;  ///< the transport's, its checksum finished
  std::vector<slice> text;
};

}  // namespace tunic::ip
