#include <algorithm>
#include <array>
#include <utility>

#include "stack/tcp/layer.hpp"

// RFC 9293 §3.10.7.4, fifth step: what an acknowledgement says of the text sent, of the round trip and of the window.
// What it says of loss is in recovery.cpp.

namespace tunic::tcp {
namespace {

// SEG.WND in octets, a number without a sign (RFC 9293 §3.1, MUST-1, REC-1), scaled but for a SYN's (RFC 7323 §2.2,
// §2.3).
std::uint32_t window_in(const tcb& t, const segment& s) {
  return std::uint32_t{s.header.window.value} << (s.header.flags.syn ? 0 : t.snd_shift.value);
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
    if (t.listener() && !t.early && t.listener()->accept_queue.size() >= t.listener()->options.backlog) {
      counters_.count(drop::accept_queue_full);  // the peer will repeat itself, and somebody may accept by then
      return false;
    }
    note_timestamp(t, s);
    const bool early = t.early;
    t.snd.una = early ? t.snd.iss + 1 : s.ack;
    t.ecn.take_last_ack(s.header, s.bare);
    become_established(t, s, now);
    if (!early) {
      settle_syn_text(t, s.ack, now);
      update_window(t, s);
      return true;
    }
    if (!t.flight->board.empty()) arm_loss_timer(t, now, true);  // our text did not wait for this (RFC 7413 §4.2.2)
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
      if (!t.user) t.deadline(timer::released) = now + t.live.fin_wait_2;
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
  // An answering peer is alive, though its window be shut (RFC 9293 §3.8.6.1, MUST-37); but nobody waits for ever for
  // an orphan's.
  const bool nothing_due = t.snd.wnd == 0 || t.flight->board.empty();
  if (nothing_due && (t.user || t.listener())) t.unanswered = 0;
  ack_news n;
  n.prior_una = t.snd.una;
  n.prior_sacked = t.flight->board.highest_sacked();
  n.prior_in_flight = t.flight->board.in_flight();
  n.reordering_known = t.rack.reordering_seen() > 0;
  // RFC 5681 §2; what a shut window answers to probes is none.
  n.duplicate =
      s.ack == t.snd.una && !t.flight->board.empty() && s.bare && window_in(t, s) == t.snd.wnd && t.snd.wnd > 0;
  const auto& echo = s.header.options.timestamps;  // RFC 3522 §3.2
  n.timestamp_proves = t.timestamps_on && echo && t.recovery.resent_at != instant{} &&
                       static_cast<std::int32_t>(echo->ecr - timestamp(t, t.recovery.resent_at)) < 0;
  if (t.sack_on && !s.header.options.sack.empty()) take_sack(t, s, n, now);
  if (s.ack > t.snd.una) take_cumulative(t, s, n, now);
  sample_rtt(t, s, n, now);
  t.rack.adapt(t.flight->samples.newest_prior(), t.rate.delivered());
  take_probe_ack(t, s.ack, n, now);
  judge(t, n, now);
  judge_mtu_probe(t, now);
  take_marks(t, s, n, now);
  tell_congestion_control(t, n, now);
  update_window(t, s);
  // A third of the buffer is worth waking somebody for, while the rest still keeps the path busy.
  if (t.send_short && t.flight->send_queue.size() <= send_limit(t) / 3 * 2 &&
      (t.unsent_limit == 0 || unsent_octets(t) < std::max(t.unsent_limit / 2, 1u))) {
    t.send_short = false;
    t.pending.writable = true;
  }
  if (n.acked > 0 || n.sacked || n.lost > 0 || n.duplicate) make_ready(t);
}

// RFC 2018 §5, RFC 6675 §5, RFC 2883 §4 and §5. What does not lie between SND.UNA and SND.NXT tells nothing, or lies.
void layer::take_sack(tcb& t, const segment& s, ack_news& n, instant now) {
  const auto& list = s.header.options.sack;
  const wire::sack_block* first = list.begin();
  const bool inside = list.size() > 1 && first->left >= first[1].left && first->right <= first[1].right;
  const bool plausible = first->left < first->right && first->right <= t.snd.nxt &&
                         distance(first->left, first->right) <= t.snd.max_wnd &&
                         distance(first->left, t.snd.nxt) <= 2 * std::max(t.snd.max_wnd, t.outstanding());
  if (plausible && (first->left < s.ack || inside)) take_dsack(t, *first, n);
  std::array<const wire::sack_block*, wire::sack_list::max_blocks> ascending{};  // or the highest hides reordering
  std::size_t count = 0;
  for (const auto& b : list) {
    if (b.left >= b.right || b.right > t.snd.nxt || b.right <= max(s.ack, t.snd.una)) continue;
    std::size_t i = count++;
    for (; i > 0 && ascending[i - 1]->left > b.left; --i) ascending[i] = ascending[i - 1];
    ascending[i] = &b;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const wire::sack_block* b = ascending[i];
    t.flight->board.sack(max(b->left, t.snd.una), b->right, [&](const scoreboard::run& r) {
      const auto above = t.flight->board.highest_sacked();
      n.sacked = true;
      take_delivered(t, r, above && r.begin < *above ? above : std::nullopt, s, n, now);
      if (r.again) return;
      if (!n.oldest_sacked) n.oldest_sacked = r.sent.at;
      n.newest_sacked = r.sent.at;
    });
  }
}

// RFC 3708 §3: what of the episode's retransmissions is not yet reported needless.
void layer::take_dsack(tcb& t, const wire::sack_block& b, ack_news& n) {
  n.dsack = true;
  ++counters_.duplicates_reported;
  const std::uint32_t octets = distance(b.left, b.right);
  auto& r = t.recovery;
  if (r.probing && r.probe_again && b.right == r.probe_end) {
    n.probe_dsack = true;  // the probe was needless, which is its risk: no sign of reordering (RFC 8985 §7.4.1)
  } else {
    t.rack.on_dsack();
  }
  if (r.may_undo && b.right > r.begin) r.undo_octets -= std::min(r.undo_octets, octets);
}

// A stretch has arrived. `above`, where given, arrived before it although it was sent later: reordering, unless this
// was sent again.
void layer::take_delivered(tcb& t, const scoreboard::run& r, std::optional<seq> above, const segment& s, ack_news& n,
                           instant now) {
  n.delivered += r.size();
  t.large_passed = t.large_passed || is_large(t, r);
  t.rate.on_delivered(t.flight->samples, r, now);
  const auto& echo = s.header.options.timestamps;
  const bool spurious = t.timestamps_on && echo && static_cast<std::int32_t>(echo->ecr - timestamp(t, r.sent.at)) < 0;
  t.rack.on_delivered(t.flight->latest, r, spurious, t.rtt.min(), now);
  if (r.again) return;
  if (r.end <= t.recovery.end) n.original = true;
  if (above) note_reordering(t, r.begin, *above, std::exchange(n.reordered, true));
}

void layer::note_reordering(tcb& t, seq late, seq above, bool again) {
  constexpr std::uint32_t most = 300;  // segments; farther apart is loss
  const std::uint32_t reach = (distance(late, above) + t.mss - 1) / t.mss;
  t.recovery.reordering =
      static_cast<std::uint16_t>(std::max<std::uint32_t>(t.recovery.reordering, std::min(reach, most)));
  if (!again) t.rack.on_reordering();  // an ACK tells of one at most
}

void layer::take_cumulative(tcb& t, const segment& s, ack_news& n, instant now) {
  n.acked = distance(t.snd.una, s.ack);
  // What is only reported stays to be sent again (RFC 2018 §8, RFC 6675 §4).
  t.flight->send_queue.pop_front(std::min<std::uint64_t>(distance(t.text_begin(), s.ack), t.flight->send_queue.size()));
  t.flight->records.drop(t.flight->send_queue.begin());
  t.more_follows = false;  // as with Nagle: what waits has had its chance
  // What duplicate ACKs had stood for is acknowledged now, but for the hole itself, and was counted before.
  const std::uint32_t presumed = t.sack_on ? 0 : t.flight->board.presumed();
  const std::uint32_t counted = std::min(presumed, n.acked > t.mss ? n.acked - t.mss : 0);
  t.flight->samples.discount(counted);
  t.snd.una = s.ack;
  t.flight->short_end = max(t.flight->short_end, s.ack);  // or it would seem new again, 2 GiB later
  t.flight->board.acknowledge(s.ack, [&](const scoreboard::run& r) {
    // What this very ACK sacks arrived behind what it acknowledges, as it was sent.
    take_delivered(t, r, n.prior_sacked && r.begin < *n.prior_sacked ? n.prior_sacked : std::nullopt, s, n, now);
    if (r.again) {
      n.acked_again = true;
      return;
    }
    if (!n.oldest_acked) n.oldest_acked = r.sent.at;
    n.newest_acked = r.sent.at;
  });
  if (t.hold < s.ack && t.recovery.phase == recovery_phase::open) t.hold = s.ack;
  t.unanswered = 0;
  begin_waiting(t, now);
  t.soft_error = {};  // the path works again
  if (t.sack_on) return;
  n.delivered -= std::min(n.delivered, counted);
  // A count of duplicates ends with what they waited for (RFC 6675 §5).
  const bool held = t.recovery.phase == recovery_phase::recovery || t.recovery.phase == recovery_phase::loss;
  t.flight->board.presume(held ? presumed - counted : 0);
  t.recovery.duplicate_acks =
      static_cast<std::uint8_t>(std::min<std::uint32_t>(255, t.flight->board.presumed() / t.mss));
}

// RFC 6298 §3 (Karn; RFC 9293 §3.8.1, MUST-18) and RFC 7323 §4: what was sent again is measured by its timestamp or not
// at all.
void layer::sample_rtt(tcb& t, const segment& s, const ack_news& n, instant now) {
  const auto& echo = s.header.options.timestamps;
  // Without ACK a segment does not come here, nor its echo (RFC 7323 §3.2).
  if (n.oldest_acked && !n.acked_again) {
    t.rtt.sample(now - *n.oldest_acked, now - *n.newest_acked, now);
  } else if (n.oldest_sacked) {
    t.rtt.sample(now - *n.oldest_sacked, now - *n.newest_sacked, now);
  } else if (n.acked > 0 && t.timestamps_on && echo && echo->ecr != 0) {
    const auto ms = static_cast<std::int32_t>(timestamp(t, now) - echo->ecr);
    if (ms < 0) return;
    const duration r = std::max<duration>(std::chrono::milliseconds{ms}, std::chrono::milliseconds{1});
    t.rtt.sample(r, r, now);
  } else {
    return;
  }
  t.backoff = 0;  // only a new measurement ends the backing off (RFC 6298 §5)
}

// RFC 3168 §6.1.2.
void layer::take_marks(tcb& t, const segment& s, ack_news& n, instant now) {
  const auto marked = t.ecn.take_feedback(s.header, n.delivered, t.mss);
  n.marked = marked.value_or(0);
  const bool busy = t.recovery.phase >= recovery_phase::cwr;
  if (t.ecn.answers(n.marked > 0, t.snd.una, busy) && n.prior_in_flight > 0) enter_cwr(t, n.prior_in_flight, now);
}

void layer::tell_congestion_control(tcb& t, const ack_news& n, instant now) {
  if (n.delivered == 0 && n.lost == 0) return;
  ack_facts f;
  f.now = now;
  f.phase = t.recovery.phase;
  f.acked = n.acked;
  f.delivered = n.delivered;
  f.lost = n.lost;
  f.marked = n.marked;
  f.in_flight = t.flight->board.in_flight();
  f.prior_in_flight = n.prior_in_flight;
  f.total_delivered = t.rate.delivered();
  f.total_lost = t.rate.lost();
  f.srtt = t.rtt.srtt();
  f.min_rtt = t.rtt.min();
  f.reordering_seen = n.reordering_known;
  if (n.newest_acked && !n.acked_again) {
    f.rtt = now - *n.newest_acked;
  } else if (n.newest_sacked) {
    f.rtt = now - *n.newest_sacked;
  }
  const std::uint64_t prior = t.flight->samples.newest_prior();
  f.rate = t.rate.take_sample(t.flight->samples, t.rtt.min());
  f.loss = t.rate.take_loss(t.flight->samples);
  f.round_start = n.delivered > 0 && t.rate.round_has_passed(t.flight->samples, prior);
  f.paced = t.paced;
  // RFC 7661 §4.3: more than half of the window in flight is use enough in slow start.
  f.window_limited =
      t.window_limited || (t.cc->cwnd() < t.cc->ssthresh() && t.cc->cwnd() < 2 * t.flight->most_in_flight);
  t.cc->on_ack(f);
}

void layer::update_window(tcb& t, const segment& s) {
  if (s.ack < t.snd.una) return;
  // What is sent again has an old number and yet the newest acknowledgement: without the window that came with it, an
  // older one would seem to reach beyond what was ever offered.
  const bool newer = t.snd.wl2 < s.ack || t.snd.wl1 < s.seq || (t.snd.wl1 == s.seq && t.snd.wl2 == s.ack);
  if (!newer) return;
  const std::uint32_t wnd = window_in(t, s);
  if (wnd > t.snd.wnd) {
    if (t.recovery.awaited == retransmit_kind::persist) t.deadline(timer::retransmit) = never;
    if (t.snd.wnd == 0) t.backoff = 0;
    t.fresh = t.fresh || t.flight->board.empty();
    make_ready(t);
  }
  t.snd.wnd = wnd;
  t.snd.max_wnd = std::max(t.snd.max_wnd, wnd);
  t.snd.wl1 = s.seq;
  t.snd.wl2 = s.ack;
}

}  // namespace tunic::tcp
