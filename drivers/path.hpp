#pragma once

#include <cstdint>
#include <vector>

#include "drivers/bottleneck.hpp"
#include "drivers/loss.hpp"
#include "drivers/path_options.hpp"
#include "drivers/random_stream.hpp"
#include "stack/buffer/pool.hpp"
#include "stack/buffer/slice.hpp"
#include "stack/wire/bytes.hpp"

namespace tunic::drivers {

/// What has become of the datagrams of a path. Those that came and the doubles are those that passed, were lost or
/// dropped, and those under way.
struct path_counters {
  std::uint64_t came = 0;
  std::uint64_t passed = 0;
  std::uint64_t passed_octets = 0;
  std::uint64_t lost = 0;         ///< by chance, in bursts or periods
  std::uint64_t too_large = 0;    ///< vanished in a path-MTU black hole
  std::uint64_t queue_drops = 0;  ///< found no room before the bottleneck
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;  ///< of those passed: another one that came later was faster (RFC 4737 §3)
  std::uint64_t corrupted = 0;
  std::uint64_t marked = 0;  ///< CE in place of ECT
};

/// One direction of a path of the worse kind. It does no I/O and reads no clock: datagrams and the time are handed in,
/// and everything else follows from the options and the seed.
class path {
 public:
  /// Octets of buffers that may be under way, so that a flood ends in drops before it ends in memory.
  static constexpr std::uint64_t most_held = 256u << 20;

  path(const path_options& options, std::uint64_t seed);

  /// A datagram, of at most pool::large_size octets and with finished checksums, comes to the beginning of the path; it
  /// is copied. `now` never goes back, here and in pop().
  void push(wire::octets datagram, instant now);
  /// The next datagram that has reached the end of the path by now; an empty slice where there is none.
  slice pop(instant now);
  /// When pop() has the next one; `never` where nothing is under way.
  [[nodiscard]] instant next_deadline() const { return under_way_.empty() ? never : under_way_.front().due; }

  [[nodiscard]] const path_counters& counters() const { return counters_; }
  [[nodiscard]] std::size_t under_way() const { return under_way_.size(); }

 private:
  struct entry {
    instant due;
    std::uint64_t number;  // in the order in which they came
    slice datagram;
  };
  static bool later(const entry& a, const entry& b);

  void enter(wire::octets datagram, instant now);
  instant arrival(instant left);

  path_options options_;
  loss loss_;
  bottleneck bottleneck_;
  random_stream duplicate_;
  random_stream corrupt_;
  random_stream jitter_;
  random_stream reorder_;
  pool pool_;
  std::vector<entry> under_way_;  // a heap, the earliest first
  std::uint64_t held_ = 0;        // octets of their buffers
  std::uint64_t entered_ = 0;
  std::uint64_t expected_ = 0;  // one more than the highest number that passed
  instant in_order_{};          // nothing arrives earlier while order is kept
  path_counters counters_;
};

}  // namespace tunic::drivers
