#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "stack/base/time.hpp"
#include "stack/tcp/congestion_control.hpp"
#include "stack/tcp/scoreboard.hpp"

namespace tunic::tcp {

/// What the ACKs of a flight have told since congestion control was last told of it, and since when it has been under
/// way.
struct rate_samples {
  instant delivered_at{};            ///< when something last was
  instant first_sent_at{};           ///< when the newest that was delivered had been sent, or the flight began
  std::uint64_t round_end = 0;       ///< octets of the connection delivered by then
  std::uint32_t counted_unseen = 0;  ///< octets delivered next that were counted already
  bool has_newest = false;           ///< this ACK has delivered something
  transmission newest;               ///< and its newest was sent so

  std::uint64_t lost_prior_delivered = 0;  ///< when the octets of `loss` were sent
  std::uint64_t lost_prior = 0;
  loss_sample loss;

  /// So many of what is delivered next were counted by duplicate ACKs.
  void discount(std::uint32_t octets) { counted_unseen = octets; }
  /// Some of what was lost, as it was sent.
  void note_lost(const scoreboard::run& r) {
    if (loss.octets > 0 && r.sent.delivered < lost_prior_delivered) return;
    loss = {r.size(), r.sent.in_flight, 0, r.sent.app_limited};
    lost_prior_delivered = r.sent.delivered;
    lost_prior = r.sent.lost;
  }
  /// What had been delivered when the newest stretch of this ACK was sent; before take_sample.
  [[nodiscard]] std::uint64_t newest_prior() const { return has_newest ? newest.delivered : 0; }
};

/// Measures how fast the path delivers (draft-ietf-ccwg-bbr-04 §4.1): a sample an ACK, over the flight of the newest
/// stretch that it delivers, the slower of sending and acknowledging.
class delivery_rate {
 public:
  /// Octets are about to leave while `in_flight` are on their way; what the scoreboard notes of them.
  [[nodiscard]] transmission on_send(rate_samples& f, std::uint32_t octets, std::uint32_t in_flight,
                                     instant now) const {
    if (in_flight == 0) f.first_sent_at = f.delivered_at = now;
    return {now, delivered_, f.delivered_at, f.first_sent_at, lost_, in_flight + octets, app_limited()};
  }
  /// The user has nothing more to send although the window would take it: until so much is delivered, samples tell
  /// about the user and not about the path.
  void on_app_limited(std::uint32_t in_flight) {
    app_limited_until_ = delivered_ + in_flight > 0 ? delivered_ + in_flight : 1;
  }

  /// A stretch has been delivered.
  void on_delivered(rate_samples& f, const scoreboard::run& r, instant now) {
    const std::uint32_t counted = std::min(f.counted_unseen, r.size());
    f.counted_unseen -= counted;
    delivered_ += r.size() - counted;
    f.delivered_at = now;
    const transmission& t = r.sent;
    if (f.has_newest && t.delivered < f.newest.delivered) return;
    f.has_newest = true;
    f.newest = t;
    f.first_sent_at = t.at;
  }
  void on_delivered_unseen(rate_samples& f, std::uint32_t octets, instant now) {  // by duplicate ACKs without SACK
    delivered_ += octets;
    f.delivered_at = now;
  }
  void on_lost(std::uint32_t octets) { lost_ += octets; }

  /// The ACK is dealt with whole.
  [[nodiscard]] rate_sample take_sample(rate_samples& f, duration min_rtt) {
    if (app_limited_until_ > 0 && delivered_ > app_limited_until_) app_limited_until_ = 0;
    rate_sample s;
    if (!std::exchange(f.has_newest, false)) return s;
    s.prior_delivered = f.newest.delivered;
    s.delivered = delivered_ - f.newest.delivered;
    s.tx_in_flight = f.newest.in_flight;
    s.lost = static_cast<std::uint32_t>(lost_ - f.newest.lost);
    s.app_limited = f.newest.app_limited;
    const duration sending = f.newest.at - f.newest.first_sent_at;
    const duration acknowledging = f.delivered_at - f.newest.delivered_at;
    s.interval = std::max(sending, acknowledging);
    if (s.interval < min_rtt) s.interval = {};  // shorter than a round trip: aggregated ACKs, no rate
    last_ = s.interval > duration{} ? s.rate() : last_;
    return s;
  }

  /// The newest of what was noted as lost since this was last asked.
  [[nodiscard]] loss_sample take_loss(rate_samples& f) const {
    if (f.loss.octets > 0) f.loss.lost = static_cast<std::uint32_t>(lost_ - f.lost_prior);
    return std::exchange(f.loss, {});
  }

  /// Whether a round trip has passed since this was last true: what was sent then is delivered.
  [[nodiscard]] bool round_has_passed(rate_samples& f, std::uint64_t prior_delivered) const {
    if (prior_delivered < f.round_end) return false;
    f.round_end = delivered_;
    return true;
  }

  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] bool app_limited() const { return app_limited_until_ > 0; }
  /// Octets a second, of the last sample.
  [[nodiscard]] std::uint64_t last() const { return last_; }

 private:
  std::uint64_t delivered_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t app_limited_until_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace tunic::tcp
