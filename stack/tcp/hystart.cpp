#include "stack/tcp/hystart.hpp"

#include <algorithm>

namespace tunic::tcp {
namespace {

// RFC 9406 §4.3. Its thresholds, lowered: who comes to a queue that others have filled sees it rise by little before it
// overflows, and the less, the shorter the path. All of a round's samples have to be later, so that jitter seldom
// reaches them.
constexpr std::uint32_t min_rtt_thresh = 1'500;  // microseconds
constexpr std::uint32_t max_rtt_thresh = 8'000;  // microseconds
constexpr std::uint32_t min_rtt_divisor = 16;    // of what a round trip has beyond
constexpr std::uint32_t short_rtt = 12'000;      // microseconds
constexpr std::uint8_t n_rtt_sample = 8;
constexpr std::uint32_t css_growth_divisor = 4;

std::uint32_t microseconds(duration d) {
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max() - 1;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(d.count() / 1000, 0, most));
}

}  // namespace

void hystart::on_ack(bool round_start, std::optional<duration> rtt) {
  if (round_start) on_round();
  if (rtt) on_rtt(microseconds(*rtt));
}

std::uint32_t hystart::growth(std::uint32_t acked) const {
  return conservative() ? acked / css_growth_divisor : acked;  // L is infinite: super-segments bound bursts
}

void hystart::on_round() {
  // Not the last round's alone: behind somebody else's queue the round-trip time rises a little each round.
  base_min_rtt_ = std::min(base_min_rtt_, current_round_min_rtt_);
  current_round_min_rtt_ = none;
  rtt_sample_count_ = 0;
  // The round in whose midst Conservative Slow Start began counts as well.
  if (conservative()) css_rounds_ = std::min<std::uint8_t>(static_cast<std::uint8_t>(css_rounds_ + 1), css_rounds_max);
}

/// A round is judged by its first samples: later ones may be of segments that left while the path was idle, between two
/// bursts of the round before.
void hystart::on_rtt(std::uint32_t rtt) {
  if (rtt_sample_count_ == n_rtt_sample) return;
  current_round_min_rtt_ = std::min(current_round_min_rtt_, rtt);
  if (++rtt_sample_count_ < n_rtt_sample) return;
  if (conservative()) {
    if (current_round_min_rtt_ >= css_baseline_min_rtt_) return;
    css_baseline_min_rtt_ = none;  // the rise was jitter: slow start goes on
    base_min_rtt_ = current_round_min_rtt_;
    css_rounds_ = 0;
  } else if (base_min_rtt_ != none) {
    const std::uint32_t beyond = base_min_rtt_ - std::min(base_min_rtt_, short_rtt);
    const std::uint32_t thresh = std::clamp(beyond / min_rtt_divisor, min_rtt_thresh, max_rtt_thresh);
    if (current_round_min_rtt_ >= base_min_rtt_ + thresh) css_baseline_min_rtt_ = current_round_min_rtt_;
  }
}

}  // namespace tunic::tcp
