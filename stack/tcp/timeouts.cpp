#include <algorithm>

#include "stack/tcp/layer.hpp"

// RFC 9293 §3.10.8, TIMEOUTS: user, retransmission and time-wait, with RFC 6298's rules for the second.

namespace tunic::tcp {

void layer::on_deadline(instant now) {
  reap();
  while (timer_node* due = wheel_.pop_due(now)) {
    auto& node = static_cast<demux_node&>(*due);
    if (node.kind == demux_kind::time_wait) {
      if (tcb* held = leave_time_wait(static_cast<time_wait&>(node), now)) notify(*held);
    } else {
      on_timeout(static_cast<tcb&>(node), now);
    }
  }
}

void layer::on_timeout(tcb& t, instant now) {
  const sender_mind before = mind_of(t);
  const auto due = [&](timer which) {
    if (t.deadline(which) > now) return false;
    t.deadline(which) = never;
    return true;
  };
  if (due(timer::delayed_ack)) {
    t.ack_now = true;
    t.interactive = false;  // nothing came for the acknowledgement to ride on
    make_ready(t);
  }
  if (due(timer::pacing)) make_ready(t);
  if (due(timer::cork)) uncork_once(t);
  if (due(timer::retransmit)) on_retransmit_deadline(t, now);
  if (t.state != state::closed && due(timer::user)) on_user_timeout(t, now);
  if (t.state != state::closed && due(timer::keep_alive)) on_keep_alive_timeout(t, now);
  if (t.state != state::closed && due(timer::released)) on_released_timeout(t, now);
  observe(t, before, now);
  rearm(t);
  notify(t);
}

void layer::on_retransmit_deadline(tcb& t, instant now) {
  auto& r = t.recovery;
  switch (r.awaited) {
    case retransmit_kind::timeout: on_retransmit_timeout(t, now); break;
    case retransmit_kind::reordering: on_reordering_timeout(t, now); break;
    case retransmit_kind::loss_probe:
      r.probe_due = true;
      r.awaited = retransmit_kind::timeout;
      arm_retransmit(t, now);
      break;
    case retransmit_kind::persist:
      if (out_of_patience(t, config_.retries, now)) return;
      if (t.backoff < 16) ++t.backoff;
      t.window_probe_due = true;
      arm_persist(t, now);
      break;
  }
  make_ready(t);
}

// RFC 6298 §5.4 to §5.7 (RFC 9293 §3.8.2, MUST-19; SYNs alike, §3.8.3, MUST-22), RFC 6675 §5.1, RFC 8985 §6.3.
void layer::on_retransmit_timeout(tcb& t, instant now) {
  const bool opening = t.state == state::syn_sent || t.state == state::syn_received;
  const unsigned most = t.state == state::syn_sent       ? t.live.syn_retries
                        : t.state == state::syn_received ? config_.syn_ack_retries
                                                         : config_.retries;
  const bool again = t.unanswered > 0;
  if (out_of_patience(t, most, now)) return;
  if (t.backoff < 16) ++t.backoff;  // (5.5)
  if (opening) {
    t.syn_due = true;
  } else if (!t.flight->board.empty()) {
    if (t.snd.wnd > 0) {  // that a shut window does not answer is no sign of congestion, nor of anything
      const bool undisturbed = t.recovery.phase < recovery_phase::cwr;
      if (suspect_black_hole(t, now) && undisturbed) t.search->sparing = true;
      enter_loss(t, again, now);
    }
    t.recovery.head_due = true;  // (5.4)
  }
  arm_retransmit(t, now);  // (5.6)
}

void layer::on_reordering_timeout(tcb& t, instant now) {
  const std::uint32_t in_flight = t.flight->board.in_flight();
  ack_news n;
  n.prior_una = t.snd.una;
  n.prior_in_flight = in_flight;
  if (!rack_detect(t, n.lost, now)) arm_loss_timer(t, now, false);
  if (n.lost == 0) return;
  const bool narrower = only_probe_lost(t);
  judge_mtu_probe(t, now);
  if (narrower || size_is_to_blame(t, now)) return;
  if (t.recovery.phase != recovery_phase::recovery) enter_recovery(t, in_flight, now);
  tell_congestion_control(t, n, now);
}

duration layer::rto(const tcb& t) const {
  constexpr duration after_lost_syn = std::chrono::seconds{3};  // RFC 6298 §5.7
  const duration initial = t.syn_timed_out ? std::max(after_lost_syn, config_.rto_initial) : config_.rto_initial;
  return t.rtt.rto(initial, config_.rto_min, config_.rto_max);
}

duration layer::backed_off(const tcb& t) const {
  duration wait = rto(t);
  for (unsigned i = 0; i < t.backoff && wait < config_.rto_max; ++i) wait *= 2;
  return std::min(wait, config_.rto_max);
}

void layer::arm_retransmit(tcb& t, instant now) {
  t.recovery.awaited = retransmit_kind::timeout;
  t.deadline(timer::retransmit) = now + backed_off(t);
}

// RFC 9293 §3.8.6.1, SHLD-29, SHLD-30.
void layer::arm_persist(tcb& t, instant now) {
  t.recovery.awaited = retransmit_kind::persist;
  t.deadline(timer::retransmit) = now + backed_off(t);
}

// RFC 8985 §7.2: a probe helps only where SACK tells what it met, and where nothing is known to be wrong.
bool layer::may_probe(const tcb& t) {
  const auto& r = t.recovery;
  return t.sack_on && !r.probing && (r.phase == recovery_phase::open || r.phase == recovery_phase::cwr);
}

// The one deadline of what is outstanding: PTO where a probe may come first, else RTO. `advancing`: an ACK has just
// moved on, so RTO begins anew (RFC 6298 §5.3, RFC 6928 §9). Nothing goes again before its time (RFC 6298 §5).
void layer::arm_loss_timer(tcb& t, instant now, bool advancing) {
  auto& deadline = t.deadline(timer::retransmit);
  if (t.flight->board.empty()) {
    deadline = never;  // §5.2
    t.recovery.awaited = retransmit_kind::timeout;
    return;
  }
  const duration timeout = backed_off(t);
  const instant of_head = std::max(t.flight->board.front().sent.at + timeout, now);
  if (may_probe(t)) {
    constexpr duration granularity = std::chrono::milliseconds{2};
    duration pto = t.rtt.sampled() ? 2 * t.rtt.srtt() : config_.rto_initial;
    pto += t.outstanding() <= t.mss ? config_.rto_min : granularity;  // one segment's ACK may be delayed
    deadline = std::min(now + pto, advancing ? now + timeout : of_head);
    t.recovery.awaited = retransmit_kind::loss_probe;
    return;
  }
  const bool elsewhere =
      t.recovery.awaited == retransmit_kind::reordering || t.recovery.awaited == retransmit_kind::loss_probe;
  deadline = elsewhere ? of_head : now + timeout;
  t.recovery.awaited = retransmit_kind::timeout;
}

// A deadline that moves later leaves the node where it is: it fires early, finds nothing due and comes back here. So
// the usual case, an acknowledgement that puts the timeout off, does not touch the wheel.
void layer::rearm(tcb& t) {
  const instant earliest = t.earliest_deadline();
  if (t.state == state::closed || earliest == never) {
    timer_wheel::cancel(t);
  } else if (!t.armed() || earliest < t.timer_node::deadline()) {
    wheel_.arm(t, earliest);
  }
}

}  // namespace tunic::tcp
