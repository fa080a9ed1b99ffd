#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/base/time.hpp"

namespace tunic::drivers {

/// How much may wait: so many datagrams and so many octets, whichever is reached first.
struct queue_length {
  std::uint64_t packets = UINT64_MAX;
  std::uint64_t octets = UINT64_MAX;
};

/// What befalls the datagrams of one direction of a path, in this order: some are lost or doubled, all go through a
/// bottleneck, and behind it they are damaged and delayed. Shares are 0 to 1 and drawn for each datagram, each
/// impairment from a random stream of its own: one of them does not change what another one draws.
struct path_options {
  std::size_t largest = SIZE_MAX;  ///< octets; a larger datagram vanishes, and nobody is told (a path-MTU black hole)
  double loss = 0;                 ///< a share, each datagram by itself
  double burst_begins = 0;         ///< the share of datagrams at which a burst of losses begins (Gilbert 1960) ...
  double burst_ends = 1;           ///< ... and at which a burst that lasts ends: 1 / burst_ends is its mean length
  duration burst_interval{};       ///< of the periods, counted from the first datagram on; 0: there are none
  std::uint64_t burst_size = 0;    ///< so many are lost at the beginning of each period but the first, and none that
                                   ///< come when a tenth of it is over
  double duplicate = 0;            ///< a share that goes through the bottleneck twice

  std::uint64_t rate = 0;   ///< of the bottleneck, in bit/s of IP datagrams; 0: there is none
  queue_length queue{};     ///< that waits before it; a datagram for which there is no room is dropped
  queue_length unmarked{};  ///< a datagram that makes the queue longer is marked CE if it is ECT (RFC 3168 §5)

  double corrupt = 0;            ///< a share in which one bit is flipped
  duration delay{};              ///< for all
  duration jitter{};             ///< at most so much more, drawn evenly
  bool jitter_reorders = false;  ///< else a datagram never overtakes another one by its jitter
  double reorder = 0;            ///< a share that is held back, while others overtake it ...
  duration reorder_by{};         ///< ... for so long
};

}  // namespace tunic::drivers
