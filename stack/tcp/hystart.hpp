#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "stack/base/time.hpp"

namespace tunic::tcp {

/// HyStart++ (RFC 9406): leaves slow start when the round-trip time rises, before the queue overflows. A rise begins
/// Conservative Slow Start; five rounds of it end slow start, a fall of the round-trip time takes it back.
class hystart {
 public:
  /// An ACK in slow start; `round_start` where it is a round trip's first.
  void on_ack(bool round_start, std::optional<duration> rtt);
  /// By how many octets the window opens when so many are acknowledged.
  [[nodiscard]] std::uint32_t growth(std::uint32_t acked) const;
  /// Slow start is over: ssthresh becomes the window.
  [[nodiscard]] bool over() const { return css_rounds_ == css_rounds_max; }
  [[nodiscard]] bool conservative() const { return css_baseline_min_rtt_ != none; }

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint8_t css_rounds_max = 5;  // CSS_ROUNDS

  void on_round();
  void on_rtt(std::uint32_t rtt);

  // Microseconds.
  std::uint32_t base_min_rtt_ = none;  // of all rounds so far, or since a rise proved to be jitter
  std::uint32_t current_round_min_rtt_ = none;
  std::uint32_t css_baseline_min_rtt_ = none;
  std::uint8_t rtt_sample_count_ = 0;
  std::uint8_t css_rounds_ = 0;  // of Conservative Slow Start, completed
};

}  // namespace tunic::tcp
