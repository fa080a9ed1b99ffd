#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "stack/base/address.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/tcp.hpp"
#include "tests/support/notation.hpp"

namespace tunic::test {

/// Writes numbers in the byte order that the test is about.
struct octet_writer {
  bool big = false;
  std::string octets = {};

  octet_writer& put(std::uint64_t v, unsigned size) {
    for (unsigned i = 0; i < size; ++i) octets += static_cast<char>(v >> 8 * (big ? size - 1 - i : i));
    return *this;
  }
  octet_writer& text(std::string_view t) { return octets += t, *this; }
  octet_writer& pad() { return octets.resize((octets.size() + 3) & ~std::size_t{3}), *this; }

  /// A block of pcapng.
  void block(std::uint32_t type, const octet_writer& body) {
    put(type, 4).put(body.octets.size() + 12, 4).text(body.octets).put(body.octets.size() + 12, 4);
  }
  void section() { block(0x0a0d0d0a, octet_writer{big}.put(0x1a2b3c4d, 4).put(1, 2).put(0, 2).put(~0ull, 8)); }
  /// `resolution` is if_tsresol's octet.
  void interface(std::uint16_t link_type, std::uint8_t resolution = 9, std::uint32_t snap = 0) {
    block(1, octet_writer{big}
                 .put(link_type, 2)
                 .put(0, 2)
                 .put(snap, 4)
                 .put(9, 2)
                 .put(1, 2)
                 .put(resolution, 1)
                 .pad()
                 .put(0, 4));
  }
  /// `way` is 1 for in, 2 for out; `original` 0 stands for the size of the datagram.
  void enhanced_packet(std::uint64_t ticks, std::string_view datagram, std::uint32_t way, std::size_t original = 0) {
    octet_writer body{big};
    body.put(0, 4).put(ticks >> 32, 4).put(ticks & 0xffffffff, 4).put(datagram.size(), 4);
    body.put(original == 0 ? datagram.size() : original, 4).text(datagram).pad();
    body.put(2, 2).put(4, 2).put(way, 4).put(0, 4);
    block(6, body);
  }
};

/// The numbers that a made connection's relative ones count from; both wrap soon.
inline constexpr std::uint32_t our_first = 0xfffffff0, peers_first = 0xffffff00;

inline wire::tcp_header header_of(std::string_view notation, bool ours) {
  const line l = parse_line(notation);
  wire::tcp_header h;
  h.source_port = ours ? 80 : 40000;
  h.destination_port = ours ? 40000 : 80;
  h.flags = l.flags;
  h.seq_number = seq{(ours ? our_first : peers_first) + l.begin};
  if (l.ack) h.ack_number = seq{(ours ? peers_first : our_first) + *l.ack};
  h.window.value = static_cast<std::uint16_t>(l.win.value_or(1000));
  if (l.options) h.options = *l.options;
  return h;
}

/// A datagram that carries the segment: from 198.51.100.2:80 where it is ours, else from 198.51.100.1:40000.
inline std::string datagram_of(std::string_view notation, bool ours, std::string text = {}, bool ipv6 = false) {
  if (text.empty()) text.assign(parse_line(notation).length, 'x');
  std::array<std::byte, 128> room{};
  const std::size_t ip = ipv6 ? wire::ipv6_header::min_size : wire::ipv4_header::min_size;
  const std::size_t tcp = wire::emit_tcp(header_of(notation, ours), wire::writable_octets{room}.subspan(ip));
  const address us = *address::parse(ipv6 ? "2001:db8::2" : "198.51.100.2");
  const address peer = *address::parse(ipv6 ? "2001:db8::1" : "198.51.100.1");
  if (ipv6) {
    wire::ipv6_header h;
    h.payload_length = static_cast<std::uint16_t>(tcp + text.size());
    h.protocol = wire::number(wire::protocol::tcp);
    h.source = ours ? us : peer;
    h.destination = ours ? peer : us;
    wire::emit_ipv6(h, room);
  } else {
    wire::ipv4_header h;
    h.total_length = static_cast<std::uint16_t>(ip + tcp + text.size());
    h.protocol = wire::number(wire::protocol::tcp);
    h.source = ours ? us : peer;
    h.destination = ours ? peer : us;
    wire::emit_ipv4(h, room);
  }
  return std::string{reinterpret_cast<const char*>(room.data()), ip + tcp} + text;
}

}  // namespace tunic::test
