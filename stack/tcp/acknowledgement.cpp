#include <algorithm>

#include "stack/tcp/layer.hpp"

// RFC 9293 §3.10.7.4, fifth step: what an acknowledgement says of the text sent, of the round trip, of loss and of the
// window.

namespace tunic::tcp {
namespace {

// SEG.WND in octets; a SYN's is never scaled (RFC 7323 §2.2).
std::uint32_t window_in(const tcb& t, const segment& s) {
  return std::uint32_t{s.header.window.value} << (s.header.flags.syn ? 0 : t.snd.shift.value);
}

}  // namespace

bool layer::check_ack(tcb& t, const segment& s, instant now) {
  if (!s.flags.ack) return counters_.count(drop::bad_flags), false;
  if (t.state == state::syn_received) {
    if (s.ack <= t.snd.una || s.ack > t.snd.nxt) {
      counters_.count(drop::unacceptable_ack);
      reset_peer(s);
      return false;
    }
    if (t.listener && t.listener->accept_queue.size() >= t.listener->options.backlog) {
      counters_.count(drop::accept_queue_full);  // the peer will repeat itself, and somebody may accept by then
      return false;
    }
    note_timestamp(t, s);
    t.snd.una = s.ack;
    become_established(t, s, now);
    update_window(t, s);
    return true;
  }
  // RFC 5961 §5.2: what acknowledges too old or unsent octets is not believed.
  if (s.ack > t.snd.nxt || s.ack < t.snd.una - t.snd.max_wnd) {
    counters_.count(drop::unacceptable_ack);
    challenge(t, now);
    return false;
  }
  note_timestamp(t, s);  // only now: what nobody has verified must not outdate what is genuine
  take_ack(t, s, now);
  if (!t.fin_acked()) return true;
  switch (t.state) {
    case state::fin_wait_1:
      enter(t, state::fin_wait_2, now);
      if (!t.user) t.deadline(timer::fin_wait_2) = now + config_.fin_wait_2_timeout;
      return true;
    case state::closing: enter_time_wait(t, now); return false;
    case state::last_ack: close_with(t, {}, now); return false;
    case state::closed:
    case state::listen:
    case state::syn_sent:
    case state::syn_received:
    case state::established:
    case state::fin_wait_2:
    case state::close_wait:
    case state::time_wait: break;
  }
  return true;
}

void layer::take_ack(tcb& t, const segment& s, instant now) {
  t.unanswered =
      t.user || t.listener ? 0 : t.unanswered;  // an answering peer is alive; nobody waits for ever for an orphan's
  if (s.ack > t.snd.una) {
    on_new_ack(t, s, now);
  } else if (s.ack == t.snd.una && t.snd.una != t.snd.nxt && s.bare && window_in(t, s) == t.snd.wnd && t.snd.wnd > 0) {
    on_duplicate_ack(t, now);  // RFC 5681 §2; what a shut window answers to probes is none
  }
  update_window(t, s);
}

void layer::on_new_ack(tcb& t, const segment& s, instant now) {
  const std::uint32_t acked = distance(t.snd.una, s.ack);
  const std::uint32_t flight = distance(t.snd.una, t.snd.nxt);
  sample_rtt(t, s, now);
  t.send_queue.pop_front(std::min<std::uint64_t>(distance(t.seq_of(t.send_queue.begin()), s.ack), t.send_queue.size()));
  t.snd.una = s.ack;
  t.unanswered = 0;
  t.duplicate_acks = 0;
  t.soft_error = {};  // the path works again
  const auto phase = t.recovery.current();
  const auto progress = t.recovery.on_new_ack(t.snd.una, t.snd.nxt, t.mss);
  if (phase == recovery::phase::fast) {
    if (progress == recovery::progress::full) {
      t.cc.on_recovered(distance(t.snd.una, t.snd.nxt));
    } else {
      t.cc.on_partial_ack(acked);
    }
  } else {
    // Half of the window in flight is use enough: what a super-segment rounds off, or slow start has just added, is not
    // idleness.
    t.cc.on_ack(acked, flight >= t.cc.cwnd() / 2);
  }
  if (t.snd.una == t.snd.nxt) {
    t.deadline(timer::retransmit) = never;  // RFC 6298 §5.2
  } else {
    arm_retransmit(t, now);  // §5.3
  }
  if (t.send_short && t.send_queue.size() <= t.send_buffer / 2) {
    t.send_short = false;
    t.pending.writable = true;
  }
  make_ready(t);
}

void layer::on_duplicate_ack(tcb& t, instant) {
  constexpr unsigned threshold = 3;  // RFC 5681 §3.2
  if (t.duplicate_acks < 255) ++t.duplicate_acks;
  if (t.recovery.current() == recovery::phase::fast) {
    t.cc.on_duplicate_ack();
  } else if (t.duplicate_acks == threshold && t.recovery.may_enter_fast(t.snd.una)) {
    t.cc.on_fast_retransmit(distance(t.snd.una, t.snd.nxt));
    t.recovery.enter_fast(t.snd.una, t.snd.nxt, t.mss);
  } else {
    return;
  }
  make_ready(t);
}

void layer::sample_rtt(tcb& t, const segment& s, instant now) {
  if (t.timing) {
    if (s.ack < t.timed_seq) return;
    t.timing = false;
    t.rtt.sample(now - t.timed_at);
    t.backoff = 0;  // only a new measurement ends the backing off (RFC 6298 §5)
  } else if (t.timestamps_on && s.header.options.timestamps && s.header.options.timestamps->ecr != 0) {
    // Karn's ambiguity does not touch timestamps (RFC 7323 §4.1).
    const auto ms = static_cast<std::int32_t>(timestamp(t, now) - s.header.options.timestamps->ecr);
    if (ms < 0) return;
    t.rtt.sample(std::chrono::milliseconds{ms});
    t.backoff = 0;
  }
}

void layer::update_window(tcb& t, const segment& s) {
  if (s.ack < t.snd.una) return;
  if (!(t.snd.wl1 < s.seq || (t.snd.wl1 == s.seq && t.snd.wl2 <= s.ack))) return;
  const std::uint32_t wnd = window_in(t, s);
  const bool opens = t.snd.wnd == 0 && wnd > 0;
  if (wnd > t.snd.wnd) {
    if (opens) t.backoff = 0;
    if (opens || t.snd.una == t.snd.nxt) t.deadline(timer::retransmit) = never;  // it watched over the window
    if (opens) t.recovery.mark(t.snd.una, t.snd.nxt);                            // this met a shut one
    make_ready(t);
  }
  t.snd.wnd = wnd;
  t.snd.max_wnd = std::max(t.snd.max_wnd, wnd);
  t.snd.wl1 = s.seq;
  t.snd.wl2 = s.ack;
}

}  // namespace tunic::tcp
