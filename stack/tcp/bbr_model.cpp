#include <algorithm>
#include <cmath>
#include <utility>

#include "stack/tcp/bbr.hpp"

// The model of the path: draft-ietf-ccwg-bbr-05 §5.5.

namespace tunic::tcp {
namespace {

constexpr double loss_thresh = 0.02;  // BBR.LossThresh
constexpr double beta = 0.7;          // BBR.Beta
constexpr double headroom = 0.15;     // BBR.Headroom
constexpr duration min_rtt_filter_len = std::chrono::seconds{10};
constexpr duration probe_rtt_interval = std::chrono::seconds{5};
constexpr double probe_rtt_cwnd_gain = 0.5;
constexpr std::uint32_t extra_acked_filter_len = 10;  // rounds

template <typename T>
T scaled(T value, double factor) {
  return value == std::numeric_limits<T>::max() ? value : static_cast<T>(static_cast<double>(value) * factor);
}

}  // namespace

/// ProbeRTT keeps the sender from using the path (§5.3.4.3, MarkConnectionAppLimited).
bool bbr::limited(const rate_sample& r) const {
  return r.app_limited || (r.prior_delivered >= probe_rtt_from_ && r.prior_delivered < probe_rtt_until_);
}

/// §5.5.1.
void bbr::update_round(const ack_facts& f) {
  round_start_ = f.rate.prior_delivered >= next_round_delivered_;
  if (!round_start_) return;
  start_round();
  ++round_count_;
  ++rounds_since_probe_up_;
  cwnd_limited_ = std::exchange(cwnd_limited_now_, false);
  marked_in_round_ = 0;
}

/// §5.5.5: the most of this cycle and the last. What the user held back can only be too little: it raises the most, but
/// does not end a cycle.
void bbr::update_max_bw(const ack_facts& f) {
  max_bw_[0] = std::max(max_bw_[0], f.rate.rate());
}

/// §5.5.10.3.
void bbr::update_latest_delivery_signals(const ack_facts& f) {
  loss_round_start_ = f.rate.prior_delivered >= loss_round_delivered_;
  bw_latest_ = std::max(bw_latest_, f.rate.rate());
  inflight_latest_ = std::max(inflight_latest_, f.rate.delivered);
  if (loss_round_start_) loss_round_delivered_ = total_delivered_;
}

void bbr::advance_latest_delivery_signals(const ack_facts& f) {
  if (!loss_round_start_) return;
  bw_latest_ = f.rate.rate();
  inflight_latest_ = f.rate.delivered;
}

void bbr::update_congestion_signals(const ack_facts& f) {
  update_round(f);
  update_max_bw(f);
  if (!loss_round_start_) return;
  adapt_lower_bounds();
  lost_in_round_ = 0;
}

void bbr::reset_congestion_signals() {
  lost_in_round_ = 0;
  bw_latest_ = 0;
  inflight_latest_ = 0;
}

void bbr::reset_short_term_model() {
  bw_shortterm_ = infinite_rate;
  inflight_shortterm_ = infinite;
}

/// §5.5.10.3, AdaptLowerBoundsFromCongestion: once a round trip, unless it is bandwidth that is being probed for.
///
/// The draft answers to any loss. But the latest rate is below the one before by the loss and the pacing margin, so
/// that a path that loses one segment in a hundred by chance would be walked down by two per cent a round trip for up
/// to 63 of them. Here a round's losses count by the measure that ends Startup: six segments, and too many. A round
/// that brought no sample, as without SACK, says nothing of the rate.
void bbr::adapt_lower_bounds() {
  const bool probing = state_ == state::startup || state_ == state::probe_refill || state_ == state::probe_up;
  const double volume = static_cast<double>(inflight_latest_) + lost_in_round_;
  if (probing || bw_latest_ == 0 || lost_in_round_ < full_loss_count * mss_ ||
      lost_in_round_ <= loss_thresh * volume + chance(volume))
    return;
  if (bw_shortterm_ == infinite_rate) bw_shortterm_ = max_bw();
  if (inflight_shortterm_ == infinite) inflight_shortterm_ = cwnd_;
  bw_shortterm_ = std::max(bw_latest_, scaled(bw_shortterm_, beta));
  inflight_shortterm_ = std::max(static_cast<std::uint32_t>(std::min<std::uint64_t>(inflight_latest_, infinite - 1)),
                                 scaled(inflight_shortterm_, beta));
}

void bbr::bound_bw_for_model() {
  bw_ = std::min(max_bw(), bw_shortterm_);
}

/// §5.5.9.
void bbr::update_ack_aggregation(const ack_facts& f) {
  const double interval = std::chrono::duration<double>(f.now - extra_acked_interval_start_).count();
  double expected = static_cast<double>(bw_) * interval;
  if (static_cast<double>(extra_acked_delivered_) <= expected) {
    extra_acked_delivered_ = 0;
    extra_acked_interval_start_ = f.now;
    expected = 0;
  }
  extra_acked_delivered_ += f.delivered;
  const double extra = std::min(static_cast<double>(extra_acked_delivered_) - expected, static_cast<double>(cwnd_));
  // The most of ten rounds, or of one in Startup: of two halves, the older of which is forgotten.
  const std::uint32_t half = full_bw_reached_ ? extra_acked_filter_len / 2 : 1;
  if (round_start_ && round_count_ - extra_acked_round_ >= half) {
    extra_acked_ = {0, full_bw_reached_ ? extra_acked_[0] : 0};
    extra_acked_round_ = round_count_;
  }
  extra_acked_[0] = std::max(extra_acked_[0], static_cast<std::uint32_t>(std::max(extra, 0.0)));
}

/// §5.3.4.3.
void bbr::update_min_rtt(const ack_facts& f) {
  probe_rtt_expired_ = f.now > probe_rtt_min_stamp_ + probe_rtt_interval;
  if (f.rtt && (*f.rtt < probe_rtt_min_delay_ || probe_rtt_expired_)) {
    probe_rtt_min_delay_ = *f.rtt;
    probe_rtt_min_stamp_ = f.now;
  }
  const bool min_rtt_expired = f.now > min_rtt_stamp_ + min_rtt_filter_len;
  if (probe_rtt_min_delay_ < min_rtt_ || min_rtt_expired) {
    min_rtt_ = probe_rtt_min_delay_;
    min_rtt_stamp_ = probe_rtt_min_stamp_;
  }
}

void bbr::reset_full_bw() {
  full_bw_ = 0;
  full_bw_count_ = 0;
  full_bw_now_ = false;
}

/// §5.3.1.2: three rounds in which the delivery rate rises by less than a quarter.
void bbr::check_full_bw_reached(const ack_facts& f) {
  const std::uint64_t rate = f.rate.rate();
  if (full_bw_now_ || !round_start_ || limited(f.rate) || rate == 0) return;
  if (static_cast<double>(rate) >= static_cast<double>(full_bw_) * 1.25) {
    reset_full_bw();
    full_bw_ = rate;
    return;
  }
  full_bw_now_ = ++full_bw_count_ >= 3;
  if (full_bw_now_) full_bw_reached_ = true;
}

/// By how many octets more than the threshold losses may exceed it by mere chance: twice the standard deviation. A path
/// that loses one segment in a hundred at random takes two of fifty now and then, and of seventeen even one is too
/// many.
double bbr::chance(double volume) const {
  return 2 * std::sqrt(loss_thresh * volume * mss_);
}

/// §5.5.10.2, IsInflightTooHigh. Marks are nobody's chance.
bool bbr::too_high(std::uint32_t lost, std::uint32_t tx_in_flight) const {
  return std::max(lost - chance(tx_in_flight), 0.0) + marked_in_round_ > tx_in_flight * loss_thresh;
}

/// §5.5.10.2.
void bbr::note_loss(std::uint32_t octets) {
  if (lost_in_round_ == 0) loss_round_delivered_ = total_delivered_;
  lost_in_round_ += std::min(octets, infinite - lost_in_round_);
}

/// §5.5.10.2, HandleLostPacket, for the newest of what was lost.
void bbr::handle_losses(const ack_facts& f) {
  note_loss(f.lost);
  if (loss_events_in_round_ < std::numeric_limits<std::uint8_t>::max()) ++loss_events_in_round_;
  const loss_sample& p = f.loss;
  if (!is_bw_probe_sample_ || !too_high(p.lost, p.tx_in_flight)) return;
  // InflightAtLoss: with how much of it in flight would the losses have stayed within the threshold?
  const double inflight_prev = p.tx_in_flight - std::min(p.tx_in_flight, p.octets);
  const double lost_prev = p.lost - std::min(p.lost, p.octets);
  const double lost_prefix = std::max(0.0, (loss_thresh * inflight_prev - lost_prev) / (1 - loss_thresh));
  handle_inflight_too_high(static_cast<std::uint32_t>(inflight_prev + lost_prefix), p.app_limited, f.now);
}

void bbr::handle_marks(const ack_facts& f) {
  note_loss(f.marked);
  marked_in_round_ += std::min(f.marked, infinite - marked_in_round_);
  if (is_bw_probe_sample_ && too_high(f.rate.lost, f.rate.tx_in_flight))
    handle_inflight_too_high(f.rate.tx_in_flight, limited(f.rate), f.now);
}

void bbr::handle_inflight_too_high(std::uint32_t tx_in_flight, bool app_limited, instant now) {
  prev_probe_too_high_ = true;
  is_bw_probe_sample_ = false;  // once a probe
  if (!app_limited) inflight_longterm_ = std::max(tx_in_flight, scaled(target_inflight(), beta));
  if (state_ == state::probe_up) {
    undo_state_ = state::probe_up;
    start_probe_down(now);
  }
}

/// §5.6.4.2, BDPMultiple.
std::uint32_t bbr::bdp(std::uint64_t bw, double gain) const {
  if (min_rtt_ == duration::max()) return initial_cwnd_;
  const double octets = static_cast<double>(bw) * std::chrono::duration<double>(min_rtt_).count() * gain;
  return static_cast<std::uint32_t>(std::min(octets, static_cast<double>(1u << 30)));
}

/// §5.6.4.2: what the hosts hold on to on either side comes on top of what the path needs.
std::uint32_t bbr::quantization_budget(std::uint32_t inflight_cap) const {
  const std::uint32_t offload_budget = 3 * send_quantum(pacing_rate_, mss_);
  const std::uint32_t cap = std::max({inflight_cap, offload_budget, min_pipe_cwnd()});
  return state_ == state::probe_up ? cap + 2 * mss_ : cap;
}

std::uint32_t bbr::inflight(std::uint64_t bw, double gain) const {
  return quantization_budget(bdp(bw, gain));
}

/// §5.3.3.6: leaves a part of the path to others.
std::uint32_t bbr::inflight_with_headroom() const {
  if (inflight_longterm_ == infinite) return infinite;
  const std::uint32_t room = std::max(mss_, scaled(inflight_longterm_, headroom));
  return std::max(inflight_longterm_ - std::min(inflight_longterm_, room), min_pipe_cwnd());
}

std::uint32_t bbr::target_inflight() const {
  return std::min(bdp(bw_, 1.0), cwnd_);
}

std::uint32_t bbr::probe_rtt_cwnd() const {
  return std::max(bdp(bw_, probe_rtt_cwnd_gain), min_pipe_cwnd());
}

}  // namespace tunic::tcp
