#pragma once

#include <cstdint>

#include "drivers/path_options.hpp"
#include "drivers/random_stream.hpp"

namespace tunic::drivers {

/// Decides which datagrams of a path are lost: evenly, in bursts after Gilbert and Elliott, or so many a period.
class loss {
 public:
  loss(const path_options& options, std::uint64_t seed);

  /// Whether the next datagram is lost. `now` never goes back.
  bool next(instant now);

 private:
  bool of_period(instant now);

  double share_;
  double burst_begins_;
  double burst_ends_;
  duration interval_;
  std::uint64_t size_;
  random_stream even_;
  random_stream bursts_;
  bool in_burst_ = false;
  instant period_ends_ = never;  // not before the first datagram
  std::uint64_t left_ = 0;       // to be lost in this period
};

}  // namespace tunic::drivers
