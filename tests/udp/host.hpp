#pragma once

#include "stack/udp/layer.hpp"
#include "tests/ip/host.hpp"

namespace tunic::test {

/// An IP layer with UDP on top of it.
struct udp_host : host {
  explicit udp_host(ip::config c = dual_stack()) : host(std::move(c)) {}

  /// What stack does with a datagram that has arrived.
  void arrive(packet p) {
    const auto d = ip.on_packet(std::move(p), now);
    if (const auto* datagram = std::get_if<ip::datagram>(&d)) udp.on_datagram(*datagram, now);
    if (const auto* error = std::get_if<ip::icmp_error>(&d)) udp.on_icmp_error(*error, now);
  }
  void arrive(std::span<const std::byte> d) { arrive(fill(d)); }

  /// Passes everything we want to send to the other.
  void flush_to(udp_host& other) {
    for (const octets& d : transmit_all()) other.arrive(d);
  }

  udp::layer udp{ip, buffers, count, key};
};

struct recorder : udp::user {
  void on_readable() override { ++readable; }
  void on_error(std::error_code e) override { errors.push_back(e); }
  int readable = 0;
  std::vector<std::error_code> errors;
};

inline ip::config peer_config() {
  ip::config c;
  c.addresses = {net("198.51.100.1/24"), net("2001:db8::1/64")};
  return c;
}

}  // namespace tunic::test
