#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "stack/base/seq.hpp"
#include "stack/base/time.hpp"
#include "stack/tcp/scoreboard.hpp"

namespace tunic::tcp {

/// The latest transmission of a flight that has been delivered (RFC 8985 §5.2).
struct rack_latest {
  instant at{};  ///< RACK.xmit_ts
  seq end;       ///< RACK.end_seq
};

/// RACK's other variables (RFC 8985 §5.2): whatever was sent sufficiently before something that has arrived is lost.
class rack {
 public:
  /// RACK_update (§6.2, steps 1 and 2): a stretch was delivered. `spurious` where a timestamp shows that the first
  /// transmission of what was sent again arrived.
  void on_delivered(rack_latest& l, const scoreboard::run& r, bool spurious, duration min_rtt, instant now) {
    const duration rtt = now - r.sent.at;
    if (r.again && (spurious || rtt < min_rtt)) return;
    advanced_ = true;
    rtt_ = rtt;
    if (sent_after(r.sent.at, r.end, l.at, l.end)) l = {r.sent.at, r.end};
  }

  /// Step 3: something arrived behind what is above it and was never sent again.
  void on_reordering() { ++reordering_seen_; }
  /// How often.
  [[nodiscard]] std::uint32_t reordering_seen() const { return reordering_seen_; }

  /// A D-SACK says that a retransmission was needless: the window of reordering was too small (step 4).
  void on_dsack() { dsack_seen_ = true; }
  /// Once an ACK: `prior_delivered` is what the newest stretch that it delivers had seen delivered.
  void adapt(std::uint64_t prior_delivered, std::uint64_t delivered) {
    if (prior_delivered < adapted_at_) dsack_seen_ = false;  // once a round trip
    if (dsack_seen_) {
      if (multiplier_ < 255) ++multiplier_;
      dsack_seen_ = false;
      adapted_at_ = delivered;
      persist_ = persist_recoveries;
    } else if (persist_ == 0) {
      multiplier_ = 1;
    }
  }
  void on_recovered() {
    if (persist_ > 0) --persist_;
  }

  /// RACK_update_reo_wnd (§3.2; §6.2, step 4): how long reordering may last. `eager`: in recovery already, or as many
  /// segments are sacked as prove a loss.
  [[nodiscard]] duration reordering_window(bool eager, duration min_rtt, duration srtt) const {
    if (reordering_seen_ == 0 && eager) return {};
    return std::min(min_rtt / 4 * multiplier_, srtt);
  }

  /// RACK_detect_loss (step 5): `due` is when the stretch is lost unless it arrives before.
  [[nodiscard]] static bool precedes(const rack_latest& l, const scoreboard::run& r) {
    return sent_after(l.at, l.end, r.sent.at, r.end);
  }
  [[nodiscard]] instant due(const scoreboard::run& r, duration window) const { return r.sent.at + rtt_ + window; }

  /// Whether the last ACK has moved anything; once.
  [[nodiscard]] bool take_advanced() { return std::exchange(advanced_, false); }

 private:
  static constexpr std::uint8_t persist_recoveries = 16;

  static bool sent_after(instant t1, seq end1, instant t2, seq end2) { return t1 > t2 || (t1 == t2 && end1 > end2); }

  duration rtt_{};                // RACK.rtt
  std::uint64_t adapted_at_ = 0;  // RACK.dsack_round, in octets delivered
  std::uint32_t reordering_seen_ = 0;
  std::uint8_t multiplier_ = 1;  // RACK.reo_wnd_mult
  std::uint8_t persist_ = 0;     // RACK.reo_wnd_persist
  bool advanced_ = false;
  bool dsack_seen_ = false;
};

}  // namespace tunic::tcp
