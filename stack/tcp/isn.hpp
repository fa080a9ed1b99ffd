#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "stack/base/address.hpp"
#include "stack/base/seq.hpp"
#include "stack/base/siphash.hpp"
#include "stack/base/time.hpp"

namespace tunic::tcp {

/// What a keyed hash is for: the same secret gives unrelated values for each.
enum class hash_use : std::uint8_t { demux, isn, timestamp, port, port_step, fast_open, syn_cookie };

/// The function F of RFC 6528 §3 and RFC 6056 §3.3: of the two ends, under the stack's secret, so that
/// nobody outside can compute it (RFC 9293 §3.4.1, SHLD-1, MUST-9).
std::uint64_t keyed_hash(const secret& key, const four_tuple& ends, hash_use use);

/// Initial sequence numbers: ISN = M + F(ends, secret), M a clock of 4 µs (RFC 6528 §3; RFC 9293 §3.4.1, MUST-8).
class isn_generator {
 public:
  explicit isn_generator(const secret& key) : key_(key) {}
  [[nodiscard]] seq next(const four_tuple& ends, instant now) const;
  /// The offset of a connection's timestamp clock (RFC 7323 §7.1).
  [[nodiscard]] std::uint32_t timestamp_offset(const four_tuple& ends) const;

 private:
  secret key_;
};

/// Ephemeral ports of RFC 6056 §3.2's range, chosen by its §3.3.4's algorithm, not by the first that §5 warns of: an
/// offset that depends on the destination, and one of many counters, so that neither a port tells the next one nor does
/// the same port come back soon.
class ephemeral_ports {
 public:
  static constexpr std::uint16_t first = 32768;
  static constexpr std::uint32_t count = 65536 - first;

  explicit ephemeral_ports(const secret& key) : key_(key) {}
  /// A port for which `is_free` holds; nothing where all are taken. `ends.local.port` is ignored.
  std::optional<std::uint16_t> choose(four_tuple ends, const std::function<bool(std::uint16_t)>& is_free);

 private:
  secret key_;
  std::array<std::uint16_t, 256> table_{};
};

}  // namespace tunic::tcp
