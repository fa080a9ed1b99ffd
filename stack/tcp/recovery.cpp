#include <algorithm>
#include <utility>

#include "stack/tcp/layer.hpp"

// What an acknowledgement says of loss: RFC 6675 §5 and 6582 (the episodes), RFC 8985 §3.1, §3.2 and §9.2 (which octets
// are lost), RFC 5682 and 3522 (which were not), RFC 8985 §7 (the probe). How much may leave then is PRR's matter (RFC
// 9937 §5).

namespace tunic::tcp {

void layer::judge(tcb& t, ack_news& n, instant now) {
  auto& r = t.recovery;
  bool keep_timer = false;  // what RACK or the peer's breach of promise set stays
  if (n.duplicate || n.sacked || n.dsack || r.phase != recovery_phase::open || t.flight->board.lost() > 0) {
    if (n.acked > 0 && !t.flight->board.empty() && t.flight->board.front().sacked) {
      // RFC 2018 §8: the peer has dropped what it had sacked. Not even a timeout's wait is due: a moment, lest this ACK
      // was overtaken by another.
      r.awaited = retransmit_kind::timeout;
      t.deadline(timer::retransmit) = now + std::max<duration>(t.rtt.srtt() / 2, std::chrono::milliseconds{10});
      keep_timer = true;
    } else {
      keep_timer = judge_episode(t, n, now);
    }
  }
  if (keep_timer) return;
  const bool head_moved = n.acked > 0;
  // A SACK for what was sent before the head's last transmission says nothing of the head (RFC 6298 §5.3 in its
  // spirit).
  const bool head_is_late =
      n.oldest_sacked && !t.flight->board.empty() && *n.oldest_sacked < t.flight->board.front().sent.at;
  if (head_moved || head_is_late) arm_loss_timer(t, now, true);
}

// Whether the deadline was set to what RACK waits for.
bool layer::judge_episode(tcb& t, ack_news& n, instant now) {
  auto& r = t.recovery;
  using enum recovery_phase;
  if (r.phase != open && t.snd.una >= r.end) {  // all that was outstanding when the episode began has arrived
    switch (r.phase) {
      case cwr:
        // Held until something behind it is acknowledged, so that the CWR bit has reached the peer.
        if (t.snd.una != r.end) finish_episode(t, now);
        break;
      case recovery:
        if (!t.sack_on) t.flight->board.presume(0);
        if (was_spurious(t, n)) undo(t, now);
        finish_episode(t, now);
        break;
      case open:
      case disorder:
      case loss: break;
    }
  }
  if (!t.sack_on && n.duplicate) presume_segment(t, n, now);
  bool waits = false;
  switch (r.phase) {
    case recovery:
      if (n.acked > 0 && undo_partial(t, n, now)) return false;
      if (undo_by_dsack(t, now)) try_open(t);
      waits = find_losses(t, n, now);
      if (r.phase == recovery) return waits;
      break;
    case loss: {
      judge_timeout(t, n, now);
      const std::uint32_t resent = t.flight->board.resent();
      waits = find_losses(t, n, now);
      const bool lost_again = t.flight->board.resent() < resent;  // a retransmission was lost: congestion anew
      if (r.phase != open && !lost_again) return waits;
      break;
    }
    case open:
    case disorder:
    case cwr:
      if (r.phase != cwr && undo_by_dsack(t, now)) try_open(t);
      waits = find_losses(t, n, now);
      break;
  }
  if (t.flight->board.lost() == 0 || only_probe_lost(t)) {
    try_open(t);
  } else if (size_is_to_blame(t, now)) {
    n.lost = 0;
  } else {
    enter_recovery(t, n.prior_in_flight, now);
  }
  return waits;
}

// Without SACK a duplicate ACK says no more than that some segment has left the network; so a new one may leave, and
// the window need not change (RFC 3042 §2, RFC 5681 §3.2).
void layer::presume_segment(tcb& t, ack_news& n, instant now) {
  if (t.recovery.duplicate_acks < 255) ++t.recovery.duplicate_acks;
  const std::uint32_t before = t.flight->board.presumed();
  t.flight->board.presume(before + t.mss);
  n.delivered += t.flight->board.presumed() - before;
  t.rate.on_delivered_unseen(t.flight->samples, t.flight->board.presumed() - before, now);
  t.large_passed = true;  // most likely it was a full one
}

bool layer::find_losses(tcb& t, ack_news& n, instant now) {
  if (t.flight->board.empty()) return false;
  auto& r = t.recovery;
  if (!t.sack_on) {  // NewReno (RFC 6582 §3.2): the head, at the third duplicate and at each partial ACK
    const bool begins = r.phase < recovery_phase::recovery && r.duplicate_acks >= r.reordering && t.snd.una >= t.hold;
    const bool goes_on = r.phase == recovery_phase::recovery && n.acked > 0;
    if (begins || goes_on) {
      const std::uint32_t lost = t.flight->board.mark_lost(t.snd.una, min(t.snd.una + t.mss, t.snd.nxt));
      n.lost += lost;
      t.rate.on_lost(lost);
      if (lost > 0) t.flight->samples.note_lost(t.flight->board.front());
    }
    return false;
  }
  if (!t.rack.take_advanced()) return false;
  return rack_detect(t, n.lost, now);
}

// RFC 8985 §6.2, step 5. Whether the deadline is set to when the next stretch may be lost.
bool layer::rack_detect(tcb& t, std::uint32_t& newly_lost, instant now) {
  constexpr duration granularity = std::chrono::milliseconds{2};
  const auto& r = t.recovery;
  const bool eager =
      r.phase >= recovery_phase::recovery || t.flight->board.sacked() >= std::uint32_t{r.reordering} * t.mss;
  const duration window = t.rack.reordering_window(eager, t.rtt.min(), t.rtt.srtt());
  instant wait_until{};
  const std::uint32_t lost = t.flight->board.judge([&](const scoreboard::run& run) {
    if (!rack::precedes(t.flight->latest, run)) return false;
    const instant due = t.rack.due(run, window);
    if (due <= now) {
      t.flight->samples.note_lost(run);
      return true;
    }
    wait_until = std::max(wait_until, due);
    return false;
  });
  newly_lost += lost;
  t.rate.on_lost(lost);
  if (wait_until == instant{}) return false;
  t.recovery.awaited = retransmit_kind::reordering;
  t.deadline(timer::retransmit) = wait_until + granularity;
  return true;
}

// RFC 6675 §5, RFC 5681 §3.2.
void layer::enter_recovery(tcb& t, std::uint32_t in_flight, instant now) {
  auto& r = t.recovery;
  ++counters_.fast_recoveries;
  begin_undo(t);
  const bool reducing = r.phase == recovery_phase::cwr || r.phase == recovery_phase::recovery;
  if (!reducing) reduce(t, congestion_cause::loss, in_flight, now);
  if (r.phase == recovery_phase::cwr) t.cc->on_congestion(congestion_cause::loss, in_flight, now);  // RFC 8511 §3
  r.phase = recovery_phase::recovery;
}

// RFC 5681 §3.1, RFC 6675 §5.1: all is lost, but for what was sent so lately that RACK would wait for it (RFC 8985
// §6.3).
void layer::enter_loss(tcb& t, bool again, instant now) {
  auto& r = t.recovery;
  ++counters_.timeouts;
  const std::uint32_t in_flight = t.flight->board.in_flight();
  const bool fresh = r.phase < recovery_phase::recovery;
  if (t.flight->board.front().sacked) t.flight->board.forget_sacks();  // RFC 2018 §5, §8
  const duration window = t.rack.reordering_window(true, t.rtt.min(), t.rtt.srtt());
  const std::uint32_t lost = t.flight->board.mark_all_lost(
      [&](const scoreboard::run& run) { return t.sack_on && run.begin != t.snd.una && t.rack.due(run, window) > now; });
  t.rate.on_lost(lost);
  const bool reduced_already = r.phase > recovery_phase::disorder && t.snd.una < r.end;  // RFC 5681 §3.1, equation 4
  if (!reduced_already) begin_undo(t);
  t.cc->on_timeout(in_flight, reduced_already, now);
  t.ecn.on_reduced(t.snd.nxt);
  r.phase = recovery_phase::loss;
  r.end = t.snd.nxt;
  r.probing = false;
  if (t.search) t.search->probing = false;
  r.duplicate_acks = 0;
  r.reordering = std::min<std::uint16_t>(r.reordering, 3);
  r.frto = fresh || again;
  r.frto_probing = false;
}

void layer::enter_cwr(tcb& t, std::uint32_t in_flight, instant now) {
  auto& r = t.recovery;
  r.may_undo = false;
  reduce(t, congestion_cause::ecn, in_flight, now);
  r.phase = recovery_phase::cwr;
}

void layer::reduce(tcb& t, congestion_cause why, std::uint32_t in_flight, instant now) {
  t.recovery.end = t.snd.nxt;
  t.recovery.probing = false;
  t.ecn.on_reduced(t.snd.nxt);
  t.cc->on_congestion(why, in_flight, now);
}

// Congestion whose losses are repaired already is answered at once and for good.
void layer::answer_late(tcb& t, std::uint32_t in_flight, instant now) {
  t.recovery.may_undo = false;
  reduce(t, congestion_cause::loss, in_flight, now);
  t.cc->on_recovered(t.flight->board.in_flight(), now);
}

void layer::begin_undo(tcb& t) {
  auto& r = t.recovery;
  r.may_undo = true;
  r.begin = t.snd.una;
  r.undo_octets = t.flight->board.resent();
  r.resent_any = r.undo_octets > 0;
}

// What was reduced can still be undone: a D-SACK may come later.
void layer::finish_episode(tcb& t, instant now) {
  auto& r = t.recovery;
  if (r.phase == recovery_phase::cwr || r.may_undo) t.cc->on_recovered(t.flight->board.in_flight(), now);
  if (r.phase == recovery_phase::recovery) t.rack.on_recovered();
  r.phase = recovery_phase::open;
  r.resent_at = {};
  hold_reno(t);
}

// RFC 6582 §3.2, step 1: duplicates of what the last episode sent must not begin another.
void layer::hold_reno(tcb& t) {
  if (t.sack_on) return;
  t.recovery.duplicate_acks = 0;
  t.hold = t.recovery.end + 1;
}

void layer::try_open(tcb& t) {
  auto& r = t.recovery;
  if (t.flight->board.resent() == 0) r.resent_at = {};
  if (r.phase == recovery_phase::cwr) return;
  const bool quiet = t.flight->board.sacked() == 0 && t.flight->board.presumed() == 0 && t.flight->board.lost() == 0 &&
                     t.flight->board.resent() == 0;
  const auto next = quiet ? recovery_phase::open : recovery_phase::disorder;
  if (r.phase == next) return;
  r.phase = next;
  r.end = t.snd.nxt;
}

// --- Was it loss at all?

// RFC 3522 §3.2 (by timestamp) and RFC 3708 §3 (every retransmission was reported as a duplicate).
bool layer::was_spurious(const tcb& t, const ack_news& n) {
  const auto& r = t.recovery;
  return r.may_undo && ((r.resent_any && r.undo_octets == 0) || n.timestamp_proves);
}

// RFC 4015 §2 and §3.3.
void layer::undo(tcb& t, instant now) {
  ++counters_.undos;
  t.cc->on_undo(now);
  t.ecn.on_undo(t.snd.una);
  t.recovery.may_undo = false;
  if (t.search) t.search->suspected = t.search->sparing = false;
  t.flight->board.unmark_lost();
}

bool layer::undo_by_dsack(tcb& t, instant now) {
  auto& r = t.recovery;
  if (!r.may_undo || !r.resent_any || r.undo_octets > 0) return false;
  undo(t, now);
  return true;
}

// A partial ACK in recovery that the original transmission caused.
bool layer::undo_partial(tcb& t, const ack_news& n, instant now) {
  auto& r = t.recovery;
  if (!r.may_undo || !n.timestamp_proves) return false;
  note_reordering(t, n.prior_una, max(t.snd.una, t.flight->board.highest_sacked().value_or(t.snd.una)), n.reordered);
  if (t.flight->board.resent() > 0) return true;  // wait for what the retransmissions themselves bring
  undo(t, now);
  r.phase = recovery_phase::open;
  try_open(t);
  return true;
}

// In the phase after a timeout (RFC 5681 §3.1, RFC 5682 §2.1 and §3.1).
void layer::judge_timeout(tcb& t, const ack_news& n, instant now) {
  auto& r = t.recovery;
  r.frto_probing = false;
  const bool recovered = t.snd.una >= r.end;
  const auto take_back = [&] {
    undo(t, now);
    t.unanswered = 0;
    r.frto = false;
    r.phase = recovery_phase::open;
    hold_reno(t);  // RFC 4015 §4
    try_open(t);
  };
  if (n.acked > 0 && was_spurious(t, n)) return take_back();
  if (n.acked > 0 && t.search && std::exchange(t.search->sparing, false) && r.may_undo && !n.original) {
    // Smaller segments arrive where full ones never did: it was no congestion that had swallowed those. They stay lost.
    t.cc->on_undo(now);
    t.cc->on_idle(std::min<std::uint32_t>(t.cc->cwnd(), config_.initial_window * t.mss), now);
    t.ecn.on_undo(t.snd.una);
    r.may_undo = r.frto = false;
  }
  if (r.frto) {
    // Step 3b: not all was lost. Without SACK an ACK may be the retransmission's work (step 2a): behind the hole that
    // it filled, originals may have waited unreported.
    if (n.original && (t.sack_on || (!recovered && !n.acked_again))) return take_back();
    if (t.snd.nxt > r.end) {
      if (n.sacked || n.duplicate) r.frto = false;  // step 3a
    } else if (n.acked > 0 && !recovered) {
      r.end = t.snd.nxt;  // step 2b: new text may tell, if there is any that may go
      r.frto_probing = true;
      return;
    }
  }
  if (!recovered) return;
  t.cc->on_recovered(t.flight->board.in_flight(), now);
  r.phase = recovery_phase::open;
  r.resent_at = {};
  r.frto = false;
  hold_reno(t);
  try_open(t);
}

// --- The loss probe

// RFC 8985 §7.4.2.
void layer::take_probe_ack(tcb& t, seq ack, const ack_news& n, instant now) {
  auto& r = t.recovery;
  if (!r.probing || ack < r.probe_end) return;
  // New text has arrived; or the original and the probe have, as a D-SACK or a mere duplicate shows.
  const bool both_arrived = n.probe_dsack || (ack == r.probe_end && n.acked == 0 && n.duplicate && !n.sacked);
  if (!r.probe_again || both_arrived) {
    r.probing = false;
    return;
  }
  if (ack == r.probe_end) return;
  // The probe repaired the loss of the last segment: that was congestion none the less.
  r.probing = false;
  if (r.phase >= recovery_phase::cwr) return;
  answer_late(t, n.prior_in_flight, now);
  try_open(t);
}

}  // namespace tunic::tcp
