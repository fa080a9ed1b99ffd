#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tunic {

/// The one secret a stack is given. Initial sequence numbers, ports, IP identifications and hash tables derive from it;
/// the core draws no randomness of its own.
using secret = std::array<std::uint8_t, 16>;

/// SipHash-2-4 of the octets under the key (Aumasson and Bernstein, 2012): the keyed function that RFC 6528 §3 and
/// RFC 6056 §3.3.3 ask for.
std::uint64_t siphash(const secret& key, std::span<const std::uint8_t> octets);

}  // namespace tunic
