#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "stack/buffer/frame.hpp"
#include "stack/buffer/shared_octets.hpp"
#include "stack/wire/checksum.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/tcp.hpp"
#include "stack/wire/udp.hpp"

namespace tunic::drivers::test {

inline const address kernel_side = address::v4(198, 51, 100, 1);
inline const address our_side = address::v4(198, 51, 100, 2);
inline const address kernel_side_v6 = *address::parse("2001:db8::1");
inline const address our_side_v6 = *address::parse("2001:db8::2");

/// Text whose octets differ, so that a piece in the wrong place is seen.
inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26 + i / 997 % 3);
  return text;
}

inline slice shared(const std::string& text) {
  auto owner = std::make_shared<std::string>(text);
  const auto octets = std::as_bytes(std::span{*owner});
  return adopt(std::move(owner), octets);
}

inline std::string text_of(std::span<const std::byte> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

/// Puts an IP header for `transport_length` octets in front; the transport header is written behind it.
inline void start_frame(frame& f, bool v6, wire::protocol protocol, std::size_t transport_length) {
  f.clear();
  f.ipv6 = v6;
  if (v6) {
    wire::ipv6_header ip;
    ip.payload_length = static_cast<std::uint16_t>(transport_length);
    ip.source = our_side_v6;
    ip.destination = kernel_side_v6;
    ip.protocol = static_cast<std::uint8_t>(protocol);
    wire::emit_ipv6(ip, f.header_room);
    f.header_size = wire::ipv6_header::min_size;
  } else {
    wire::ipv4_header ip;
    ip.total_length = static_cast<std::uint16_t>(wire::ipv4_header::min_size + transport_length);
    ip.id = 0xfffe;
    ip.dont_fragment = true;
    ip.source = our_side;
    ip.destination = kernel_side;
    ip.protocol = static_cast<std::uint8_t>(protocol);
    wire::emit_ipv4(ip, f.header_room);
    f.header_size = wire::ipv4_header::min_size;
  }
  f.checksum_start = static_cast<std::uint16_t>(f.header_size);
}

/// Leaves the pseudo-header's sum in the checksum field.
inline void leave_partial(frame& f, wire::protocol protocol, std::size_t transport_length, std::uint16_t offset) {
  wire::checksum sum;
  sum.add_pseudo_header(f.ipv6 ? our_side_v6 : our_side, f.ipv6 ? kernel_side_v6 : kernel_side,
                        static_cast<std::uint8_t>(protocol), static_cast<std::uint32_t>(transport_length));
  wire::store16(f.header_room.data() + f.checksum_start + offset, sum.partial());
  f.partial_checksum = true;
  f.checksum_offset = offset;
}

/// A segment's header from port 80 with ACK alone.
inline wire::tcp_header acknowledging() {
  wire::tcp_header h;
  h.source_port = 80;
  h.flags.ack = true;
  return h;
}

/// From us to the kernel's side.
inline void make_tcp(frame& f, const wire::tcp_header& h, const std::string& text, std::uint16_t segment_size = 0,
                     bool v6 = false) {
  const std::size_t length = wire::size_of(h.options, h.flags);
  start_frame(f, v6, wire::protocol::tcp, length + text.size());
  f.header_size += wire::emit_tcp(h, std::span{f.header_room}.subspan(f.header_size));
  leave_partial(f, wire::protocol::tcp, length + text.size(), 16);
  if (!text.empty()) f.text.push_back(shared(text));
  f.segment_size = segment_size;
}

inline void make_udp(frame& f, std::uint16_t from, std::uint16_t to, const std::string& text, bool v6 = false) {
  const std::size_t length = wire::udp_header::size + text.size();
  start_frame(f, v6, wire::protocol::udp, length);
  wire::udp_header h{.source_port = from, .destination_port = to, .length = static_cast<std::uint16_t>(length)};
  wire::emit_udp(h, std::span{f.header_room}.subspan(f.header_size));
  f.header_size += wire::udp_header::size;
  leave_partial(f, wire::protocol::udp, length, 6);
  if (!text.empty()) f.text.push_back(shared(text));
}

}  // namespace tunic::drivers::test
