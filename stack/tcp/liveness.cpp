#include "stack/tcp/liveness.hpp"

#include <algorithm>
#include <utility>

#include "stack/tcp/layer.hpp"

// Whether the peer is still there: keep-alives (RFC 9293 §3.8.4) and the user timeout (§3.8.3, §3.10.8; RFC 5482).

namespace tunic::tcp {
namespace {

patience patience_of(duration d) {
  constexpr duration most = patience::max();
  return std::chrono::duration_cast<patience>(std::clamp(d, duration{}, most));
}

}  // namespace

liveness filled_in(liveness l, const config& c) {
  if (l.keep_alive_probes == 0) l.keep_alive_probes = static_cast<std::uint8_t>(std::min(c.keep_alive_probes, 255u));
  if (l.syn_retries == 0) l.syn_retries = static_cast<std::uint8_t>(std::min(c.syn_retries, 255u));
  if (l.keep_alive_idle == patience{}) l.keep_alive_idle = patience_of(c.keep_alive_idle);
  if (l.keep_alive_interval == patience{}) l.keep_alive_interval = patience_of(c.keep_alive_interval);
  if (l.user_timeout == patience{}) l.user_timeout = patience_of(c.user_timeout);
  if (l.fin_wait_2 == patience{}) l.fin_wait_2 = patience_of(c.fin_wait_2_timeout);
  return l;
}

void layer::set_liveness(tcb& t, const liveness& l, instant now) {
  if (t.state == state::closed) return;
  const liveness old = std::exchange(t.live, filled_in(l, config_));
  if (t.live.keep_alive != old.keep_alive || t.live.keep_alive_idle != old.keep_alive_idle) arm_keep_alive(t, now);
  const bool waits = waits_for_peer(t) && t.live.user_timeout > patience{};
  t.deadline(timer::user) = waits ? std::max(now, t.flight->waiting_since + t.live.user_timeout) : never;
  rearm(t);
}

void layer::arm_keep_alive(tcb& t, instant now) {
  t.keep_alives = 0;
  t.deadline(timer::keep_alive) = t.live.keep_alive ? now + t.live.keep_alive_idle : never;
}

void layer::on_keep_alive_timeout(tcb& t, instant now) {
  if (!t.live.keep_alive || !t.synchronised()) return;
  if (!t.flight->board.empty() || !t.flight->send_queue.empty()) {  // the retransmission timer watches already (§3.8.4)
    t.deadline(timer::keep_alive) = now + t.live.keep_alive_interval;
    return;
  }
  const bool bounded = t.live.user_timeout > patience{};  // then the time counts, not the probes
  const instant end = bounded ? t.last_received + t.live.user_timeout : never;
  const bool gone = bounded ? t.keep_alives > 0 && end <= now : t.keep_alives >= t.live.keep_alive_probes;
  if (gone) {
    abort_with(t, std::errc::timed_out, now);
    return;
  }
  if (t.keep_alives < 255) ++t.keep_alives;
  t.keep_alive_due = true;
  t.deadline(timer::keep_alive) = now + t.live.keep_alive_interval;
  if (end > now) t.deadline(timer::keep_alive) = std::min(t.deadline(timer::keep_alive), end);
  make_ready(t);
}

// Whether something is due from the peer: an answer to our SYN, an acknowledgement, an open window.
bool layer::waits_for_peer(const tcb& t) {
  const bool probing = t.recovery.awaited == retransmit_kind::persist && t.deadline(timer::retransmit) != never;
  return !t.synchronised() || !t.flight->board.empty() || probing;
}

// The user timeout begins anew: something is due from the peer from now on, or the peer has just moved on.
void layer::begin_waiting(tcb& t, instant now) {
  t.flight->waiting_since = now;
  if (t.live.user_timeout > patience{}) t.deadline(timer::user) = now + t.live.user_timeout;
}

// §3.10.8, USER TIMEOUT; RFC 5482 §3 and §3.3, though no peer changes it. It bounds an attempt to connect as well (RFC
// 5461 §4.2).
void layer::on_user_timeout(tcb& t, instant now) {
  if (!waits_for_peer(t)) return;
  close_with(t, t.soft_error != std::errc{} ? t.soft_error : std::errc::timed_out, now);
}

// Nobody waits for a FIN for ever (FIN-WAIT-2 has no timeout in RFC 9293), nor, where a user who is gone has named a
// time, for the acknowledgement of ours.
void layer::on_released_timeout(tcb& t, instant now) {
  if (t.state == state::fin_wait_2) {
    close_with(t, {}, now);
  } else {
    abort_with(t, {}, now);
  }
}

// §3.8.3: R2 is reached, by count. A user timeout says it in time instead.
bool layer::out_of_patience(tcb& t, unsigned most, instant now) {
  const bool timed = t.synchronised() && t.live.user_timeout > patience{};
  if (!timed && t.unanswered >= most) {
    close_with(t, t.soft_error != std::errc{} ? t.soft_error : std::errc::timed_out, now);
    return true;
  }
  if (t.unanswered < 255) ++t.unanswered;
  return false;
}

}  // namespace tunic::tcp
