#pragma once

#include <cstdint>

namespace tunic::drivers {

/// The octets in front of each datagram of a TUN device with IFF_VNET_HDR (virtio 1.2 §5.1.6), in the machine's own
/// byte order. Declared here because <linux/virtio_net.h> is no C++: it names a member `class`.
struct virtio_net_header {
  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t header_length = 0;    ///< of all headers, where gso_type is not none
  std::uint16_t gso_size = 0;         ///< octets of text in each segment
  std::uint16_t checksum_start = 0;   ///< where the sum begins
  std::uint16_t checksum_offset = 0;  ///< where it goes, counted from checksum_start

  static constexpr std::uint8_t needs_checksum = 1;  // flags
  static constexpr std::uint8_t data_valid = 2;
  static constexpr std::uint8_t gso_none = 0;  // gso_type
  static constexpr std::uint8_t gso_tcpv4 = 1;
  static constexpr std::uint8_t gso_tcpv6 = 4;
  static constexpr std::uint8_t gso_udp_l4 = 5;
  static constexpr std::uint8_t gso_ecn = 0x80;  // beside a TCP type: CWR is set, and only the first segment keeps it
};
static_assert(sizeof(virtio_net_header) == 10);

}  // namespace tunic::drivers
