#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "stack/base/address.hpp"
#include "stack/base/counters.hpp"
#include "stack/base/result.hpp"
#include "stack/base/seq.hpp"
#include "stack/buffer/packet.hpp"
#include "stack/wire/bytes.hpp"

namespace tunic::wire {

/// The control bits (RFC 9293 §3.1), ECN's included (RFC 3168, RFC 9768).
struct tcp_flags {
  bool fin : 1 = false;
  bool syn : 1 = false;
  bool rst : 1 = false;
  bool psh : 1 = false;
  bool ack : 1 = false;
  bool urg : 1 = false;
  bool ece : 1 = false;
  bool cwr : 1 = false;
  bool ae : 1 = false;

  friend bool operator==(const tcp_flags&, const tcp_flags&) = default;
};

/// The window field as it stands on the wire: not yet scaled (RFC 7323 §2.3).
struct wire_window {
  std::uint16_t value = 0;
  friend bool operator==(wire_window, wire_window) = default;
};

/// The shift count of the window scale option, 0 to 14.
struct window_shift {
  std::uint8_t value = 0;
  friend bool operator==(window_shift, window_shift) = default;
};

struct tcp_timestamps {
  std::uint32_t val = 0;  ///< TSval
  std::uint32_t ecr = 0;  ///< TSecr
  friend bool operator==(const tcp_timestamps&, const tcp_timestamps&) = default;
};

/// [left, right) has arrived (RFC 2018 §3).
struct sack_block {
  seq left{};
  seq right{};
  friend bool operator==(const sack_block&, const sack_block&) = default;
};

/// Up to four SACK blocks.
class sack_list {
 public:
  static constexpr std::size_t max_blocks = 4;
  void push_back(sack_block b) {
    if (count_ < max_blocks) blocks_[count_++] = b;
  }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] const sack_block* begin() const { return blocks_.data(); }
  [[nodiscard]] const sack_block* end() const { return blocks_.data() + count_; }

 private:
  std::array<sack_block, max_blocks> blocks_{};
  std::uint8_t count_ = 0;
};

/// What arrived with which mark: octets modulo 2^24 (RFC 9768 §3.2.3). Fields at the end may be missing.
struct accurate_ecn {
  bool e1b_first = false;   ///< AccECN1: EE1B, ECEB, EE0B; else AccECN0, the other way round
  std::uint8_t fields = 0;  ///< 0 to 3 of them are there
  std::array<std::uint32_t, 3> field{};

  [[nodiscard]] std::optional<std::uint32_t> e0b() const { return at(e1b_first ? 2 : 0); }
  [[nodiscard]] std::optional<std::uint32_t> ceb() const { return at(1); }
  [[nodiscard]] std::optional<std::uint32_t> e1b() const { return at(e1b_first ? 0 : 2); }
  /// Octets it takes with the nops that fill the last word.
  [[nodiscard]] std::size_t size() const { return (2 + 3u * fields + 3) / 4 * 4; }

  friend bool operator==(const accurate_ecn&, const accurate_ecn&) = default;

 private:
  [[nodiscard]] std::optional<std::uint32_t> at(std::size_t i) const {
    return i < fields ? std::optional{field[i]} : std::nullopt;
  }
};

/// What the Fast Open option carries (RFC 7413 §4.1.1): a cookie, or none, which asks for one.
struct fast_open {
  static constexpr std::size_t min_cookie = 4;
  static constexpr std::size_t max_cookie = 16;

  std::uint8_t size = 0;      ///< octets of the cookie: 0, or an even number from 4 to 16
  bool experimental = false;  ///< in the form that there was before it had a kind of its own: 254, with a magic number
  std::array<std::uint8_t, max_cookie> cookie{};  ///< nought beyond its size

  /// Octets it takes with the nops that fill the last word.
  [[nodiscard]] std::size_t room() const { return ((experimental ? 4u : 2u) + size + 3) / 4 * 4; }

  friend bool operator==(const fast_open&, const fast_open&) = default;
};

/// The options that we know; others are skipped when read (RFC 9293 §3.2, MUST-6).
struct tcp_options {
  std::optional<std::uint16_t> mss{};                ///< RFC 9293 §3.7.1
  std::optional<window_shift> window_scale{};        ///< RFC 7323 §2.2; a count above 14 is read as 14
  bool sack_permitted = false;                       ///< RFC 2018 §2
  std::optional<tcp_timestamps> timestamps{};        ///< RFC 7323 §3.2
  sack_list sack{};                                  ///< RFC 2018 §3
  std::optional<wire::accurate_ecn> accurate_ecn{};  ///< RFC 9768 §3.2.3
  std::optional<wire::fast_open> fast_open{};        ///< RFC 7413 §4.1.1; says nothing without SYN
};

/// RFC 9293 §3.1.
struct tcp_header {
  static constexpr std::size_t min_size = 20;
  static constexpr std::size_t max_size = 60;

  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  seq seq_number{};
  seq ack_number{};
  std::uint8_t header_length = min_size;  ///< octets, 20 to 60; emit derives it from the options
  tcp_flags flags{};
  wire_window window{};
  std::uint16_t urgent_pointer = 0;
  tcp_options options{};
};

/// Reads a header and verifies its length, its options' lengths and, where `state` is unknown, the checksum over all
/// octets given. `segment` is the whole of the transport's octets: header and text.
result<tcp_header, drop> parse_tcp(octets segment, const address& source, const address& destination,
                                   checksum_state state);

/// The octets that emit_tcp writes: 20 to 60, a multiple of four.
std::size_t size_of(const tcp_options& o, const tcp_flags& flags);
/// Writes the header with a checksum field of zero and returns its size; `to` must have room for max_size octets.
/// Options stand in the order that Linux uses: MSS, SACK permitted, timestamps, window scale, Fast Open, accurate ECN;
/// then SACK blocks, as many as fit.
std::size_t emit_tcp(const tcp_header& h, writable_octets to);

}  // namespace tunic::wire
