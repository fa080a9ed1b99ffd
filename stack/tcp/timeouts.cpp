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
  const auto due = [&](timer which) {
    if (t.deadline(which) > now) return false;
    t.deadline(which) = never;
    return true;
  };
  if (due(timer::delayed_ack)) {
    t.ack_now = true;
    make_ready(t);
  }
  if (due(timer::retransmit)) on_retransmit_timeout(t, now);
  if (t.state != state::closed && due(timer::keep_alive)) on_keep_alive_timeout(t, now);
  if (t.state != state::closed && due(timer::fin_wait_2)) close_with(t, {}, now);
  rearm(t);
  notify(t);
}

void layer::on_retransmit_timeout(tcb& t, instant now) {
  const bool opening = t.state == state::syn_sent || t.state == state::syn_received;
  const unsigned most = t.state == state::syn_sent       ? config_.syn_retries
                        : t.state == state::syn_received ? config_.syn_ack_retries
                                                         : config_.retries;
  if (t.unanswered >= most) {  // RFC 9293 §3.8.3: R2 is reached
    close_with(t, t.soft_error ? t.soft_error : make_error_code(std::errc::timed_out), now);
    return;
  }
  ++t.unanswered;
  const bool first = t.recovery.current() != recovery::phase::timeout;
  if (t.backoff < 16) ++t.backoff;  // (5.5)
  const std::uint32_t in_flight = distance(t.snd.una, t.snd.nxt);
  if (in_flight == 0) {  // a shut or silly window: probe it (RFC 9293 §3.8.6.1, MUST-36)
    t.window_probe_due = true;
  } else if (!opening && t.snd.wnd == 0) {  // the probe again; that it is not taken is no sign of congestion
    t.recovery.mark(t.snd.una, t.snd.una + 1);
  } else {
    if (!opening) t.cc.on_timeout(in_flight, first);
    t.recovery.enter_timeout(t.snd.una, t.snd.nxt);  // (5.4), and everything behind it
    t.duplicate_acks = 0;
  }
  arm_retransmit(t, now);  // (5.6)
  make_ready(t);
}

void layer::on_keep_alive_timeout(tcb& t, instant now) {
  if (!t.keep_alive || !t.synchronised()) return;
  if (t.snd.una != t.snd.nxt) {  // the retransmission timer watches already (§3.8.4)
    t.deadline(timer::keep_alive) = now + config_.keep_alive_interval;
    return;
  }
  if (t.keep_alives >= config_.keep_alive_probes) {
    abort_with(t, make_error_code(std::errc::timed_out), now);
    return;
  }
  ++t.keep_alives;
  t.keep_alive_due = true;
  t.deadline(timer::keep_alive) = now + config_.keep_alive_interval;
  make_ready(t);
}

duration layer::rto(const tcb& t) const {
  constexpr duration after_lost_syn = std::chrono::seconds{3};  // RFC 6298 §5.7
  const duration initial = t.syn_timed_out ? std::max(after_lost_syn, config_.rto_initial) : config_.rto_initial;
  return t.rtt.rto(initial, config_.rto_min, config_.rto_max);
}

void layer::arm_retransmit(tcb& t, instant now) {
  duration wait = rto(t);
  for (unsigned i = 0; i < t.backoff && wait < config_.rto_max; ++i) wait *= 2;
  t.deadline(timer::retransmit) = now + std::min(wait, config_.rto_max);
}

void layer::arm_keep_alive(tcb& t, instant now) {
  t.keep_alives = 0;
  t.deadline(timer::keep_alive) = t.keep_alive ? now + config_.keep_alive_idle : never;
}

// A deadline that moves later leaves the node where it is: it fires early, finds nothing due and comes back here. So
// the usual case, an acknowledgement that puts the timeout off, does not touch the wheel.
void layer::rearm(tcb& t) {
  const instant earliest = *std::min_element(t.deadlines.begin(), t.deadlines.end());
  if (t.state == state::closed || earliest == never) {
    timer_wheel::cancel(t);
  } else if (!t.armed() || earliest < t.timer_node::deadline()) {
    wheel_.arm(t, earliest);
  }
}

}  // namespace tunic::tcp
