#include "drivers/segmentation.hpp"

#include "stack/wire/checksum.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/tcp.hpp"
#include "stack/wire/udp.hpp"

namespace tunic::drivers {

namespace {

constexpr std::size_t tcp_checksum = 16;  // RFC 9293 §3.1
constexpr std::size_t udp_checksum = 6;   // RFC 768
constexpr std::uint8_t fin = 0x01, psh = 0x08, cwr = 0x80;

struct network_layout {
  std::uint8_t protocol;
  std::size_t header_length;
  std::size_t end;
};

std::optional<network_layout> network_layout_of(wire::octets datagram) {
  if (datagram.empty()) return {};
  if (wire::load8(datagram.data()) >> 4 == 4) {
    const auto ip = wire::parse_ipv4(datagram);
    if (!ip || ip->is_fragment()) return {};
    return network_layout{ip->protocol, ip->header_length, ip->total_length};
  }
  const auto ip = wire::parse_ipv6(datagram);
  if (!ip || ip->fragment) return {};
  return network_layout{ip->protocol, ip->header_length, wire::ipv6_header::min_size + ip->payload_length};
}

// The pseudo-header lies in the IP header already; only the length differs from segment to segment.
std::uint16_t pseudo_header_sum(wire::octets header, const transport_layout& layout, std::uint32_t length) {
  wire::checksum sum;
  sum.add(layout.ipv6 ? header.subspan(8, 32) : header.subspan(12, 8));
  sum.add16(static_cast<std::uint16_t>(layout.tcp ? wire::protocol::tcp : wire::protocol::udp));
  sum.add16(static_cast<std::uint16_t>(length));
  sum.add16(static_cast<std::uint16_t>(length >> 16));
  return sum.partial();
}

}  // namespace

std::optional<transport_layout> layout_of(wire::octets datagram) {
  const auto ip = network_layout_of(datagram);
  if (!ip) return {};
  transport_layout layout;
  layout.ipv6 = wire::load8(datagram.data()) >> 4 == 6;
  layout.tcp = ip->protocol == wire::number(wire::protocol::tcp);
  if (!layout.tcp && ip->protocol != wire::number(wire::protocol::udp)) return {};
  const std::size_t least = layout.tcp ? wire::tcp_header::min_size : wire::udp_header::size;
  if (ip->header_length + least > ip->end) return {};
  std::size_t header = least;
  if (layout.tcp) {
    header = static_cast<std::size_t>(wire::load8(datagram.data() + ip->header_length + 12) >> 4) * 4;
    if (header < least || ip->header_length + header > ip->end) return {};
  }
  layout.transport = static_cast<std::uint16_t>(ip->header_length);
  layout.text = static_cast<std::uint16_t>(ip->header_length + header);
  layout.end = static_cast<std::uint32_t>(ip->end);
  layout.checksum_offset = static_cast<std::uint16_t>(layout.tcp ? tcp_checksum : udp_checksum);
  return layout;
}

void cut_header(wire::writable_octets header, const transport_layout& layout, std::uint32_t index,
                std::uint16_t segment_size, std::uint32_t text_size, bool last) {
  std::byte* const ip = header.data();
  std::byte* const transport = ip + layout.transport;
  const auto length = static_cast<std::uint32_t>(header.size() - layout.transport) + text_size;
  if (layout.ipv6) {
    wire::store16(ip + 4, static_cast<std::uint16_t>(header.size() - wire::ipv6_header::min_size + text_size));
  } else {
    wire::store16(ip + 2, static_cast<std::uint16_t>(header.size() + text_size));
    wire::store16(ip + 4, static_cast<std::uint16_t>(wire::load16(ip + 4) + index));
    wire::store16(ip + 10, 0);
    wire::checksum sum;
    sum.add(header.first(layout.transport));
    wire::store16(ip + 10, sum.finish());
  }
  if (layout.tcp) {
    wire::store32(transport + 4, wire::load32(transport + 4) + index * segment_size);
    std::uint8_t flags = wire::load8(transport + 13);
    if (!last) flags = static_cast<std::uint8_t>(flags & ~(fin | psh));
    if (index > 0) flags = static_cast<std::uint8_t>(flags & ~cwr);  // RFC 3168 §6.1.2: sent once
    wire::store8(transport + 13, flags);
  } else {
    wire::store16(transport + 4, static_cast<std::uint16_t>(length));
  }
  wire::store16(transport + layout.checksum_offset, pseudo_header_sum(header, layout, length));
}

void finish_checksum(wire::writable_octets header, const transport_layout& layout, wire::octets text) {
  wire::checksum sum;
  sum.add(header.subspan(layout.transport));
  sum.add(text);
  std::uint16_t value = sum.finish();
  if (!layout.tcp && value == 0) value = 0xffff;  // RFC 768: zero would say that there is none
  wire::store16(header.data() + layout.transport + layout.checksum_offset, value);
}

}  // namespace tunic::drivers
