#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "stack/stack.hpp"
#include "stack/wire/checksum.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::bench {

constexpr std::uint16_t our_port = 80;
constexpr std::uint32_t our_address = 0xc6336402, first_peer = 0xc6336403;  // 198.51.100.2 and what follows
constexpr std::uint32_t ports_a_peer = 60'000;

/// A client written by hand: two sequence numbers, and segments as a device with offload hands them in. It costs next
/// to nothing, so that what is measured is the stack.
class peer {
 public:
  peer() = default;
  /// Clients of different numbers have different addresses or ports.
  explicit peer(std::uint32_t number) : number_(number) {}

  [[nodiscard]] address where() const { return address::v4(first_peer + number_ / ports_a_peer); }
  [[nodiscard]] std::uint16_t port() const { return static_cast<std::uint16_t>(1024 + number_ % ports_a_peer); }

  [[nodiscard]] packet syn(pool& from) {
    wire::tcp_header h = header();
    h.flags = {.syn = true};
    h.options.mss = std::uint16_t{1460};
    h.options.window_scale = wire::window_shift{7};
    h.options.sack_permitted = true;
    sent_ += 1;
    return datagram(from, h, 0);
  }
  /// So many octets of text, which acknowledge all that was heard.
  [[nodiscard]] packet text(pool& from, std::uint32_t octets) {
    const packet p = datagram(from, header(), octets);
    sent_ += octets;
    return p;
  }
  [[nodiscard]] packet text(pool& from, std::string_view octets) {
    const packet p = datagram(from, header(), static_cast<std::uint32_t>(octets.size()), octets);
    sent_ += static_cast<std::uint32_t>(octets.size());
    return p;
  }
  [[nodiscard]] packet ack(pool& from) { return text(from, 0); }

  /// What the stack sends comes here. Returns the octets of text.
  std::uint32_t hear(const frame& f) {
    const auto h = parse(f);
    if (h.flags.syn) heard_ = h.seq_number + 1;
    const auto text = static_cast<std::uint32_t>(f.size() - f.header_size);
    heard_ += text;
    return text;
  }
  /// Whose frame it is: the number.
  [[nodiscard]] static std::uint32_t whose(const frame& f) {
    const std::uint32_t to = wire::load32(f.header().data() + 16);
    return (to - first_peer) * ports_a_peer + parse(f).destination_port - 1024;
  }

  [[nodiscard]] static stack_config config() {
    stack_config c;
    c.ip.addresses = {{address::v4(our_address), 24}};
    c.device = {true, true, true};
    return c;
  }

 private:
  static wire::tcp_header parse(const frame& f) {
    const auto h = wire::parse_tcp(f.header().subspan(wire::ipv4_header::min_size), address::v4(our_address),
                                   address::v4(first_peer), checksum_state::good);
    if (!h) std::abort();
    return *h;
  }
  [[nodiscard]] wire::tcp_header header() const {
    wire::tcp_header h;
    h.source_port = port();
    h.destination_port = our_port;
    h.seq_number = sent_;
    h.ack_number = heard_;
    h.flags = {.ack = true};
    h.window.value = 65535;
    return h;
  }
  // Its text is `content`, or whatever lies in the buffer.
  [[nodiscard]] packet datagram(pool& from, const wire::tcp_header& h, std::uint32_t text,
                                std::string_view content = {}) const {
    const buffer_ref b = from.fitting(128 + text);
    const auto room = b->room();
    const std::size_t tcp = wire::emit_tcp(h, room.subspan(wire::ipv4_header::min_size));
    const std::size_t size = wire::ipv4_header::min_size + tcp + text;
    std::copy(content.begin(), content.end(), reinterpret_cast<char*>(room.data()) + size - text);
    wire::ipv4_header ip;
    ip.total_length = static_cast<std::uint16_t>(size);
    ip.protocol = wire::number(wire::protocol::tcp);
    ip.source = where();
    ip.destination = address::v4(our_address);
    wire::emit_ipv4(ip, room);
    return {.octets = pool::view(b, size), .checksum = checksum_state::partial};
  }

  std::uint32_t number_ = 0;
  seq sent_{1000}, heard_;
};

}  // namespace tunic::bench
