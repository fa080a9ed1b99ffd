#pragma once

#include <algorithm>

#include "stack/base/time.hpp"

namespace tunic::tcp {

/// The train of ACKs (Ha and Rhee, "Hybrid Slow Start for high-bandwidth and long-distance networks", 2008): a window
/// that leaves in one go comes back as the bottleneck has spaced it. Once the train is half a round trip long, what is
/// in flight fills half of the path, and the window that its ACKs have opened so far fills the whole: the place to
/// leave slow start, a round trip before a rising delay would tell.
class ack_train {
 public:
  /// An ACK in slow start; `round_start` where it is a round trip's first. `paced`: the sender spaces out what it
  /// sends, over half a round trip, so that only a whole one tells of the path. Returns whether the path is full.
  bool on_ack(bool round_start, bool paced, duration min_rtt, instant now) {
    if (round_start) {
      begin_ = last_ = now;
      return false;
    }
    if (now - last_ > closest) return false;  // a gap ends the train: what follows may be anybody's spacing
    last_ = now;
    return min_rtt > duration{} && now - begin_ > std::max(paced ? min_rtt : min_rtt / 2, shortest);
  }

 private:
  // Of what takes less, scheduling and batches tell more than the path does.
  static constexpr duration shortest = std::chrono::milliseconds{4};
  static constexpr duration closest = std::chrono::milliseconds{2};  // between two ACKs of a train

  instant begin_{};
  instant last_{};
};

}  // namespace tunic::tcp
