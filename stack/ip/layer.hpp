#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "stack/base/address.hpp"
#include "stack/base/counters.hpp"
#include "stack/base/siphash.hpp"
#include "stack/base/time.hpp"
#include "stack/buffer/frame.hpp"
#include "stack/buffer/packet.hpp"
#include "stack/buffer/pool.hpp"
#include "stack/wire/icmp.hpp"
#include "stack/wire/ipv4.hpp"

namespace tunic::ip {

/// A destination that leaves through the device. A TUN link has no neighbours to resolve, so the gateway only documents.
struct route {
  prefix destination;
  std::optional<address> gateway;
};

/// Every limit is a number with its reason; the defaults are safe on an open network.
struct config {
  std::vector<prefix> addresses;       ///< ours; each also makes its prefix reachable
  std::vector<route> routes;           ///< besides those of the addresses
  std::vector<address> gateways;       ///< at most one a version: makes every destination of that version reachable
  bool any_address = false;            ///< take datagrams for every destination, and reach every one
  std::uint8_t hop_limit = 64;         ///< of what we send (RFC 1700's recommended default)
  std::size_t mtu = 1500;              ///< octets; the device's

  std::size_t reassembly_octets = 1u << 20;               ///< held in unfinished datagrams, all together
  std::size_t reassembly_datagrams = 64;                  ///< unfinished at once
  duration reassembly_timeout = std::chrono::seconds{30};  ///< Linux's; RFC 8200 §4.5 allows 60 s
  std::size_t transmit_queue = 64;                        ///< UDP and ICMP datagrams waiting for the device
  unsigned icmp_errors_per_second = 100;                  ///< sent; RFC 4443 §2.4 (f) asks for a limit
  unsigned icmp_errors_burst = 50;
  duration path_mtu_lifetime = std::chrono::minutes{10};  ///< RFC 1191 §6.3, RFC 8201 §4
};

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
  wire::icmp_kind kind = wire::icmp_kind::other;  ///< destination_unreachable, packet_too_big, time_exceeded, parameter_problem
  wire::unreachable_code unreachable = wire::unreachable_code::other;
  std::uint32_t mtu = 0;      ///< of a packet_too_big; estimated from RFC 1191 §7's table where an old router did not say
  address reporter;           ///< who sent the error
  address source;             ///< of the packet it is about: ours
  address destination;        ///< of the packet it is about
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
  std::uint8_t hop_limit = 0;   ///< 0: the configured one
  bool dont_fragment = false;   ///< else cut into fragments where it exceeds the path's MTU
  std::vector<std::byte> header;  ///< the transport's, its checksum finished
  std::vector<slice> text;
};

/// IPv4 and IPv6 in one: validates, demultiplexes, reassembles, fragments, answers echoes, and keeps the addresses, the
/// routes and the path MTUs. Does no I/O: datagrams come by on_packet and leave by poll_transmit.
class layer {
 public:
  layer(config c, const secret& key, pool& buffers, counters& count);
  ~layer();

  /// Takes a datagram. What it is none of (echo requests, fragments still incomplete, drops) is dealt with inside.
  [[nodiscard]] delivery on_packet(packet p, instant now);
  /// The next fragment or datagram that waits, in `out`; false where none does.
  bool poll_transmit(frame& out, instant now);
  [[nodiscard]] bool has_output() const;
  /// When on_deadline wants to be called: the oldest unfinished datagram's end, or a path MTU's; `never` where none.
  [[nodiscard]] instant next_deadline() const;
  void on_deadline(instant now);

  /// Queues a datagram; an error (no_buffer_space, message_size, network_unreachable) where it cannot be sent.
  std::error_code send(outgoing d, instant now);
  /// Queues an echo request with `text`; source as source_for chooses.
  std::error_code send_echo(const address& destination, std::uint16_t identifier, std::uint16_t sequence, slice text,
                            std::uint8_t hop_limit, instant now);
  /// Answers a datagram with destination unreachable: rate limited, never to multicast, broadcast or a later fragment, never
  /// about an ICMP error (RFC 1122 §3.2.2, RFC 4443 §2.4).
  void send_unreachable(const datagram& about, wire::unreachable_code reason, instant now);

  /// Whether a datagram to this address is for us.
  [[nodiscard]] bool is_ours(const address& a) const;
  [[nodiscard]] bool reachable(const address& destination) const;
  /// The source to send from: the address of the longest matching prefix, else the first of that version (a short form of
  /// RFC 6724); nothing where the destination cannot be reached or we have no address of its version.
  [[nodiscard]] std::optional<address> source_for(const address& destination) const;

  /// The largest datagram that is known to pass to the destination, in octets.
  [[nodiscard]] std::size_t path_mtu(const address& destination) const;
  /// Lowers it after a packet_too_big that the transport believes; never below 576 (version 4) or 1,280 (version 6), never raises it.
  void lower_path_mtu(const address& destination, std::uint32_t mtu, instant now);

  /// The octets of an IP header that compose writes: 20 or 40.
  static constexpr std::size_t header_size(family f) { return f == family::v4 ? 20 : 40; }
  /// Writes the IP header for `length` octets of transport header and text into the front of f.header_room: don't fragment
  /// set (RFC 1191 §3), the identification 0 (RFC 6864 §4.1). The caller sets f.header_size. In line: it runs once a segment.
  void compose(frame& f, const address& source, const address& destination, wire::protocol protocol, std::uint8_t tos,
               std::uint8_t hop_limit, std::size_t length) const;

  [[nodiscard]] const config& settings() const { return config_; }

 private:
  class reassembly;
  class path_mtus;
  // (private members are the implementer's)
  config config_;
};

}  // namespace tunic::ip
