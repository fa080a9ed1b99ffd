#pragma once

#include <algorithm>

#include "stack/base/time.hpp"

namespace tunic::tcp {

/// Round trip time and retransmission timeout (RFC 6298 §2).
class rtt_estimator {
 public:
  void sample(duration r) {
    if (!sampled_) {  // (2.2)
      sampled_ = true;
      srtt_ = r;
      rttvar_ = r / 2;
      return;
    }
    const duration error = srtt_ > r ? srtt_ - r : r - srtt_;  // (2.3), beta = 1/4, alpha = 1/8
    rttvar_ += (error - rttvar_) / 4;
    srtt_ += (r - srtt_) / 8;
  }

  /// RTO before any backoff, within [least, most]; `initial` before the first sample (2.1).
  [[nodiscard]] duration rto(duration initial, duration least, duration most) const {
    if (!sampled_) return initial;
    constexpr duration granularity = std::chrono::milliseconds{1};
    return std::clamp(srtt_ + std::max(granularity, 4 * rttvar_), least, most);
  }
  [[nodiscard]] bool sampled() const { return sampled_; }
  [[nodiscard]] duration srtt() const { return srtt_; }

 private:
  bool sampled_ = false;
  duration srtt_{};
  duration rttvar_{};
};

}  // namespace tunic::tcp
