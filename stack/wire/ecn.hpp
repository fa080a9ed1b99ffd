#pragma once

#include <cstdint>

namespace tunic::wire {

/// The two bits beside the DSCP in the TOS octet or the traffic class (RFC 3168 §5).
enum class ecn_codepoint : std::uint8_t { not_ect = 0, ect1 = 1, ect0 = 2, ce = 3 };

inline constexpr std::uint8_t ecn_mask = 3;

constexpr ecn_codepoint ecn_of(std::uint8_t tos) {
  return static_cast<ecn_codepoint>(tos & ecn_mask);
}
constexpr std::uint8_t with_ecn(std::uint8_t tos, ecn_codepoint c) {
  return static_cast<std::uint8_t>((tos & ~ecn_mask) | static_cast<std::uint8_t>(c));
}

}  // namespace tunic::wire
