#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "stack/tcp/congestion_control.hpp"

namespace tunic::tcp {

/// BBR version 3 (draft-ietf-ccwg-bbr-05; sections and names are the draft's): a model of the path, of how much it
/// delivers in a second and of its round-trip time, from which the pacing rate and the window follow. Loss bounds it.
///
/// Marks count as losses do (§3.6): the draft specifies no answer of its own to ECN, but wants congestion to be seen.
class bbr final : public congestion_control {
 public:
  /// `seed`: of the moments at which it probes for bandwidth.
  explicit bbr(std::uint64_t seed) : random_(seed) {}

  void on_established(std::uint32_t window, std::uint32_t mss, std::optional<duration> rtt, instant now) override;
  void set_mss(std::uint32_t mss) override { mss_ = mss; }
  void on_send(std::uint32_t octets, std::uint32_t in_flight, bool app_limited, instant now) override;
  void on_ack(const ack_facts& f) override;
  void on_congestion(congestion_cause why, std::uint32_t in_flight, instant now) override;
  void on_timeout(std::uint32_t in_flight, bool again, instant now) override;
  void on_recovered(std::uint32_t in_flight, instant now) override;
  void on_undo(instant now) override;
  void on_idle(std::uint32_t, instant) override {}  // §5.4: it restarts by pacing at the bandwidth it knows

  [[nodiscard]] std::uint32_t cwnd() const override { return cwnd_; }
  [[nodiscard]] std::uint32_t ssthresh() const override { return no_threshold; }
  [[nodiscard]] std::uint64_t pacing_rate() const override { return pacing_rate_; }
  [[nodiscard]] congestion_algorithm algorithm() const override { return congestion_algorithm::bbr; }

  enum class state : std::uint8_t { startup, drain, probe_down, probe_cruise, probe_refill, probe_up, probe_rtt };
  [[nodiscard]] state phase() const { return state_; }

 private:
  /// What the ACKs of the moment tell of, with respect to probing (§2.12).
  enum class ack_phase : std::uint8_t { init, refilling, probe_starting, probe_feedback, probe_stopping };

  static constexpr std::uint32_t infinite = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t full_loss_count = 6;  // BBRStartupFullLossCnt
  static constexpr std::uint64_t infinite_rate = std::numeric_limits<std::uint64_t>::max();

  // The model of the path (§5.5), in bbr_model.cpp.
  void update_latest_delivery_signals(const ack_facts& f);
  void advance_latest_delivery_signals(const ack_facts& f);
  void update_congestion_signals(const ack_facts& f);
  void update_round(const ack_facts& f);
  void update_max_bw(const ack_facts& f);
  void update_ack_aggregation(const ack_facts& f);
  void update_min_rtt(const ack_facts& f);
  void check_full_bw_reached(const ack_facts& f);
  void adapt_lower_bounds();
  void note_loss(std::uint32_t octets);
  void handle_losses(const ack_facts& f);
  void handle_marks(const ack_facts& f);
  void handle_inflight_too_high(std::uint32_t tx_in_flight, bool app_limited, instant now);
  void reset_full_bw();
  void reset_congestion_signals();
  void reset_short_term_model();
  void bound_bw_for_model();
  void start_round() { next_round_delivered_ = total_delivered_; }
  [[nodiscard]] double chance(double volume) const;
  [[nodiscard]] bool too_high(std::uint32_t lost, std::uint32_t tx_in_flight) const;
  [[nodiscard]] bool limited(const rate_sample& r) const;
  [[nodiscard]] std::uint64_t max_bw() const { return std::max(max_bw_[0], max_bw_[1]); }
  [[nodiscard]] std::uint32_t bdp(std::uint64_t bw, double gain) const;
  [[nodiscard]] std::uint32_t inflight(std::uint64_t bw, double gain) const;
  [[nodiscard]] std::uint32_t quantization_budget(std::uint32_t inflight_cap) const;
  [[nodiscard]] std::uint32_t inflight_with_headroom() const;
  [[nodiscard]] std::uint32_t target_inflight() const;
  [[nodiscard]] std::uint32_t probe_rtt_cwnd() const;
  [[nodiscard]] std::uint32_t min_pipe_cwnd() const { return 4 * mss_; }

  // The state machine (§5.3), in bbr_states.cpp.
  void check_startup_done(const ack_facts& f);
  void check_drain_done(const ack_facts& f);
  void update_probe_bw(const ack_facts& f);
  void check_probe_rtt(const ack_facts& f);
  void handle_probe_rtt(const ack_facts& f);
  void check_probe_rtt_done(instant now);
  void enter_drain();
  void start_probe_down(instant now);
  void start_probe_refill();
  void start_probe_up(const ack_facts& f);
  bool adapt_long_term_model(const ack_facts& f);
  bool try_probe_bw(instant now);
  bool is_time_to_go_down(const ack_facts& f);
  void probe_inflight_longterm_upward(const ack_facts& f);
  void raise_inflight_longterm_slope();
  void pick_probe_wait();
  [[nodiscard]] bool in_probe_bw() const;
  [[nodiscard]] double pacing_gain() const;
  [[nodiscard]] double cwnd_gain() const;

  // The control parameters (§5.6), in bbr.cpp.
  void set_pacing_rate(double gain);
  void set_cwnd(const ack_facts& f);
  void save_cwnd();
  void save_state_upon_loss();

  std::uint32_t mss_ = 536;
  std::uint32_t initial_cwnd_ = 536;
  std::uint32_t cwnd_ = 536;
  std::uint32_t prior_cwnd_ = 0;
  std::uint64_t pacing_rate_ = 0;
  std::uint64_t random_;

  // Rounds (§5.5.1).
  std::uint64_t total_delivered_ = 0;
  std::uint64_t next_round_delivered_ = 0;
  std::uint32_t round_count_ = 0;
  std::uint32_t drain_start_round_ = 0;
  std::uint32_t rounds_since_probe_up_ = 0;

  // What the path takes in a second, and in flight.
  std::array<std::uint64_t, 2> max_bw_{};  // of this cycle of probing and of the one before
  std::uint64_t bw_shortterm_ = infinite_rate;
  std::uint64_t bw_ = 0;
  std::uint64_t bw_latest_ = 0;
  std::uint64_t full_bw_ = 0;
  std::uint64_t inflight_latest_ = 0;
  std::uint64_t loss_round_delivered_ = 0;
  std::uint32_t inflight_longterm_ = infinite;
  std::uint32_t inflight_shortterm_ = infinite;
  std::uint32_t lost_in_round_ = 0;  // or marked, since the first loss of the round
  std::uint32_t marked_in_round_ = 0;

  // How much more than that arrives at once (§5.5.9).
  instant extra_acked_interval_start_{};
  std::uint64_t extra_acked_delivered_ = 0;
  std::array<std::uint32_t, 2> extra_acked_{};  // the most of the last rounds, and of those before
  std::uint32_t extra_acked_round_ = 0;         // the first of the last

  // Probing for bandwidth (§5.3.3).
  instant cycle_stamp_{};
  duration bw_probe_wait_{};
  std::uint64_t bw_probe_up_acked_ = 0;
  std::uint32_t probe_up_acked_per_inc_ = infinite;
  std::uint32_t bw_probe_up_rounds_ = 0;

  // Probing for the round-trip time (§5.3.4).
  duration min_rtt_ = duration::max();
  duration probe_rtt_min_delay_ = duration::max();
  instant min_rtt_stamp_{};
  instant probe_rtt_min_stamp_{};
  instant probe_rtt_done_stamp_ = never;
  std::uint64_t probe_rtt_from_ = 0;   // what was sent when so much had been delivered,
  std::uint64_t probe_rtt_until_ = 0;  // up to so much, was held back by ProbeRTT

  // What comes back when a loss was none (§5.5.11).
  std::uint64_t undo_bw_shortterm_ = 0;
  std::uint32_t undo_inflight_shortterm_ = 0;
  std::uint32_t undo_inflight_longterm_ = 0;
  state undo_state_ = state::probe_cruise;  // startup, probe_up, or any other: none

  state state_ = state::startup;
  ack_phase ack_phase_ = ack_phase::init;
  std::uint8_t full_bw_count_ = 0;
  std::uint8_t loss_events_in_round_ = 0;
  bool round_start_ = false;
  bool loss_round_start_ = false;
  bool in_loss_recovery_ = false;
  bool full_bw_now_ = false;
  bool full_bw_reached_ = false;
  bool cwnd_limited_ = false;      // in the last round or this one
  bool cwnd_limited_now_ = false;  // in this one
  bool is_bw_probe_sample_ = false;
  bool prev_probe_too_high_ = false;
  bool prev_probe_precautionary_ = false;
  bool idle_restart_ = false;
  bool probe_rtt_expired_ = false;
  bool probe_rtt_round_done_ = false;
};

static_assert(sizeof(bbr) <= 640);

}  // namespace tunic::tcp
