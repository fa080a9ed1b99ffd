#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "stack/base/address.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::tcp {

/// A segment that no tcb sends: a reset, or TIME-WAIT's acknowledgement. It carries no text.
struct orphan {
  four_tuple ends;
  wire::tcp_header header = {};
  std::uint8_t tos = 0;
  std::uint8_t hop_limit = 0;  ///< 0: the stack's
};

/// Orphan segments that wait for the device: a ring that refuses what is beyond its size.
class orphans {
 public:
  explicit orphans(std::size_t most) : ring_(most) {}

  /// False where the ring is full.
  bool push(const orphan& o) {
    if (count_ == ring_.size()) return false;
    ring_[(head_ + count_++) % ring_.size()] = o;
    return true;
  }
  std::optional<orphan> pop() {
    if (count_ == 0) return std::nullopt;
    orphan o = ring_[head_];
    head_ = (head_ + 1) % ring_.size();
    --count_;
    return o;
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }

 private:
  std::vector<orphan> ring_;
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

}  // namespace tunic::tcp
