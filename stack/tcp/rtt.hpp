#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "stack/base/time.hpp"

namespace tunic::tcp {

/// The least of the samples of a sliding window, from the best of each third of it.
class windowed_min {
 public:
  void sample(duration value, duration window, instant now) {
    const entry e{now, value};
    if (value <= best_[0].value || now - best_[2].at > window || best_[0].at == instant{}) {
      best_.fill(e);
      return;
    }
    if (value <= best_[1].value) {
      best_[1] = best_[2] = e;
    } else if (value <= best_[2].value) {
      best_[2] = e;
    }
    if (now - best_[0].at > window) {  // the best has grown too old: the next takes its place
      best_ = {best_[1], best_[2], e};
      if (now - best_[0].at > window) best_ = {best_[1], best_[2], e};
    } else if (best_[1].at == best_[0].at && now - best_[1].at > window / 4) {
      best_[1] = best_[2] = e;  // a quarter has passed without a second choice
    } else if (best_[2].at == best_[1].at && now - best_[2].at > window / 2) {
      best_[2] = e;
    }
  }
  /// Zero before the first sample.
  [[nodiscard]] duration value() const { return best_[0].value; }

 private:
  struct entry {
    instant at{};
    duration value{};
  };
  std::array<entry, 3> best_{};  // the best, and those that would follow it
};

/// Round trip time and retransmission timeout (RFC 6298 §1, §2.1 to §2.3).
class rtt_estimator {
 public:
  /// How long a least round trip time is believed: paths change (RFC 8985 §6.2).
  static constexpr duration min_window = std::chrono::minutes{5};

  /// `r` of the oldest octet that the ACK covers: what waited for the ACK is part of it; `newest` of the newest.
  void sample(duration r, duration newest, instant now) {
    min_.sample(newest, min_window, now);
    last_ = newest;
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

  /// RTO before any backoff (RFC 6298 §2.3), at most `most`; `initial` before the first sample (2.1). `least`, which
  /// stands for the clock's granularity (§4), is not the least timeout but what is allowed for variance, which is as
  /// much: a delayed ACK and a busy peer may cost it on any path, a short one and a long one alike.
  [[nodiscard]] duration rto(duration initial, duration least, duration most) const {
    if (!sampled_) return initial;
    return std::min(srtt_ + std::max(least, 4 * rttvar_), most);
  }
  [[nodiscard]] bool sampled() const { return sampled_; }
  [[nodiscard]] duration srtt() const { return srtt_; }
  [[nodiscard]] duration rttvar() const { return rttvar_; }
  [[nodiscard]] duration last() const { return last_; }
  [[nodiscard]] duration min() const { return min_.value(); }

 private:
  bool sampled_ = false;
  duration srtt_{};
  duration rttvar_{};
  duration last_{};
  windowed_min min_;
};

}  // namespace tunic::tcp
