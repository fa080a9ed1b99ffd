#pragma once

#include <cstdint>

namespace tunic {

/// A TCP sequence number: a point on a circle of 2^32 (RFC 9293 §3.4). Comparison is modulo 2^32 and holds for points
/// less than 2^31 apart; it is no total order, so there is deliberately no hash and no operator<=> that a container
/// could use.
class seq {
 public:
  constexpr seq() = default;
  constexpr explicit seq(std::uint32_t value) : value_(value) {}

  [[nodiscard]] constexpr std::uint32_t value() const { return value_; }

  friend constexpr seq operator+(seq a, std::uint32_t n) { return seq{a.value_ + n}; }
  friend constexpr seq operator-(seq a, std::uint32_t n) { return seq{a.value_ - n}; }
  /// The signed distance from b to a.
  friend constexpr std::int32_t operator-(seq a, seq b) { return static_cast<std::int32_t>(a.value_ - b.value_); }
  constexpr seq& operator+=(std::uint32_t n) { return value_ += n, *this; }

  friend constexpr bool operator==(seq, seq) = default;
  friend constexpr bool operator<(seq a, seq b) { return a - b < 0; }
  friend constexpr bool operator<=(seq a, seq b) { return a - b <= 0; }
  friend constexpr bool operator>(seq a, seq b) { return b < a; }
  friend constexpr bool operator>=(seq a, seq b) { return b <= a; }

 private:
  std::uint32_t value_ = 0;
};

/// The octets from a to b, which must not lie before a.
constexpr std::uint32_t distance(seq a, seq b) {
  return b.value() - a.value();
}

constexpr seq max(seq a, seq b) {
  return a < b ? b : a;
}
constexpr seq min(seq a, seq b) {
  return a < b ? a : b;
}

}  // namespace tunic
