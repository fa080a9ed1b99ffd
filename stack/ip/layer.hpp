#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <system_error>

#include "stack/base/address.hpp"
#include "stack/base/counters.hpp"
#include "stack/base/siphash.hpp"
#include "stack/base/time.hpp"
#include "stack/buffer/frame.hpp"
#include "stack/buffer/packet.hpp"
#include "stack/buffer/pool.hpp"
#include "stack/ip/config.hpp"
#include "stack/ip/datagram.hpp"
#include "stack/ip/output.hpp"
#include "stack/ip/path_mtu.hpp"
#include "stack/ip/reassembly.hpp"
#include "stack/ip/routes.hpp"
#include "stack/ip/token_bucket.hpp"
#include "stack/wire/icmp.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"

namespace tunic::ip {

/// IPv4 and IPv6 in one: validates, demultiplexes, reassembles, fragments, answers echoes, and keeps the addresses, the
/// routes and the path MTUs. Does no I/O: datagrams come by on_packet and leave by poll_transmit.
class layer {
 public:
  /// Keeps references to `buffers` and `count`.
  layer(config c, const secret& key, pool& buffers, counters& count);
  layer(const layer&) = delete;
  layer& operator=(const layer&) = delete;

  /// Takes a datagram. What it is none of (echo requests, fragments still incomplete, drops) is dealt with inside.
  [[nodiscard]] delivery on_packet(packet p, instant now);
  /// The next fragment or datagram that waits, in `out`; false where none does.
  bool poll_transmit(frame& out, instant now);
  [[nodiscard]] bool has_output() const { return !output_.empty(); }
  /// When on_deadline wants to be called: the oldest unfinished datagram's end, or a path MTU's; `never` where none.
  [[nodiscard]] instant next_deadline() const;
  void on_deadline(instant now);

  /// Queues a datagram; an error (no_buffer_space, message_size, network_unreachable) where it cannot be sent.
  std::error_code send(outgoing d, instant now);
  /// Queues an echo request with `text`; source as source_for chooses.
  std::error_code send_echo(const address& destination, std::uint16_t identifier, std::uint16_t sequence, slice text,
                            std::uint8_t hop_limit, instant now);
  /// Answers a datagram with destination unreachable: rate limited, never to multicast, broadcast or a later fragment,
  /// never about an ICMP error (RFC 1122 §3.2.2, RFC 4443 §2.4).
  void send_unreachable(const datagram& about, wire::unreachable_code reason, instant now);

  /// Whether a datagram to this address is for us.
  [[nodiscard]] bool is_ours(const address& a) const { return routes_.is_ours(a); }
  [[nodiscard]] bool reachable(const address& destination) const { return routes_.reachable(destination); }
  /// The source to send from: the address of the longest matching prefix, else the first of that version and scope (a
  /// short form of RFC 6724); nothing where the destination cannot be reached or we have no address of its version.
  [[nodiscard]] std::optional<address> source_for(const address& destination) const {
    return routes_.source_for(destination);
  }

  /// The largest datagram that is known to pass to the destination, in octets.
  [[nodiscard]] std::size_t path_mtu(const address& destination) const { return path_mtus_.find(destination); }
  /// Lowers it after a packet_too_big that the transport believes; never below 576 (version 4) or 1,280 (version 6),
  /// never raises it.
  void lower_path_mtu(const address& destination, std::uint32_t mtu, instant now) {
    path_mtus_.lower(destination, mtu, now);
  }

  /// The octets of an IP header that compose writes: 20 or 40.
  static constexpr std::size_t header_size(family f) { return f == family::v4 ? 20 : 40; }
  /// Writes the IP header for `length` octets of transport header and text into the front of f.header_room: don't
  /// fragment set (RFC 1191 §3), the identification 0 (RFC 6864 §4.1); a hop limit of 0 stands for the configured one.
  /// The caller sets f.header_size. In line: it runs once a segment.
  void compose(frame& f, const address& source, const address& destination, wire::protocol protocol, std::uint8_t tos,
               std::uint8_t hop_limit, std::size_t length) const;

  [[nodiscard]] const config& settings() const { return config_; }

 private:
  delivery on_ipv4(packet p, instant now);
  delivery on_ipv6(packet p, bool rebuilt, instant now);
  /// Whether both addresses are such that the datagram is taken; counts it where not.
  bool acceptable(const address& source, const address& destination);
  delivery on_fragment(fragment f, std::uint32_t offset_field, instant now);
  delivery on_whole(datagram d, std::uint32_t header_length, std::uint32_t next_header_offset, instant now);
  delivery on_icmp(const datagram& d, instant now);
  void send_error(const datagram& subject, const wire::icmp_header& h, instant now);
  void send_answer(outgoing d);
  delivery refuse(drop reason);

  config config_;
  counters& count_;
  routes routes_;
  path_mtus path_mtus_;
  reassembly reassembly_;
  output output_;
  token_bucket errors_;
};

inline void layer::compose(frame& f, const address& source, const address& destination, wire::protocol protocol,
                           std::uint8_t tos, std::uint8_t hop_limit, std::size_t length) const {
  if (hop_limit == 0) hop_limit = config_.hop_limit;
  f.ipv6 = !source.is_v4();
  if (f.ipv6) {
    assert(length <= 65535);
    wire::ipv6_header h;
    h.traffic_class = tos;
    h.payload_length = static_cast<std::uint16_t>(length);
    h.hop_limit = hop_limit;
    h.source = source;
    h.destination = destination;
    h.protocol = static_cast<std::uint8_t>(protocol);
    wire::emit_ipv6(h, f.header_room);
  } else {
    assert(length <= 65535 - wire::ipv4_header::min_size);
    wire::ipv4_header h;
    h.tos = tos;
    h.total_length = static_cast<std::uint16_t>(wire::ipv4_header::min_size + length);
    h.dont_fragment = true;  // RFC 1191 §3
    h.ttl = hop_limit;
    h.protocol = static_cast<std::uint8_t>(protocol);
    h.source = source;
    h.destination = destination;
    wire::emit_ipv4(h, f.header_room);
  }
}

}  // namespace tunic::ip
