#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/ip/config.hpp"

namespace tunic::ip {

/// Which addresses are ours, which destinations we reach, and which of ours to send from.
class routes {
 public:
  /// Keeps a reference to `c`.
  explicit routes(const config& c);

  [[nodiscard]] bool is_ours(const address& a) const;
  /// Whether the address names one host beyond this one, so that it can be a datagram's source and be answered
  /// (RFC 1122 §3.2.1.3; RFC 9293 §3.9.2.3, MUST-57, MUST-63): not unspecified, multicast, broadcast or loopback.
  [[nodiscard]] bool is_host(const address& a) const;
  [[nodiscard]] bool reachable(const address& destination) const;
  [[nodiscard]] std::optional<address> source_for(const address& destination) const;

 private:
  const config& config_;
  std::vector<std::uint32_t> broadcasts_;  // of our subnets
};

}  // namespace tunic::ip
