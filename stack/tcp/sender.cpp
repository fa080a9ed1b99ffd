#include <algorithm>

#include "stack/tcp/layer.hpp"

// Which segment goes next, and that it fits both windows (RFC 5681 §2 and §3, RFC 9293 §3.8.6, RFC 7323 §2.4, RFC 9406
// §3, RFC 9937 §3). Everything is decided when the device can take it, from the variables of that moment.

namespace tunic::tcp {

namespace {
// What may leave in one go in congestion avoidance, whichever is more: so many segments, or what the pacing rate
// carries in so long.
constexpr std::uint32_t burst_bound_segments = 3;
constexpr duration burst_bound_time = std::chrono::microseconds{250};
}  // namespace

bool layer::send_next(tcb& t, frame& out, instant now) {
  switch (t.state) {
    case state::closed:
    case state::listen:
    case state::time_wait: return false;
    case state::syn_sent:
    case state::syn_received:
      if (waits_for_text(t)) return false;
      if (t.snd.nxt == t.snd.iss || t.syn_due) return send_syn(t, out, now);
      if (!t.early) return t.ack_now && send_empty(t, out, t.snd.nxt, now);
      break;
    case state::established:
    case state::fin_wait_1:
    case state::fin_wait_2:
    case state::close_wait:
    case state::closing:
    case state::last_ack: break;
  }
  // SACK blocks and the counters of ECN take their room from the text.
  const auto blocks = t.sack_on ? t.receive_queue.blocks().count + (t.rcv.has_duplicate() ? 1 : 0) : 0;
  const auto sack_octets = blocks > 0 ? 4 + 8 * blocks : 0;
  const auto option_octets = sack_octets + t.ecn.option_octets();
  const auto mss = static_cast<std::uint32_t>(t.mss - std::min<std::size_t>(option_octets, t.mss / 2u));
  if (t.ecn.echoes_handshake()) return send_empty(t, out, t.acceptable_seq(), now);
  auto& r = t.recovery;
  if (r.head_due && send_head(t, out, mss, now)) return true;
  if (r.probe_due && send_loss_probe(t, out, mss, now)) return true;
  if (r.frto_probing) {
    if (send_new(t, out, mss, now)) return true;
    if (t.snd.nxt == r.end) r.frto = r.frto_probing = false;  // nothing new may go: RFC 5682 §3.1, step 2b's other half
  }
  if (!r.frto_probing && send_again(t, out, mss, now)) return true;
  if (send_new(t, out, mss, now)) return true;
  if (t.window_probe_due) {
    // An acknowledged octet's number makes the peer answer with its window (RFC 9293 §3.8.6.1).
    t.window_probe_due = false;
    return send_empty(t, out, t.snd.una - 1, now);
  }
  if (t.keep_alive_due) {  // RFC 9293 §3.8.4: SEG.SEQ = SND.NXT-1 makes the peer answer
    t.keep_alive_due = false;
    return send_empty(t, out, t.snd.nxt - 1, now);
  }
  return t.ack_now && send_empty(t, out, t.acceptable_seq(), now);
}

// Again with the same number, and without ACK with an echo of nought (RFC 7323 §3.2, RFC 9768 §3.1.4.1).
wire::tcp_header layer::syn_header(tcb& t, bool answer, instant now) const {
  wire::tcp_header h;
  h.seq_number = t.snd.iss;
  h.flags.syn = true;
  h.flags.ack = answer;
  answer ? t.ecn.answer(h, t.unanswered) : t.ecn.ask(h, t.unanswered);
  h.options.mss = own_mss(t);                                                            // RFC 9293 §3.7.1, MUST-14
  if (answer ? t.scale_on : config_.window_scale) h.options.window_scale = t.rcv_shift;  // RFC 7323 §2.2, §2.3
  h.options.sack_permitted = answer ? t.sack_on : config_.sack;
  if (answer ? t.timestamps_on : config_.timestamps)
    h.options.timestamps = wire::tcp_timestamps{timestamp(t, now), t.ts.recent};
  return h;
}

bool layer::send_syn(tcb& t, frame& out, instant now) {
  wire::tcp_header h = syn_header(t, t.state == state::syn_received, now);
  std::uint32_t text = 0;
  if (t.snd.nxt != t.snd.iss) {
    ++t.retransmits;
    ++counters_.retransmits;
  } else if (t.flight->fast) {
    text = add_fast_open(t, h, now);
  }
  if (text > 0) text = t.flight->send_queue.gather(t.flight->send_queue.begin(), text, frame::max_slices, out.text);
  t.syn_due = false;
  emit(t, out, h, std::max<std::uint32_t>(t.mss, text), now);
  const seq end = t.snd.iss + 1 + text;
  if (text > 0) {
    t.flight->board.on_sent(t.snd.iss + 1, end, t.rate.on_send(t.flight->samples, text, 0, now), text, true);
    t.flight->pushes.drop(t.offset_of(end));
  }
  t.snd.nxt = max(t.snd.nxt, end);
  t.last_sent = now;
  if (t.deadline(timer::retransmit) == never) arm_retransmit(t, now);  // RFC 6298 §5.1
  return true;
}

std::uint32_t layer::most_text(const tcb& t, std::uint32_t mss) const {
  const bool v4 = t.ends.remote.address.is_v4();
  if (!(v4 ? device_.segmentation_v4 : device_.segmentation_v6) || t.ecn.forbids_offload()) return mss;
  std::uint64_t room = 65535 - 20 - wire::tcp_header::max_size;  // version 4 counts its header, version 6 does not
  if (const std::uint64_t rate = t.cc->pacing_rate(); rate > 0) {
    // What the path carries in a moment, paced or not: who shares it meets no larger burst, and what is lost with one
    // is little.
    const auto us = static_cast<std::uint64_t>(config_.pacing_quantum / std::chrono::microseconds{1});
    const std::uint64_t least = std::min<std::uint64_t>(std::uint64_t{config_.burst_segments} * mss, room);
    room = std::clamp<std::uint64_t>(rate * us / 1'000'000, least, room);
  }
  return std::max(mss, static_cast<std::uint32_t>(room - room % mss));
}

// [from, to) of sequence space, as far as it fits into a frame: text, and the FIN behind it. Returns its end.
seq layer::send_text(tcb& t, frame& out, seq from, seq to, std::uint32_t mss, instant now) {
  const seq text_end = t.text_end();
  const std::uint32_t text = from < text_end ? distance(from, min(to, text_end)) : 0;
  const std::uint32_t got =
      text > 0 ? t.flight->send_queue.gather(t.offset_of(from), text, frame::max_slices, out.text) : 0;
  wire::tcp_header h;
  h.seq_number = from;
  h.flags.ack = true;
  h.flags.fin = t.closing && from + got == text_end && to > text_end;
  // The user's PUSH (RFC 9293 §3.9.1.2, MUST-61), and the end of a super-segment: a receiver that gathers segments need
  // not wait for more.
  const bool fresh = from == t.snd.nxt;
  const seq end = from + got + (h.flags.fin ? 1 : 0);
  h.flags.psh = got > mss || (got > 0 && (fresh ? pushes(t, from, end) : t.flight->board.pushed_within(from, end)));
  h.options = options_of(t, now);
  if (h.flags.fin) t.fin_sent = true;
  if (got > 0 && now - t.last_text < config_.delayed_ack) t.interactive = true;
  emit(t, out, h, mss, now);
  t.last_sent = now;
  return end;
}

bool layer::pushes(const tcb& t, seq from, seq to) {
  const std::uint64_t begin = t.offset_of(from);
  const std::uint64_t end = begin + distance(from, to);
  return t.flight->pushes.any_in(begin, end) || t.flight->records.any_in(begin, end);
}

// A segment ends where a record does; the FIN may stand behind the last one.
seq layer::within_record(const tcb& t, seq from, seq to) {
  const seq text_end = t.text_end();
  if (from >= text_end) return to;
  const std::uint64_t begin = t.offset_of(from);
  const std::uint64_t end = t.flight->records.first_in(begin, t.flight->send_queue.end());
  return end == t.flight->send_queue.end() ? to : min(to, from + static_cast<std::uint32_t>(end - begin));
}

void layer::send_again(tcb& t, frame& out, seq from, seq to, std::uint32_t mss, instant now) {
  const std::uint32_t in_flight = t.flight->board.in_flight();
  const seq end = send_text(t, out, from, to, mss, now);
  const std::uint32_t octets = distance(from, end);
  t.flight->board.on_sent_again(from, end, t.rate.on_send(t.flight->samples, octets, in_flight, now), mss);
  t.cc->on_send(octets, in_flight, t.rate.app_limited(), now);
  pace(t, octets, now);
  auto& r = t.recovery;
  if (from == t.snd.iss + 1) t.ecn.on_first_text_lost();
  if (r.resent_at == instant{}) r.resent_at = now;  // RFC 3522 §3.2: once an episode
  r.resent_any = true;
  r.undo_octets += octets;
  const std::uint32_t segments = (octets + mss - 1) / mss;
  t.retransmits += segments;
  counters_.retransmits += segments;
  // The oldest segment has its time before it again.
  const bool renewed = from == t.snd.una && r.awaited != retransmit_kind::reordering;
  if (renewed || t.deadline(timer::retransmit) == never) arm_retransmit(t, now);  // RFC 6298 §5
}

// RFC 6675 §4, NextSeg (1), and §5: as far as congestion control lets it (RFC 8985 §9.3).
bool layer::send_again(tcb& t, frame& out, std::uint32_t mss, instant now) {
  const auto lost = t.flight->board.next_lost();
  if (!lost || held_by_pace(t, now)) return false;
  const std::uint32_t size = distance(lost->begin, within_record(t, lost->begin, lost->end));
  const std::uint32_t in_flight = t.flight->board.in_flight();
  const std::uint32_t room = t.cc->cwnd() > in_flight ? t.cc->cwnd() - in_flight : 0;
  if (room < std::min(mss, size)) return false;
  std::uint32_t n = std::min({size, most_text(t, mss), std::max(mss, room - room % mss)});
  const seq window_end = t.snd.una + t.snd.wnd;
  // The peer has shrunk its window: what lies in it goes, beyond it only the head, as a probe (RFC 9293 §3.8.6,
  // SHLD-16, SHLD-17, MAY-7, MUST-35).
  if (lost->begin + n > window_end) {
    n = lost->begin < window_end ? distance(lost->begin, window_end) : 0;
    if (lost->begin == t.snd.una) n = std::max(n, std::min(size, mss));
    if (n == 0) return false;
  }
  send_again(t, out, lost->begin, lost->begin + n, mss, now);
  return true;
}

// The oldest segment, whatever the windows say: the retransmission timer expired (RFC 2018 §5, RFC 6298 §5.4).
bool layer::send_head(tcb& t, frame& out, std::uint32_t mss, instant now) {
  t.recovery.head_due = false;
  if (t.flight->board.empty()) return false;
  send_again(t, out, t.snd.una, within_record(t, t.snd.una, min(t.snd.una + mss, t.snd.nxt)), mss, now);
  return true;
}

// RFC 8985 §7.3: new text if there is any, though the congestion window be full; else the last segment again.
bool layer::send_loss_probe(tcb& t, frame& out, std::uint32_t mss, instant now) {
  auto& r = t.recovery;
  r.probe_due = false;
  if (r.probing || t.flight->board.empty()) return false;
  mss -= probe_deficit(t);
  const seq text_end = t.text_end();
  const seq window_end = t.snd.una + t.snd.wnd;
  const seq to = within_record(t, t.snd.nxt, min(min(t.snd.nxt + mss, text_end + (t.closing ? 1 : 0)), window_end));
  if (to > t.snd.nxt && !t.fin_sent) {
    transmit_new(t, out, to, mss, now);
    r.probe_again = false;
  } else {
    const auto& last = t.flight->board.back();
    if (last.sacked) return false;
    const std::uint32_t text = last.size() - (t.fin_sent ? 1 : 0);
    std::uint32_t before = text > 0 ? (text - 1) / mss * mss : 0;
    const std::uint64_t begin = t.offset_of(last.begin);
    before = static_cast<std::uint32_t>(t.flight->records.last_in(begin + before, begin + text) - begin);
    send_again(t, out, last.begin + before, last.end, mss, now);
    r.probe_again = true;
  }
  ++counters_.loss_probes;
  r.probing = true;
  r.probe_end = t.snd.nxt;
  arm_retransmit(t, now);  // §7.3: anew, so that the probe's answer has its time
  return true;
}

void layer::transmit_new(tcb& t, frame& out, seq to, std::uint32_t mss, instant now) {
  take_flight(t);  // where there is nothing but a FIN
  const seq from = t.snd.nxt;
  const bool first = t.flight->board.empty();
  const std::uint32_t in_flight = t.flight->board.in_flight();
  const seq end = send_text(t, out, from, to, mss, now);
  t.snd.nxt = end;
  const std::uint32_t octets = distance(from, end);
  const bool app_limited = t.rate.app_limited();
  t.flight->board.on_sent(from, end, t.rate.on_send(t.flight->samples, octets, in_flight, now), mss,
                          pushes(t, from, end));
  t.cc->on_send(octets, in_flight, app_limited, now);
  if (octets % mss != 0) t.flight->short_end = end;
  t.flight->pushes.drop(t.offset_of(end));
  t.deadline(timer::cork) = never;
  pace(t, octets, now);
  if (t.early) return;  // the SYN-ACK's time runs
  if (first || t.recovery.awaited == retransmit_kind::persist) {
    t.deadline(timer::retransmit) = never;
    t.recovery.awaited = retransmit_kind::timeout;
    begin_waiting(t, now);
  }
  if (first || may_probe(t)) arm_loss_timer(t, now, false);
}

// RFC 6675 §4, NextSeg (2); RFC 5681 §3.2.
bool layer::send_new(tcb& t, frame& out, std::uint32_t mss, instant now) {
  if (t.fin_sent) return false;
  const std::uint64_t unsent = t.flight->send_queue.end() - t.offset_of(t.snd.nxt);
  if (unsent == 0 && !t.closing) return false;
  check_idle(t, now);
  // Octets to the end of a record, or of all there is; that one may have to wait for what follows.
  const std::uint64_t begin = t.offset_of(t.snd.nxt);
  const std::uint64_t record = t.flight->records.first_in(begin, begin + unsent) - begin;
  const bool last = record == unsent;

  const std::uint32_t outstanding = t.outstanding();
  const std::uint32_t in_flight = t.flight->board.in_flight();
  // A window that has shrunk leaves nothing (RFC 9293 §3.8.6, MUST-34, SHLD-15).
  const std::uint32_t usable = t.snd.wnd > outstanding ? t.snd.wnd - outstanding : 0;
  const std::uint32_t room = t.cc->cwnd() > in_flight ? t.cc->cwnd() - in_flight : 0;

  // Half of either window at once, so that acknowledgements keep coming while the other half is under way.
  const std::uint32_t window = std::min(t.cc->cwnd(), t.snd.max_wnd);
  const std::uint32_t half = std::max(mss, window / 2 - window / 2 % mss);
  auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>({record, usable, room, half, most_text(t, mss)}));
  if (n > 0 && held_by_pace(t, now)) return false;
  const std::uint32_t size = mss == t.mss ? mtu_probe(t, record, usable, room, now) : 0;  // options would enlarge it
  if (size > 0) {
    const seq from = t.snd.nxt;
    transmit_new(t, out, from + size, size, now);
    on_mtu_probe_sent(t, from, t.snd.nxt);
    return true;
  }
  const bool all = n == record;
  if (t.window_probe_due && n > 0) {
    t.window_probe_due = false;  // the wait is over: whatever fits (RFC 9293 §3.8.6.2.1's override)
  } else if (!all && n < mss) {
    // Sender's silly window avoidance (RFC 9293 §3.8.6.2.1, MUST-38): a short segment only where it is half of what the
    // peer can take.
    const bool window_stops = usable <= room && n > 0 && n >= t.snd.max_wnd / 2;
    if (!window_stops) n = 0;
  } else if (!all) {
    n -= n % mss;
  } else if (last && (t.corked || t.more_follows) && !t.closing && n % mss != 0) {
    n -= n % mss;
    if (n == 0) {
      if (t.deadline(timer::cork) == never) t.deadline(timer::cork) = now + rto(t);
      return false;
    }
  } else if (last && !t.no_delay && t.flight->short_end > t.snd.una && !t.closing) {
    // Nagle (RFC 9293 §3.7.4, SHLD-7, MUST-17): a short segment waits while another one is unacknowledged, as Minshall
    // has it (§A.3), lest the end of a larger text waits for a delayed ACK.
    n -= n % mss;
    if (n == 0) return false;
  }
  if (n == 0 && unsent > 0) {
    note_window_use(t, room < std::min<std::uint64_t>(mss, unsent) && usable > room);
    // The window, not the network, holds it back and nothing is on its way that would bring an answer: probe
    // (§3.8.6.1).
    if (outstanding == 0 && usable < mss && t.deadline(timer::retransmit) == never) {
      begin_waiting(t, now);
      arm_persist(t, now);
    }
    return false;
  }
  // The last text and FIN leave together.
  transmit_new(t, out, t.snd.nxt + n + (t.closing && n == unsent ? 1 : 0), mss, now);
  const bool more = t.text_end() > t.snd.nxt;
  if (!more && t.flight->board.lost() == 0 && t.flight->board.in_flight() < t.cc->cwnd())
    t.rate.on_app_limited(t.flight->board.in_flight());
  note_window_use(t, t.flight->board.in_flight() + mss > t.cc->cwnd());
  return true;
}

// RFC 5681 §4.1, asked when SEND meets an empty queue, or the peer opens its window: one that waited longer than an RTO
// is old news.
void layer::check_idle(tcb& t, instant now) {
  if (!t.fresh) return;
  t.fresh = false;
  if (t.flight->board.empty() && now - t.last_sent > rto(t))
    t.cc->on_idle(std::min<std::uint32_t>(t.cc->cwnd(), config_.initial_window * t.mss), now);
}

// How much of the congestion window this round used: the strongest sign counts (RFC 7661 §4.2, §4.3).
void layer::note_window_use(tcb& t, bool limited) {
  if (t.snd.una >= t.flight->round_end || limited ||
      (!t.window_limited && t.outstanding() > t.flight->most_in_flight)) {
    t.window_limited = limited;
    t.flight->most_in_flight = t.outstanding();
    t.flight->round_end = t.snd.nxt;
  }
}

bool layer::held_by_pace(tcb& t, instant now) {
  if (t.pace_at <= now) return false;
  t.deadline(timer::pacing) = t.pace_at;
  return true;
}

// The next text may leave when this has at the pacing rate (RFC 7661 §4.4.2, RFC 9937 §6.4). What a late timer cost is
// made up for, by half at most, so that no burst follows. Who does not pace is held in congestion avoidance alone, and
// only to what is sent in one go there, for the acknowledgements that came while the process slept are one burst.
void layer::pace(tcb& t, std::uint32_t octets, instant now) {
  const std::uint32_t initial = config_.initial_window * t.mss;  // may burst (RFC 6928)
  const bool bounded = t.cc->cwnd() >= t.cc->ssthresh() && t.cc->cwnd() > initial;
  const std::uint64_t rate = t.paced || bounded ? t.cc->pacing_rate() : 0;
  const bool beginning = distance(t.snd.iss, t.snd.nxt) <= initial;
  if (rate == 0 || beginning) return;
  const auto time_for = [rate](std::uint32_t n) {
    return duration{static_cast<std::int64_t>(n * 1e9 / static_cast<double>(rate))};
  };
  const duration takes = time_for(octets);
  if (!t.paced) {
    const duration allowance = std::max(time_for(burst_bound_segments * t.mss), burst_bound_time);
    t.pace_at = std::max(now - allowance, t.pace_at) + takes;
    return;
  }
  const duration late = t.pace_at == instant{} || t.pace_at > now ? duration{} : now - t.pace_at;
  t.pace_at = std::max(now, t.pace_at) + takes - std::min(late, takes / 2);
}

bool layer::send_empty(tcb& t, frame& out, seq at, instant now) {
  wire::tcp_header h;
  h.seq_number = at;
  h.flags.ack = true;
  h.options = options_of(t, now);
  emit(t, out, h, t.mss, now);
  return true;
}

}  // namespace tunic::tcp
