#pragma once

#include <algorithm>

#include "stack/base/time.hpp"

namespace tunic::ip {

/// Grants so many takes a second, and a burst after a silence. It holds no time of its own but the last one it was
/// told.
class token_bucket {
 public:
  token_bucket(unsigned per_second, unsigned burst)
      : interval_(per_second > 0 ? duration{std::chrono::seconds{1}} / per_second : duration::max()),
        limit_(per_second > 0 ? interval_ * burst : duration::zero()),
        credit_(limit_) {}

  bool take(instant now) {
    credit_ = std::min(limit_, credit_ + std::clamp(now - last_, duration::zero(), limit_));
    last_ = now;
    if (credit_ < interval_) return false;
    credit_ -= interval_;
    return true;
  }

 private:
  duration interval_;  // that earns one take
  duration limit_;
  duration credit_;
  instant last_{};
};

}  // namespace tunic::ip
