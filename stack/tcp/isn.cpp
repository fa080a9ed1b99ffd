#include "stack/tcp/isn.hpp"

#include <algorithm>

namespace tunic::tcp {

std::uint64_t keyed_hash(const secret& key, const four_tuple& ends, hash_use use) {
  std::array<std::uint8_t, 37> text;
  // Of IPv4 four octets each: there is a hash for each segment, and they make it half as long.
  auto at = std::ranges::copy(ends.local.address.wire_octets(), text.begin()).out;
  at = std::ranges::copy(ends.remote.address.wire_octets(), at).out;
  *at++ = static_cast<std::uint8_t>(ends.local.port >> 8);
  *at++ = static_cast<std::uint8_t>(ends.local.port);
  *at++ = static_cast<std::uint8_t>(ends.remote.port >> 8);
  *at++ = static_cast<std::uint8_t>(ends.remote.port);
  *at++ = static_cast<std::uint8_t>(use);
  return siphash(key, std::span(text.begin(), at));
}

// RFC 6528 §3.
seq isn_generator::next(const four_tuple& ends, instant now) const {
  const auto m = now.time_since_epoch() / std::chrono::microseconds{4};
  return seq{static_cast<std::uint32_t>(m) + static_cast<std::uint32_t>(keyed_hash(key_, ends, hash_use::isn))};
}

std::uint32_t isn_generator::timestamp_offset(const four_tuple& ends) const {
  return static_cast<std::uint32_t>(keyed_hash(key_, ends, hash_use::timestamp));
}

// RFC 6056 §3.3.
std::optional<std::uint16_t> ephemeral_ports::choose(four_tuple ends,
                                                     const std::function<bool(std::uint16_t)>& is_free) {
  ends.local.port = 0;
  const auto offset = static_cast<std::uint32_t>(keyed_hash(key_, ends, hash_use::port));
  std::uint16_t& counter = table_[keyed_hash(key_, ends, hash_use::port_step) % table_.size()];
  for (std::uint32_t tried = 0; tried < count; ++tried) {
    const auto port = static_cast<std::uint16_t>(first + (offset + counter++) % count);
    if (is_free(port)) return port;
  }
  return std::nullopt;
}

}  // namespace tunic::tcp
