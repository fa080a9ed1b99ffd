#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "stack/ip/layer.hpp"
#include "stack/wire/checksum.hpp"
#include "stack/wire/udp.hpp"

/// An IP layer with all it needs, and datagrams to feed it, in virtual time.
namespace tunic::test {

using namespace std::chrono_literals;
using octets = std::vector<std::byte>;

inline constexpr secret key{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

inline address at(std::string_view text) {
  return *address::parse(text);
}
inline prefix net(std::string_view text) {
  return *prefix::parse(text);
}

inline const address ours4 = at("198.51.100.2");
inline const address peer4 = at("198.51.100.1");
inline const address ours6 = at("2001:db8::2");
inline const address peer6 = at("2001:db8::1");

inline ip::config dual_stack() {
  ip::config c;
  c.addresses = {net("198.51.100.2/24"), net("2001:db8::2/64")};
  return c;
}

/// Text of which every part looks different.
inline octets pattern(std::size_t n, unsigned seed = 7) {
  std::mt19937 random{seed};
  octets text(n);
  for (auto& o : text) o = static_cast<std::byte>(random());
  return text;
}

inline octets joined(octets a, std::span<const std::byte> b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline octets ipv4(wire::ipv4_header h, std::span<const std::byte> transport) {
  octets to(wire::ipv4_header::min_size);
  h.total_length = static_cast<std::uint16_t>(to.size() + transport.size());
  wire::emit_ipv4(h, to);
  return joined(std::move(to), transport);
}

inline octets ipv6(wire::ipv6_header h, std::span<const std::byte> transport) {
  octets to(wire::ipv6_header::min_size + (h.fragment ? wire::ipv6_fragment::size : 0));
  h.payload_length = static_cast<std::uint16_t>(to.size() - wire::ipv6_header::min_size + transport.size());
  wire::emit_ipv6(h, to);
  return joined(std::move(to), transport);
}

/// A datagram of either version.
inline octets datagram(const address& source, const address& destination, wire::protocol protocol,
                       std::span<const std::byte> transport) {
  if (source.is_v4()) {
    wire::ipv4_header h;
    h.source = source;
    h.destination = destination;
    h.protocol = static_cast<std::uint8_t>(protocol);
    return ipv4(h, transport);
  }
  wire::ipv6_header h;
  h.source = source;
  h.destination = destination;
  h.protocol = static_cast<std::uint8_t>(protocol);
  return ipv6(h, transport);
}

inline octets icmp(const address& source, const address& destination, const wire::icmp_header& h,
                   std::span<const std::byte> text) {
  octets to(wire::icmp_header::size);
  wire::emit_icmp(h, source.family(), to);
  to = joined(std::move(to), text);
  wire::checksum sum;
  if (!source.is_v4()) sum.add_pseudo_header(source, destination, 58, static_cast<std::uint32_t>(to.size()));
  sum.add(to);
  wire::store16(to.data() + 2, sum.finish());
  return datagram(source, destination, source.is_v4() ? wire::protocol::icmp : wire::protocol::icmpv6, to);
}

inline octets udp(const endpoint& source, const endpoint& destination, std::span<const std::byte> text) {
  octets to(wire::udp_header::size);
  wire::emit_udp({source.port, destination.port, static_cast<std::uint16_t>(to.size() + text.size())}, to);
  to = joined(std::move(to), text);
  wire::checksum sum;
  sum.add_pseudo_header(source.address, destination.address, 17, static_cast<std::uint32_t>(to.size()));
  sum.add(to);
  wire::store16(to.data() + 6, sum.finish());
  return datagram(source.address, destination.address, wire::protocol::udp, to);
}

/// The transport octets of a datagram without options or extension headers.
inline std::span<const std::byte> transport(const octets& d) {
  return std::span{d}.subspan(wire::load8(d.data()) >> 4 == 4 ? 20 : 40);
}

struct host {
  explicit host(ip::config c = dual_stack()) : ip(std::move(c), key, buffers, count) {}

  packet fill(std::span<const std::byte> d) {
    const buffer_ref b = buffers.fitting(d.size());
    std::copy(d.begin(), d.end(), b->room().begin());
    packet p;
    p.octets = pool::view(b, d.size());
    return p;
  }
  ip::delivery receive(std::span<const std::byte> d) { return ip.on_packet(fill(d), now); }
  slice share(std::span<const std::byte> text) { return fill(text).octets; }

  /// The next frame as a device would write it.
  octets transmit() {
    frame f;
    if (!ip.poll_transmit(f, now)) return {};
    octets d{f.header().begin(), f.header().end()};
    for (const slice& s : f.text) d = joined(std::move(d), s.octets());
    return d;
  }
  std::vector<octets> transmit_all() {
    std::vector<octets> all;
    for (octets d = transmit(); !d.empty(); d = transmit()) all.push_back(std::move(d));
    return all;
  }
  void pass(duration d) {
    now += d;
    if (ip.next_deadline() <= now) ip.on_deadline(now);
  }
  [[nodiscard]] std::uint64_t dropped(drop reason) const { return count.dropped(reason); }

  instant now{};
  pool buffers;
  counters count;
  ip::layer ip;
};

inline bool is_empty(const ip::delivery& d) {
  return std::holds_alternative<std::monostate>(d);
}

inline octets copy(const slice& s) {
  return {s.octets().begin(), s.octets().end()};
}

}  // namespace tunic::test
