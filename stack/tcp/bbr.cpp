#include "stack/tcp/bbr.hpp"

#include <algorithm>

// Events and control parameters: draft-ietf-ccwg-bbr-05 §5.2, §5.4 and §5.6.

namespace tunic::tcp {
namespace {

constexpr double pacing_margin = 0.99;         // BBR.PacingMarginPercent
constexpr std::uint32_t most_cwnd = 1u << 30;  // the largest window that can be offered (RFC 7323 §2.3)

}  // namespace

/// §5.2.1 and §5.6.2, InitPacingRate.
void bbr::on_established(std::uint32_t window, std::uint32_t mss, std::optional<duration> rtt, instant now) {
  mss_ = mss;
  initial_cwnd_ = cwnd_ = window;
  if (rtt) min_rtt_ = *rtt;
  min_rtt_stamp_ = probe_rtt_min_stamp_ = extra_acked_interval_start_ = cycle_stamp_ = now;
  const auto ns = static_cast<double>(rtt && *rtt > duration::zero() ? rtt->count() : 1'000'000);
  pacing_rate_ = static_cast<std::uint64_t>(pacing_gain() * window * 1e9 / ns);
}

/// §5.4.1: after an idle time it goes on at the rate that it knows.
void bbr::on_send(std::uint32_t octets, std::uint32_t in_flight, bool app_limited, instant now) {
  if (in_flight == 0 && app_limited) {
    idle_restart_ = true;
    if (in_probe_bw()) {
      set_pacing_rate(1.0);
    } else if (state_ == state::probe_rtt) {
      check_probe_rtt_done(now);
    }
  }
  if (std::uint64_t{in_flight} + octets + mss_ > cwnd_) cwnd_limited_ = cwnd_limited_now_ = true;
}

/// §5.2.3.
void bbr::on_ack(const ack_facts& f) {
  total_delivered_ = f.total_delivered;
  if (f.lost > 0) handle_losses(f);
  if (f.marked > 0) handle_marks(f);
  if (f.delivered > 0) {
    update_latest_delivery_signals(f);
    update_congestion_signals(f);
    update_ack_aggregation(f);
    check_full_bw_reached(f);
    check_startup_done(f);
    check_drain_done(f);
    update_probe_bw(f);
    update_min_rtt(f);
    check_probe_rtt(f);
    advance_latest_delivery_signals(f);
    bound_bw_for_model();
  }
  set_pacing_rate(pacing_gain());
  set_cwnd(f);
}

/// §5.6.2: the rate only rises until the pipe was once full.
void bbr::set_pacing_rate(double gain) {
  const auto rate = static_cast<std::uint64_t>(gain * static_cast<double>(bw_) * pacing_margin);
  if (full_bw_reached_ || rate > pacing_rate_) pacing_rate_ = std::max<std::uint64_t>(rate, 1);
}

/// §5.6.4.6 and §5.6.4.7.
void bbr::set_cwnd(const ack_facts& f) {
  const std::uint32_t extra = std::max(extra_acked_[0], extra_acked_[1]);
  const std::uint32_t max_inflight = quantization_budget(std::min(most_cwnd, bdp(bw_, cwnd_gain())) + extra);
  const std::uint32_t grown = std::min(most_cwnd, cwnd_ + std::min(f.delivered, most_cwnd));
  if (full_bw_reached_) {
    cwnd_ = std::min(grown, max_inflight);
  } else if (cwnd_ < max_inflight || total_delivered_ < initial_cwnd_) {
    cwnd_ = grown;
  }
  cwnd_ = std::max(cwnd_, min_pipe_cwnd());
  if (state_ == state::probe_rtt) cwnd_ = std::min(cwnd_, probe_rtt_cwnd());

  std::uint32_t cap = infinite;
  if (state_ == state::probe_rtt || state_ == state::probe_cruise) {
    cap = inflight_with_headroom();
  } else if (in_probe_bw()) {
    cap = inflight_longterm_;
  }
  cwnd_ = std::min(cwnd_, std::max(std::min(cap, inflight_shortterm_), min_pipe_cwnd()));
}

void bbr::save_cwnd() {
  const bool modulated = in_loss_recovery_ || state_ == state::probe_rtt;
  prior_cwnd_ = modulated ? std::max(prior_cwnd_, cwnd_) : cwnd_;
}

/// §5.5.11.1, once an episode.
void bbr::save_state_upon_loss() {
  save_cwnd();
  if (in_loss_recovery_) return;
  undo_state_ = state::probe_cruise;
  undo_bw_shortterm_ = bw_shortterm_;
  undo_inflight_shortterm_ = inflight_shortterm_;
  undo_inflight_longterm_ = inflight_longterm_;
  in_loss_recovery_ = true;
}

void bbr::on_congestion(congestion_cause, std::uint32_t, instant) {
  save_state_upon_loss();
}

void bbr::on_timeout(std::uint32_t, bool, instant) {
  save_state_upon_loss();
  cwnd_ = mss_;  // §5.6.4.4: nothing is in flight, and one segment goes out
}

void bbr::on_recovered(std::uint32_t, instant) {
  if (!in_loss_recovery_) return;
  in_loss_recovery_ = false;
  cwnd_ = std::max(cwnd_, prior_cwnd_);  // the model bounds it again with the next ACK
}

/// §5.5.11.2.
void bbr::on_undo(instant) {
  in_loss_recovery_ = false;
  cwnd_ = std::max(cwnd_, prior_cwnd_);
  lost_in_round_ = 0;
  reset_full_bw();
  bw_shortterm_ = std::max(bw_shortterm_, undo_bw_shortterm_);
  inflight_shortterm_ = std::max(inflight_shortterm_, undo_inflight_shortterm_);
  inflight_longterm_ = std::max(inflight_longterm_, undo_inflight_longterm_);
  if (undo_state_ == state::startup && state_ != state::startup) {
    full_bw_reached_ = false;
    if (state_ != state::probe_rtt) state_ = state::startup;
  } else if (undo_state_ == state::probe_up && state_ != state::probe_up && state_ != state::probe_rtt) {
    start_probe_refill();
  }
  undo_state_ = state::probe_cruise;
}

}  // namespace tunic::tcp
