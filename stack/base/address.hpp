#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tunic {

enum class family : std::uint8_t { v4, v6 };

/// An IPv4 or IPv6 address. IPv4 is kept as ::ffff:a.b.c.d, so that one comparison and one hash serve both.
class address {
 public:
  /// The unspecified address :: .
  constexpr address() = default;

  static constexpr address v4(std::uint32_t host_order) {
    address a;
    a.octets_[10] = a.octets_[11] = 0xff;
    for (unsigned i = 0; i < 4; ++i) a.octets_[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    return a;
  }
  static constexpr address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return v4(std::uint32_t{a} << 24 | std::uint32_t{b} << 16 | std::uint32_t{c} << 8 | d);
  }
  static constexpr address v6(const std::array<std::uint8_t, 16>& octets) {
    address a;
    a.octets_ = octets;
    return a;
  }
  static constexpr address any(tunic::family f) { return f == family::v4 ? v4(0) : address{}; }

  /// Dotted decimal or RFC 4291 text; nothing where the text is neither.
  static std::optional<address> parse(std::string_view text);

  [[nodiscard]] constexpr bool is_v4() const {  // asked several times a packet: two words instead of twelve octets
    const words mask = as_words({0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff});
    const words mapped = as_words({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff});
    const words ours = as_words(octets_);
    return ours[0] == 0 && (ours[1] & mask[1]) == mapped[1];
  }
  [[nodiscard]] constexpr tunic::family family() const { return is_v4() ? family::v4 : family::v6; }
  /// 32 or 128.
  [[nodiscard]] constexpr unsigned bits() const { return is_v4() ? 32 : 128; }
  [[nodiscard]] constexpr std::uint32_t v4_value() const {
    return std::uint32_t{octets_[12]} << 24 | std::uint32_t{octets_[13]} << 16 | std::uint32_t{octets_[14]} << 8 |
           octets_[15];
  }
  /// All 16 octets, IPv4 in its mapped form.
  [[nodiscard]] constexpr const std::array<std::uint8_t, 16>& octets() const { return octets_; }
  /// The 4 or 16 octets that stand in a header.
  [[nodiscard]] constexpr std::span<const std::uint8_t> wire_octets() const {
    return std::span{octets_}.subspan(is_v4() ? 12 : 0);
  }

  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] bool is_broadcast() const { return is_v4() && v4_value() == 0xffffffff; }
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_link_local() const;
  [[nodiscard]] std::string to_string() const;

  friend constexpr bool operator==(const address&, const address&) = default;
  friend constexpr auto operator<=>(const address&, const address&) = default;

 private:
  using words = std::array<std::uint64_t, 2>;
  static constexpr words as_words(const std::array<std::uint8_t, 16>& o) { return std::bit_cast<words>(o); }

  std::array<std::uint8_t, 16> octets_{};
};

/// An address with a prefix length: an interface's address, or a route's destination.
struct prefix {
  tunic::address address;
  unsigned length = 0;  ///< bits, 0 to 32 or 128

  /// "198.51.100.2/24"; an address without "/" has its full length.
  static std::optional<prefix> parse(std::string_view text);
  [[nodiscard]] bool contains(const tunic::address& a) const;
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const prefix&, const prefix&) = default;
};

struct endpoint {
  tunic::address address;
  std::uint16_t port = 0;
  [[nodiscard]] std::string to_string() const;  ///< "198.51.100.2:80", "[2001:db8::2]:80"
  friend constexpr bool operator==(const endpoint&, const endpoint&) = default;
};

/// The two ends of a connection, ours first.
struct four_tuple {
  endpoint local;
  endpoint remote;
  friend constexpr bool operator==(const four_tuple&, const four_tuple&) = default;
};

}  // namespace tunic
