#pragma once

#include <array>
#include <cstdint>

#include "stack/base/siphash.hpp"

namespace tunic {

/// The limits that are blurred, for each has numbers of its own.
enum class blurred : std::uint8_t { challenge_acks, icmp_errors };

/// A number from 0 to below - 1 (`below` is 1 at least) that nobody without the secret can tell; another for each
/// `which`. It blurs the limits of answers: who can count to an exact limit that all share can tell what others were
/// sent (CVE-2016-5696, CVE-2020-25705).
inline std::uint64_t blur(const secret& key, blurred limit, std::uint64_t which, std::uint64_t below) {
  std::array<std::uint8_t, 9> text{static_cast<std::uint8_t>(limit)};
  for (std::size_t i = 1; i < text.size(); ++i) text[i] = static_cast<std::uint8_t>(which >> (8 * (i - 1)));
  return siphash(key, text) % below;
}

}  // namespace tunic
