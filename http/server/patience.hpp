#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tunic::http {

// How long a peer may still make us wait. Each wait spends from it; what the peer does gives back: all of it without a
// least rate, else a second for so many octets, so that a peer which moves one octet now and then does not stay for
// ever.
class patience {
 public:
  using clock = std::chrono::steady_clock;

  void reset(std::chrono::milliseconds most) { left_ = most_ = most; }
  void begin(clock::time_point now) { began_ = now; }
  void end(clock::time_point now) { left_ -= now - began_; }
  clock::time_point deadline() const { return began_ + left_; }

  // `octets` have moved; `least_rate` in octets a second, 0: any.
  void progressed(std::uint64_t octets, std::uint64_t least_rate) {
    if (octets == 0) return;
    if (least_rate == 0) {
      left_ = most_;
      return;
    }
    const std::chrono::duration<double> earned(static_cast<double>(octets) / static_cast<double>(least_rate));
    if (earned >= most_)
      left_ = most_;
    else
      left_ = std::min<clock::duration>(most_, left_ + std::chrono::duration_cast<clock::duration>(earned));
  }

 private:
  clock::duration most_{}, left_{};
  clock::time_point began_{};
};

}  // namespace tunic::http
