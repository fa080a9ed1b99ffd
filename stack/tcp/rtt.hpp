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
    const std::uint32_t at = wrapped_ms(now.time_since_epoch());
    const auto older = [&](std::size_t i, duration d) { return at - at_[i] > wrapped_ms(d); };
    if (!sampled_ || value <= value_[0] || older(2, window)) {
      sampled_ = true;
      at_.fill(at);
      value_.fill(value);
      return;
    }
    const auto put = [&](std::size_t i) {  // in the place of those as well that would have followed it
      std::fill(at_.begin() + i, at_.end(), at);
      std::fill(value_.begin() + i, value_.end(), value);
    };
    if (value <= value_[1]) {
      put(1);
    } else if (value <= value_[2]) {
      put(2);
    }
    if (older(0, window)) {  // the best has grown too old: the next takes its place
      do {
        std::shift_left(at_.begin(), at_.end(), 1);
        std::shift_left(value_.begin(), value_.end(), 1);
        put(2);
      } while (older(0, window));
    } else if (at_[1] == at_[0] && older(1, window / 4)) {
      put(1);  // a quarter has passed without a second choice
    } else if (at_[2] == at_[1] && older(2, window / 2)) {
      put(2);
    }
  }
  [[nodiscard]] bool sampled() const { return sampled_; }
  /// Zero before the first sample.
  [[nodiscard]] duration value() const { return value_[0]; }

 private:
  // The window is minutes long; that its stamps are the same again after 49 days lets an old sample live for one window
  // more.
  std::array<duration, 3> value_{};  // the best, and those that would follow it
  std::array<std::uint32_t, 3> at_{};
  bool sampled_ = false;
};

/// Round trip time and retransmission timeout (RFC 6298 §1, §2.1 to §2.3).
class rtt_estimator {
 public:
  /// How long a least round trip time is believed: paths change (RFC 8985 §6.2).
  static constexpr duration min_window = std::chrono::minutes{5};

  /// `r` of the oldest octet that the ACK covers: what waited for the ACK is part of it; `newest` of the newest.
  void sample(duration r, duration newest, instant now) {
    const bool first = !sampled();
    min_.sample(newest, min_window, now);
    if (first) {  // (2.2)
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
    if (!sampled()) return initial;
    return std::min(srtt_ + std::max(least, 4 * rttvar_), most);
  }
  [[nodiscard]] bool sampled() const { return min_.sampled(); }
  [[nodiscard]] duration srtt() const { return srtt_; }
  [[nodiscard]] duration rttvar() const { return rttvar_; }
  [[nodiscard]] duration min() const { return min_.value(); }

 private:
  duration srtt_{};
  duration rttvar_{};
  windowed_min min_;
};

}  // namespace tunic::tcp
