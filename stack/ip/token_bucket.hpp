#pragma once

#include <algorithm>
#include <cstdint>

#include "stack/base/blur.hpp"
#include "stack/base/time.hpp"

namespace tunic::ip {

/// Grants about so many takes a second, and a burst after a silence. What a take costs differs by a keyed hash, between
/// half and one and a half, so that nobody can count what others were answered (CVE-2020-25705). It holds no time of
/// its own but the last one it was told.
class token_bucket {
 public:
  token_bucket(const secret& key, unsigned per_second, unsigned burst)
      : key_(key),
        interval_(per_second > 0 ? duration{std::chrono::seconds{1}} / per_second : duration::max() / 2),
        limit_(per_second > 0 ? interval_ * burst : duration::zero()),
        credit_(limit_) {}

  bool take(instant now) {
    credit_ = std::min(limit_, credit_ + std::clamp(now - last_, duration::zero(), limit_));
    last_ = now;
    const auto interval = static_cast<std::uint64_t>(interval_.count());
    const duration cost =
        interval_ / 2 + duration{static_cast<std::int64_t>(blur(key_, blurred::icmp_errors, taken_, interval))};
    if (credit_ < cost) return false;
    credit_ -= cost;
    ++taken_;
    return true;
  }

 private:
  secret key_;
  duration interval_;  // that earns one take on average
  duration limit_;
  duration credit_;
  instant last_{};
  std::uint64_t taken_ = 0;
};

}  // namespace tunic::ip
