#include <algorithm>

#include "stack/tcp/bbr.hpp"

// The state machine: draft-ietf-ccwg-bbr-05 §5.3.

namespace tunic::tcp {
namespace {

constexpr std::uint32_t most_reno_rounds = 63;
constexpr duration probe_rtt_duration = std::chrono::milliseconds{200};

/// SplitMix64: the next of a sequence of numbers that a seed gives.
std::uint64_t next(std::uint64_t& x) {
  std::uint64_t z = x += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

// §5.6.1, the table of gains.

double bbr::pacing_gain() const {
  switch (state_) {
    case state::startup: return 2.77;
    case state::drain: return 0.5;
    case state::probe_down: return 0.9;
    case state::probe_up: return 1.25;
    case state::probe_cruise:
    case state::probe_refill:
    case state::probe_rtt: break;
  }
  return 1.0;
}

double bbr::cwnd_gain() const {
  if (state_ == state::probe_rtt) return 0.5;
  return state_ == state::probe_up ? 2.25 : 2.0;
}

bool bbr::in_probe_bw() const {
  return state_ == state::probe_down || state_ == state::probe_cruise || state_ == state::probe_refill ||
         state_ == state::probe_up;
}

/// §5.3.1: until the rate no longer rises, or until losses say that the queue overflows for a round trip.
void bbr::check_startup_done(const ack_facts& f) {
  if (loss_round_start_) {
    const bool high_loss = f.phase == recovery_phase::recovery && loss_events_in_round_ >= full_loss_count &&
                           too_high(f.rate.lost, f.rate.tx_in_flight);
    if (state_ == state::startup && high_loss) {
      undo_state_ = state::startup;
      full_bw_reached_ = full_bw_now_ = true;
      inflight_longterm_ = std::max(
          bdp(max_bw(), 1.0), static_cast<std::uint32_t>(std::min<std::uint64_t>(inflight_latest_, infinite - 1)));
    }
    loss_events_in_round_ = 0;
  }
  if (state_ == state::startup && full_bw_reached_) enter_drain();
}

/// §5.3.2.
void bbr::enter_drain() {
  state_ = state::drain;
  drain_start_round_ = round_count_;
}

void bbr::check_drain_done(const ack_facts& f) {
  if (state_ != state::drain) return;
  if (f.in_flight <= inflight(bw_, 1.0) || round_count_ > drain_start_round_ + 3) start_probe_down(f.now);
}

// §5.3.3, ProbeBW.

void bbr::start_probe_down(instant now) {
  reset_congestion_signals();
  probe_up_acked_per_inc_ = infinite;
  pick_probe_wait();
  cycle_stamp_ = now;
  ack_phase_ = ack_phase::probe_stopping;
  start_round();
  state_ = state::probe_down;
}

void bbr::start_probe_refill() {
  reset_short_term_model();
  bw_probe_up_rounds_ = 0;
  bw_probe_up_acked_ = 0;
  prev_probe_precautionary_ = false;
  ack_phase_ = ack_phase::refilling;
  start_round();
  state_ = state::probe_refill;
}

void bbr::start_probe_up(const ack_facts& f) {
  ack_phase_ = ack_phase::probe_starting;
  start_round();
  reset_full_bw();
  full_bw_ = f.rate.rate();
  state_ = state::probe_up;
  raise_inflight_longterm_slope();
}

/// §5.3.3.6, UpdateProbeBWCyclePhase.
void bbr::update_probe_bw(const ack_facts& f) {
  if (!full_bw_reached_ || adapt_long_term_model(f)) return;
  switch (state_) {
    case state::probe_down:
      if (try_probe_bw(f.now)) return;
      if (f.in_flight <= inflight_with_headroom() && f.in_flight <= inflight(max_bw(), 1.0))
        state_ = state::probe_cruise;
      return;
    case state::probe_cruise: try_probe_bw(f.now); return;
    case state::probe_refill:
      if (!round_start_) return;
      is_bw_probe_sample_ = true;
      start_probe_up(f);
      return;
    case state::probe_up:
      if (!is_time_to_go_down(f)) return;
      prev_probe_too_high_ = false;
      start_probe_down(f.now);
      return;
    case state::startup:
    case state::drain:
    case state::probe_rtt: return;
  }
}

/// §5.3.3.5: after two to three seconds, or as soon as Reno would have grown by as much as is in flight.
bool bbr::try_probe_bw(instant now) {
  const std::uint32_t reno_rounds = std::min(target_inflight() / mss_, most_reno_rounds);
  if (now <= cycle_stamp_ + bw_probe_wait_ && rounds_since_probe_up_ < reno_rounds) return false;
  start_probe_refill();
  return true;
}

void bbr::pick_probe_wait() {
  rounds_since_probe_up_ = static_cast<std::uint32_t>(next(random_) & 1);
  bw_probe_wait_ = std::chrono::seconds{2} + duration{static_cast<std::int64_t>(next(random_) % 1'000'000'000)};
}

bool bbr::is_time_to_go_down(const ack_facts& f) {
  if (prev_probe_too_high_ && f.in_flight >= inflight_longterm_) {
    prev_probe_precautionary_ = true;
    return true;
  }
  if (cwnd_limited_ && cwnd_ >= inflight_longterm_) {
    reset_full_bw();  // it is inflight_longterm that holds the rate, not the path
    full_bw_ = f.rate.rate();
    return false;
  }
  return full_bw_now_;
}

/// In each round of ProbeBW_UP twice as many segments as in the one before.
void bbr::raise_inflight_longterm_slope() {
  const std::uint32_t growth_this_round = 1u << bw_probe_up_rounds_;
  bw_probe_up_rounds_ = std::min(bw_probe_up_rounds_ + 1, 30u);
  probe_up_acked_per_inc_ = std::max(cwnd_ / growth_this_round, mss_);
}

void bbr::probe_inflight_longterm_upward(const ack_facts& f) {
  if (!cwnd_limited_ || cwnd_ < inflight_longterm_) return;
  bw_probe_up_acked_ += f.delivered;
  if (bw_probe_up_acked_ >= probe_up_acked_per_inc_) {
    const std::uint64_t delta = bw_probe_up_acked_ / probe_up_acked_per_inc_;
    bw_probe_up_acked_ -= delta * probe_up_acked_per_inc_;
    inflight_longterm_ =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(inflight_longterm_ + delta * mss_, 1u << 30));
  }
  if (round_start_) raise_inflight_longterm_slope();
}

/// §5.3.3.6, AdaptLongTermModel. True where it has decided the next state.
bool bbr::adapt_long_term_model(const ack_facts& f) {
  if (ack_phase_ == ack_phase::probe_starting && round_start_) ack_phase_ = ack_phase::probe_feedback;
  if (ack_phase_ == ack_phase::probe_stopping && round_start_) {
    is_bw_probe_sample_ = false;
    ack_phase_ = ack_phase::init;
    if (in_probe_bw()) {
      // A cycle that brought no sample, as without SACK, has nothing to put in the place of the one before.
      if (!limited(f.rate) && max_bw_[0] > 0) max_bw_ = {0, max_bw_[0]};
      if (prev_probe_precautionary_ && !prev_probe_too_high_) {
        start_probe_refill();
        return true;
      }
    }
  }
  if (too_high(f.rate.lost, f.rate.tx_in_flight) || inflight_longterm_ == infinite) return false;
  inflight_longterm_ = std::max(inflight_longterm_, f.rate.tx_in_flight);
  if (state_ == state::probe_up) probe_inflight_longterm_upward(f);
  return false;
}

// §5.3.4, ProbeRTT.

void bbr::check_probe_rtt(const ack_facts& f) {
  if (state_ != state::probe_rtt && probe_rtt_expired_ && !idle_restart_) {
    save_cwnd();
    state_ = state::probe_rtt;
    probe_rtt_done_stamp_ = never;
    ack_phase_ = ack_phase::probe_stopping;
    probe_rtt_from_ = total_delivered_;
    start_round();
  }
  if (state_ == state::probe_rtt) handle_probe_rtt(f);
  idle_restart_ = false;
}

void bbr::handle_probe_rtt(const ack_facts& f) {
  probe_rtt_until_ = total_delivered_ + std::max(f.in_flight, 1u);
  if (probe_rtt_done_stamp_ == never) {
    if (f.in_flight > probe_rtt_cwnd()) return;
    probe_rtt_done_stamp_ = f.now + probe_rtt_duration;
    probe_rtt_round_done_ = false;
    start_round();
    return;
  }
  if (round_start_) probe_rtt_round_done_ = true;
  if (probe_rtt_round_done_) check_probe_rtt_done(f.now);
}

/// §5.3.4.4: on to ProbeBW, whose queue is drained already, or back to Startup.
void bbr::check_probe_rtt_done(instant now) {
  if (probe_rtt_done_stamp_ == never || now <= probe_rtt_done_stamp_) return;
  probe_rtt_min_stamp_ = now;
  cwnd_ = std::max(cwnd_, prior_cwnd_);
  reset_short_term_model();
  if (full_bw_reached_) {
    start_probe_down(now);
    state_ = state::probe_cruise;
  } else {
    state_ = state::startup;
  }
}

}  // namespace tunic::tcp
