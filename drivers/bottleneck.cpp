#include "drivers/bottleneck.hpp"

#include <algorithm>

namespace tunic::drivers {

std::optional<bottleneck::passage> bottleneck::take(std::size_t octets, instant now) {
  if (rate_ == 0) return passage{now};
  while (!queue_.empty() && queue_.front().begins <= now) {
    queued_octets_ -= queue_.front().octets;
    queue_.pop_front();
  }
  passage p;
  if (free_ > now) {
    const queue_length with{queue_.size() + 1, queued_octets_ + octets};
    if (with.packets > limit_.packets || with.octets > limit_.octets) return {};
    p.congested = with.packets > unmarked_.packets || with.octets > unmarked_.octets;
    queue_.push_back({free_, octets});
    queued_octets_ += octets;
  } else if (free_ < now) {
    free_ = now;
    carry_ = 0;
  }
  constexpr std::uint64_t bits = 8, a_second = 1'000'000'000;
  const std::uint64_t work = octets * bits * a_second + carry_;
  free_ += duration{static_cast<duration::rep>(work / rate_)};
  carry_ = work % rate_;
  p.left = free_;
  return p;
}

}  // namespace tunic::drivers
