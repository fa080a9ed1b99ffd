#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>

#include "stack/base/siphash.hpp"
#include "stack/base/time.hpp"
#include "stack/ip/config.hpp"

namespace tunic::ip {

/// The path MTUs that are smaller than the device's (RFC 1191, RFC 8201), each kept for a while, a bounded number of
/// them.
class path_mtus {
 public:
  /// Keeps a reference to `c`.
  path_mtus(const config& c, const secret& key) : config_(c), known_(0, hash{key}) {}

  /// In octets; the device's where nothing smaller is known.
  [[nodiscard]] std::size_t find(const address& destination) const;
  /// Remembers a smaller one, and for another lifetime one that is just what was known.
  void lower(const address& destination, std::uint32_t mtu, instant now);

  [[nodiscard]] instant next_deadline() const { return ages_.empty() ? never : ages_.front().expires; }
  void on_deadline(instant now);

 private:
  struct entry {
    address destination;
    std::size_t mtu;
    instant expires;
  };
  using ages = std::list<entry>;  // the oldest first, which is the first to expire
  struct hash {
    secret key;
    std::size_t operator()(const address& a) const { return static_cast<std::size_t>(siphash(key, a.octets())); }
  };

  void forget_oldest();

  const config& config_;
  ages ages_;
  std::unordered_map<address, ages::iterator, hash> known_;
};

}  // namespace tunic::ip
