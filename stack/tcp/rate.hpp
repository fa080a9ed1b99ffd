#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "stack/base/time.hpp"
#include "stack/tcp/congestion_control.hpp"
#include "stack/tcp/scoreboard.hpp"

namespace tunic::tcp {

/// Measures how fast the path delivers (draft-ietf-ccwg-bbr-04 §4.1): a sample an ACK, over the flight of the newest
/// stretch that it delivers, the slower of sending and acknowledging.
class delivery_rate {
 public:
  /// Octets are about to leave while `in_flight` are on their way; what the scoreboard notes of them.
  [[nodiscard]] transmission on_send(std::uint32_t octets, std::uint32_t in_flight, instant now) {
    if (in_flight == 0) first_sent_at_ = delivered_at_ = now;
    return {now, delivered_, delivered_at_, first_sent_at_, lost_, in_flight + octets, app_limited_until_ > 0};
  }
  /// The user has nothing more to send although the window would take it: until so much is delivered, samples tell
  /// about the user and not about the path.
  void on_app_limited(std::uint32_t in_flight) {
    app_limited_until_ = delivered_ + in_flight > 0 ? delivered_ + in_flight : 1;
  }

  /// A stretch has been delivered.
  void on_delivered(const scoreboard::run& r, instant now) {
    const std::uint32_t counted = std::min(counted_unseen_, r.size());
    counted_unseen_ -= counted;
    delivered_ += r.size() - counted;
    delivered_at_ = now;
    const transmission& t = r.sent;
    if (has_newest_ && t.delivered < newest_.delivered) return;
    has_newest_ = true;
    newest_ = t;
    first_sent_at_ = t.at;
  }
  void on_delivered_unseen(std::uint32_t octets, instant now) {  // by duplicate ACKs without SACK
    delivered_ += octets;
    delivered_at_ = now;
  }
  /// So many of what is delivered next were counted so.
  void discount(std::uint32_t octets) { counted_unseen_ = octets; }
  void on_lost(std::uint32_t octets) { lost_ += octets; }
  /// One of them, as it was sent.
  void note_lost(const scoreboard::run& r) {
    if (lost_sample_.octets > 0 && r.sent.delivered < lost_prior_delivered_) return;
    lost_sample_ = {r.size(), r.sent.in_flight, 0, r.sent.app_limited};
    lost_prior_delivered_ = r.sent.delivered;
    lost_prior_ = r.sent.lost;
  }

  /// The ACK is dealt with whole.
  [[nodiscard]] rate_sample take_sample(duration min_rtt) {
    if (app_limited_until_ > 0 && delivered_ > app_limited_until_) app_limited_until_ = 0;
    rate_sample s;
    if (!std::exchange(has_newest_, false)) return s;
    s.prior_delivered = newest_.delivered;
    s.delivered = delivered_ - newest_.delivered;
    s.tx_in_flight = newest_.in_flight;
    s.lost = static_cast<std::uint32_t>(lost_ - newest_.lost);
    s.app_limited = newest_.app_limited;
    const duration sending = newest_.at - newest_.first_sent_at;
    const duration acknowledging = delivered_at_ - newest_.delivered_at;
    s.interval = std::max(sending, acknowledging);
    if (s.interval < min_rtt) s.interval = {};  // shorter than a round trip: aggregated ACKs, no rate
    last_ = s.interval > duration{} ? s.rate() : last_;
    return s;
  }

  /// The newest of what was noted as lost since this was last asked.
  [[nodiscard]] loss_sample take_loss() {
    if (lost_sample_.octets > 0) lost_sample_.lost = static_cast<std::uint32_t>(lost_ - lost_prior_);
    return std::exchange(lost_sample_, {});
  }

  /// What had been delivered when the newest stretch of this ACK was sent; before take_sample.
  [[nodiscard]] std::uint64_t newest_prior() const { return has_newest_ ? newest_.delivered : 0; }
  /// Whether a round trip has passed since this was last true: what was sent then is delivered.
  [[nodiscard]] bool round_has_passed(std::uint64_t prior_delivered) {
    if (prior_delivered < round_end_) return false;
    round_end_ = delivered_;
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
  std::uint64_t round_end_ = 0;
  std::uint64_t app_limited_until_ = 0;
  std::uint64_t last_ = 0;
  std::uint32_t counted_unseen_ = 0;
  instant delivered_at_{};
  instant first_sent_at_{};
  transmission newest_;
  std::uint64_t lost_prior_delivered_ = 0;  // when the octets of lost_sample_ were sent
  std::uint64_t lost_prior_ = 0;
  loss_sample lost_sample_;
  bool has_newest_ = false;
};

}  // namespace tunic::tcp
