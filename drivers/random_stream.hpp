#pragma once

#include <cstdint>

namespace tunic::drivers {

/// Random numbers that a seed decides: SplitMix64 (Steele, Lea and Flood, 2014). Not for secrets.
class random_stream {
 public:
  /// Streams of one seed with different numbers have nothing to do with each other.
  random_stream(std::uint64_t seed, std::uint64_t number) : state_(mix(mix(seed + step) + (number + 1) * step)) {}

  std::uint64_t next() { return mix(state_ += step); }
  /// 0 to `bound` - 1; `bound` is not 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  /// Holds in that share of the calls, 0 to 1.
  bool chance(double share) { return static_cast<double>(next() >> 11) * 0x1p-53 < share; }

 private:
  static constexpr std::uint64_t step = 0x9e3779b97f4a7c15;  // 2^64 by the golden ratio, odd

  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  std::uint64_t state_;
};

}  // namespace tunic::drivers
