#include "stack/tcp/time_wait.hpp"

#include "stack/tcp/layer.hpp"

namespace tunic::tcp {

void layer::enter_time_wait(tcb& t, instant now) {
  auto record = std::make_unique<time_wait>(t.ends);
  time_wait& w = *record;
  w.snd_nxt = t.snd.nxt;
  w.rcv_nxt = t.rcv.nxt;
  w.window = offer_window(t);
  w.tos = t.tos;
  w.hop_limit = t.hop_limit;
  w.invalid_answer_from = wrapped_ms(now.time_since_epoch());
  w.timestamps_on = t.timestamps_on;
  w.ts_offset = t.ts.offset;
  w.ts_recent = t.ts.recent;
  if (t.ack_now) acknowledge(w, now);
  t.ack_now = false;
  if (time_waits_ >= config_.time_wait_records) {
    close_with(t, {}, now);
    return;
  }
  demux_.remove(t);
  demux_.insert(*record.release());
  ++time_waits_;
  wheel_.arm(w, now + 2 * config_.msl);  // RFC 9293 §3.6.1, MUST-13
  enter(t, state::time_wait, now);
  timer_wheel::cancel(t);
  t.stop_timers();
  unready(t);
  if (t.user) {
    w.held = &t;
  } else {
    bury(t);
  }
}

// Of a connection in TIME-WAIT that its user still holds.
time_wait& layer::record_of(const tcb& t) const {
  return static_cast<time_wait&>(*demux_.find(t.ends));
}

tcb* layer::leave_time_wait(time_wait& w, instant now) {
  demux_.remove(w);
  --time_waits_;
  tcb* held = w.held;
  const four_tuple ends = w.ends;
  delete &w;
  if (!held) {
    if (observer_) observer_->on_state(ends, state::time_wait, state::closed, now);
    return nullptr;
  }
  enter(*held, state::closed, now);
  held->pending.closed = true;
  return held;
}

void layer::acknowledge(const time_wait& w, instant now) {
  orphan o{w.ends, {}, w.tos, w.hop_limit};
  o.header.seq_number = w.snd_nxt;
  o.header.ack_number = w.rcv_nxt;
  o.header.flags.ack = true;
  o.header.window = w.window;
  if (w.timestamps_on)
    o.header.options.timestamps = wire::tcp_timestamps{w.ts_offset + wrapped_ms(now.time_since_epoch()), w.ts_recent};
  push_orphan(o);
}

void layer::challenge(time_wait& w, instant now) {
  const std::uint32_t present = wrapped_ms(now.time_since_epoch());
  if (static_cast<std::int32_t>(present - w.invalid_answer_from) < 0) return counters_.count(drop::rate_limited);
  w.invalid_answer_from = present + wrapped_ms(config_.invalid_answer_interval);
  if (may_challenge(now)) acknowledge(w, now);
}

// RFC 6191 §2 from the other side, and Linux's tcp_tw_reuse: the peer, if it has not closed yet, takes our SYN for
// none of the old connection's segments by its timestamp, and what still comes of those is older than whatever the new
// one will hear. A second is what the peer's clock may take for a tick (RFC 7323 §5.4).
bool layer::may_reopen(const time_wait& w, instant now) const {
  constexpr duration slowest_tick = std::chrono::seconds{1};
  const instant entered = w.deadline() - 2 * config_.msl;
  return config_.timestamps && w.timestamps_on && !w.held && now - entered >= slowest_tick;
}

// RFC 9293 §3.6.1, MAY-2: our numbers go on behind all that the old connection used.
void layer::follow(tcb& t, seq used) {
  number_from(t, max(t.snd.iss, used));
}

// SEGMENT ARRIVES in TIME-WAIT (RFC 9293 §3.10.7.4).
void layer::arrives_time_wait(time_wait& w, const segment& s, instant now) {
  if (s.flags.syn && !s.flags.ack && !s.flags.rst && !s.flags.fin) {
    // A new incarnation is welcome if it cannot be mistaken for the old one (RFC 9293 §3.6.1, MAY-2, SHLD-4; RFC 6191
    // §2): by its timestamps, where what is left of the old one has older ones or none, else by its number.
    const auto& ts = s.header.options.timestamps;
    const bool stamped = ts && config_.timestamps;
    const std::int32_t newer = stamped && w.timestamps_on ? static_cast<std::int32_t>(ts->val - w.ts_recent) : 0;
    const bool by_time = newer > 0 || (stamped && !w.timestamps_on && config_.require_timestamps);
    const bool by_number = newer == 0 && s.seq > w.rcv_nxt;
    listener* l = find_listener(w.ends.local);
    // A cookie's number is not behind all that the old one used, so time alone can tell the two apart.
    if (l && (by_time || (by_number && !keeps_no_syn(*l)))) {
      if (const auto full = refuses_syn(*l)) return counters_.count(*full);
      const seq used = w.snd_nxt;
      tcb* held = leave_time_wait(w, now);
      arrives_listen(*l, s, now);
      if (demux_node* n = demux_.find(s.ends)) follow(static_cast<tcb&>(*n), used);
      if (held) notify(*held);
      return;
    }
  }
  if (s.flags.rst) {  // second step; RFC 5961 §3: only the exact number is believed
    if (s.seq == w.rcv_nxt) {
      if (tcb* held = leave_time_wait(w, now)) notify(*held);
    } else {
      counters_.count(drop::unacceptable_segment);
    }
    return;
  }
  if (s.flags.syn) {  // fourth step, as RFC 5961 §4.2 has it
    challenge(w, now);
    return;
  }
  const std::uint32_t len = s.len();
  if (len == 0 && s.seq == w.rcv_nxt) return;  // a late acknowledgement of what is acknowledged
  // "The only thing that can arrive in this state is a retransmission of the remote FIN": acknowledge, and wait anew.
  if (s.flags.fin && s.seq + len == w.rcv_nxt) {
    acknowledge(w, now);
    wheel_.arm(w, now + 2 * config_.msl);
    return;
  }
  counters_.count(drop::unacceptable_segment);
  challenge(w, now);
}

}  // namespace tunic::tcp
