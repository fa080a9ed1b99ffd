#include "stack/stack.hpp"

#include <algorithm>

namespace tunic {

stack::stack(const stack_config& c, const secret& key, tcp::observer* watcher)
    : ip_(c.ip, key, pool_, counters_),
      tcp_(c.tcp, ip_, c.device, pool_, counters_, key, watcher),
      udp_(ip_, pool_, counters_, key) {}

void stack::on_packet(packet p, instant now) {
  ++counters_.datagrams_in;
  counters_.octets_in += p.octets.size();
  const ip::delivery d = ip_.on_packet(std::move(p), now);
  if (const auto* datagram = std::get_if<ip::datagram>(&d)) {
    if (datagram->protocol == wire::number(wire::protocol::tcp)) {
      tcp_.on_datagram(*datagram, now);
    } else {
      udp_.on_datagram(*datagram, now);
    }
  } else if (const auto* error = std::get_if<ip::icmp_error>(&d)) {
    if (error->protocol == wire::number(wire::protocol::tcp)) {
      tcp_.on_icmp_error(*error, now);
    } else if (error->protocol == wire::number(wire::protocol::udp)) {
      udp_.on_icmp_error(*error, now);
    } else if (echo_user_) {
      echo_user_->on_echo_error(*error);
    }
  } else if (const auto* reply = std::get_if<ip::echo_reply>(&d)) {
    if (echo_user_) echo_user_->on_echo_reply(*reply);
  }
}

bool stack::poll_transmit(frame& out, instant now) {
  if (!ip_.poll_transmit(out, now) && !tcp_.poll_transmit(out, now)) return false;
  ++counters_.datagrams_out;
  counters_.octets_out += out.size();
  return true;
}

void stack::on_unreadable(const frame& f, instant now) {
  // Only TCP sends what its users share, and its frames begin with a header of ours, which needs no validation.
  const std::byte* p = f.header().data();
  const auto v6_address = [&](std::size_t at) {
    std::array<std::uint8_t, 16> octets{};
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = wire::load8(p + at + i);
    return address::v6(octets);
  };
  const bool v4 = wire::load8(p) >> 4 == 4;
  const std::byte* ports = p + ip::layer::header_size(v4 ? family::v4 : family::v6);
  const address source = v4 ? address::v4(wire::load32(p + 12)) : v6_address(8);
  const address destination = v4 ? address::v4(wire::load32(p + 16)) : v6_address(24);
  tcp_.on_unreadable({{source, wire::load16(ports)}, {destination, wire::load16(ports + 2)}},
                     seq{wire::load32(ports + 4)}, now);
}

bool stack::has_output() const {
  return ip_.has_output() || tcp_.has_output();
}

instant stack::next_deadline() {
  return std::min(ip_.next_deadline(), tcp_.next_deadline());
}

void stack::on_deadline(instant now) {
  ip_.on_deadline(now);
  tcp_.on_deadline(now);
}

}  // namespace tunic
