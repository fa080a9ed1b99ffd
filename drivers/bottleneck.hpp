#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "drivers/path_options.hpp"

namespace tunic::drivers {

/// A link of a certain rate and the queue before it, by calculation alone: it holds no datagram. Exact to the
/// nanosecond over any number of datagrams.
class bottleneck {
 public:
  explicit bottleneck(const path_options& options)
      : rate_(options.rate), limit_(options.queue), unmarked_(options.unmarked) {}

  struct passage {
    instant left;            ///< when its last bit is through
    bool congested = false;  ///< the queue is longer with it than it may be without a mark
  };
  /// Takes a datagram of so many octets; nothing where the queue has no room for it. The one that the link is sending
  /// does not count as waiting. `now` never goes back.
  std::optional<passage> take(std::size_t octets, instant now);

 private:
  struct waiting {
    instant begins;  // when its turn comes
    std::size_t octets;
  };

  std::uint64_t rate_;
  queue_length limit_;
  queue_length unmarked_;
  std::deque<waiting> queue_;
  std::uint64_t queued_octets_ = 0;
  instant free_{};           // when the link has sent all that it has
  std::uint64_t carry_ = 0;  // of the division by the rate: the part of a nanosecond that free_ lacks
};

}  // namespace tunic::drivers
