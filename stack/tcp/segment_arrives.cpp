#include <algorithm>

#include "stack/tcp/layer.hpp"

// RFC 9293 §3.10.7, SEGMENT ARRIVES: in the RFC's own order, one function a step. LISTEN is in listener.cpp.

namespace tunic::tcp {
namespace {

// A reset as §3.10.7.1 forms it: from what the segment acknowledges, or else acknowledging the segment.
orphan reset_for(const segment& s) {
  orphan o{s.ends};
  o.header.flags.rst = true;
  if (s.flags.ack) {
    o.header.seq_number = s.ack;
  } else {
    o.header.flags.ack = true;
    o.header.ack_number = s.seq + s.len();
  }
  return o;
}

}  // namespace

// §3.10.7.1, CLOSED.
void layer::arrives_closed(const segment& s, instant) {
  counters_.count(drop::no_listener);
  if (!s.flags.rst) reset_peer(s);
}

void layer::reset_peer(const segment& s) {
  push_orphan(reset_for(s));
}

void layer::offer_options(tcb& t) {
  // RFC 7323 §2.2 and §2.3: the smallest shift, nought too, that lets the whole buffer be offered, grown as far as it
  // may.
  std::uint8_t shift = 0;
  const std::uint32_t most = t.fixed_receive_buffer ? t.receive_buffer : config_.receive_buffer;
  while (config_.window_scale && shift < 14 && (most >> shift) > 0xffff) ++shift;
  t.rcv_shift = {shift};
}

// What the peer's SYN says; on any other segment these say nothing (RFC 7323 §2.2).
void layer::take_options(tcb& t, const segment& s) {
  const wire::tcp_options& o = s.header.options;
  if (o.mss) t.peer_mss = *o.mss;
  t.scale_on = config_.window_scale && o.window_scale.has_value();
  if (t.scale_on) {
    t.snd_shift = *o.window_scale;
  } else {
    t.rcv_shift = {};  // RFC 7323 §2.2: both sides offer it, or neither shifts
  }
  t.timestamps_on = config_.timestamps && o.timestamps.has_value();
  if (t.timestamps_on) t.ts.recent = o.timestamps->val;
  t.ts.last_ack_sent = t.rcv.nxt;
  t.sack_on = config_.sack && o.sack_permitted;
  t.mss = mss_for(t);
  t.snd.wnd = t.snd.max_wnd = s.header.window.value;  // a SYN's window is never scaled
  t.snd.wl1 = s.seq;
  t.snd.wl2 = s.ack;
}

// §3.10.7.3, SYN-SENT.
void layer::arrives_syn_sent(tcb& t, const segment& s, instant now) {
  if (s.flags.ack && (s.ack <= t.snd.iss || s.ack > t.snd.nxt)) {  // first
    counters_.count(drop::unacceptable_ack);
    if (!s.flags.rst) reset_peer(s);
    return;
  }
  if (s.flags.rst) {  // second; RFC 5961 §3.2: without an acceptable ACK it is nobody's word
    if (!s.flags.ack) return counters_.count(drop::unacceptable_segment);
    if (t.ecn.refused()) {
      t.syn_due = true;
      make_ready(t);
    } else {
      close_with(t, std::errc::connection_refused, now);
    }
    return;
  }
  if (!s.flags.syn) return counters_.count(drop::bad_flags);  // fifth
  if (s.flags.ack && !echoes_our_syn(t, s, now)) {
    counters_.count(drop::unacceptable_ack);
    reset_peer(s);
    return;
  }
  t.rcv.irs = s.seq;  // fourth
  t.rcv.nxt = s.seq + 1;
  t.rcv.edge = t.rcv.nxt + std::min<std::uint32_t>(t.receive_buffer, 0xffff);
  take_options(t, s);
  t.last_received = now;
  if (!s.flags.ack) {  // simultaneous open: our SYN goes again, with the ACK (RFC 9293 §3.5, MUST-10)
    static_cast<void>(t.ecn.take_syn(s.header, s.mark));
    enter(t, state::syn_received, now);
    t.deadline(timer::retransmit) = never;
    t.backoff = t.unanswered = 0;
    t.syn_due = true;
    make_ready(t);
    return;
  }
  t.snd.una = s.ack;
  t.ecn.take_syn_ack(s.header, s.mark);
  if (t.flight->fast) learn_fast_open(t, s, now);
  become_established(t, s, now);
  settle_syn_text(t, s.ack, now);
  t.interactive = unsent_octets(t) > 0;  // the user was waiting to send
  t.ack_now = true;
  make_ready(t);
  segment rest = s;  // "if there are other controls or text in the segment, then continue processing at the sixth step"
  rest.seq += 1;
  rest.flags.syn = false;
  if (rest.len() > 0 && check_sequence(t, rest)) {
    if (!rest.text.empty()) take_text(t, rest, now);
    check_fin(t, rest, now);
  }
}

// An echo of what we never sent comes from a stranger, or from long ago.
bool layer::echoes_our_syn(const tcb& t, const segment& s, instant now) const {
  const auto& ts = s.header.options.timestamps;
  if (!config_.timestamps || !ts || ts->ecr == 0) return true;
  return timestamp(t, now) - ts->ecr <= timestamp(t, now) - timestamp(t, t.flight->waiting_since);
}

void layer::become_established(tcb& t, const segment& s, instant now) {
  const bool early = t.early;  // its text flows already
  t.early = false;
  ack_news n;
  n.acked = 1;
  n.acked_again = t.retransmits > 0;
  n.oldest_acked = n.newest_acked = early ? t.flight->fast->answered_at : t.last_sent;
  if (!t.stateless) sample_rtt(t, s, n, now);
  t.deadline(timer::retransmit) = never;
  t.syn_due = false;
  t.syn_timed_out = t.unanswered > 0;
  if (!early) begin_text(t, now);
  t.backoff = t.unanswered = 0;
  t.hold = t.flight->round_end = t.snd.una;
  t.last_received = now;
  arm_keep_alive(t, now);
  if (t.listener() && !early) {
    t.listener()->syn_queue.remove(t);
    t.listener()->accept_queue.push_back(t);
  }
  if (t.passive) ++counters_.passive_opens;
  leave_fast_open(t, false, now);
  enter(t, state::established, now);
  if (t.closing) enter(t, state::fin_wait_1, now);  // CLOSE was queued in SYN-RECEIVED (§3.10.4)
  t.pending.established = !early || t.user;         // else its listener knows already
  if (!t.flight->send_queue.empty() || t.closing) make_ready(t);
}

// Text may flow from now on.
void layer::begin_text(tcb& t, instant now) {
  t.cc = make_congestion_control(config_.congestion, isn_.timestamp_offset(t.ends));
  // RFC 6928 §2, RFC 5681 §3.1: one lost SYN may be chance, two mean that the path is full.
  t.cc->on_established(
      (t.unanswered > 1 || t.ecn.handshake_marked() ? 1 : config_.initial_window) * std::uint32_t{t.mss}, t.mss,
      t.rtt.sampled() ? std::optional{t.rtt.srtt()} : std::nullopt, now);
  t.paced = config_.pacing || t.cc->algorithm() == congestion_algorithm::bbr;
  t.hold = t.flight->round_end = t.snd.una;
  t.fresh = true;
  t.consumption.since = now;
  expect_slow_start(t);
}

// §3.10.7.4, all other states.
void layer::arrives_synchronised(tcb& t, segment& s, instant now) {
  if (t.state == state::syn_received && s.flags.syn && !s.flags.ack && !s.flags.rst && s.seq == t.rcv.irs) {
    // The peer repeats its SYN, so our answer was lost; an ACK alone would tell it nothing.
    if (!t.ecn.take_syn(s.header, s.mark)) return abort_with(t, std::errc::connection_reset, now);
    t.syn_due = true;
    make_ready(t);
    return;
  }
  if (t.state == state::syn_received && !t.passive && s.flags.syn && s.flags.ack && s.seq == t.rcv.irs) {
    s.flags.syn =
        false;  // simultaneous open: the peer's SYN comes again with the ACK of ours (RFC 9293 figure 7, line 5)
    s.seq += 1;
    if (!t.flight->board.empty()) {  // our SYN had text, so it repeats what it thinks lost (RFC 2883 §4)
      t.rcv.duplicate = {t.rcv.irs, t.rcv.nxt};
      t.ack_now = true;
      make_ready(t);
    }
  }
  if (t.synchronised() && s.flags.syn && s.flags.ack && s.seq == t.rcv.irs) t.ecn.take_syn_ack_again(s.mark);
  if (lacks_timestamps(t, s)) return counters_.count(drop::unacceptable_segment);
  if (!check_timestamps(t, s, now) ||
      !check_sequence(t, s)) {  // first: sequence number, PAWS before it (RFC 7323 §5.3)
    counters_.count(drop::unacceptable_segment);
    const bool tells_of_loss = s.len() > 0 && !s.flags.syn;
    if (!s.flags.rst && (tells_of_loss || may_answer_invalid(t, now))) {
      t.ack_now = true;
      make_ready(t);
    }
    return;
  }
  if (!check_rst(t, s, now)) return;  // second; the third, security, is nobody's today
  if (!check_syn(t, s, now)) return;  // fourth
  if (!check_ack(t, s, now)) return;  // fifth
  const bool owed = t.unacked > 0;
  if (!s.header.flags.syn && t.ecn.take_arrival({s.mark, s.flags.cwr, s.segments, s.arrived, owed})) {
    t.ack_now = true;
    make_ready(t);
  }
  t.last_received = now;
  if (t.live.keep_alive) arm_keep_alive(t, now);
  // sixth: the urgent pointer is taken as RFC 6093 §6 advises: urgent text is text like any other (RFC 9293 §3.8.5,
  // MUST-31)
  if (t.state != state::closed && !s.text.empty()) take_text(t, s, now);  // seventh
  if (t.state != state::closed) check_fin(t, s, now);                     // eighth
}

// RFC 7323 §3.2: what lacks the option that both have agreed on is dropped in silence, for it would pass by PAWS. But
// the SYN of a peer that begins anew is nobody's agreement, and gets its challenge.
bool layer::lacks_timestamps(const tcb& t, const segment& s) const {
  return t.timestamps_on && config_.require_timestamps && !s.header.options.timestamps && !s.flags.rst && !s.flags.syn;
}

bool layer::check_timestamps(const tcb& t, const segment& s, instant now) {
  constexpr duration outdated = std::chrono::hours{24} * 24;  // RFC 7323 §5.5: half the circle of a clock of 1 ms
  const auto& ts = s.header.options.timestamps;
  if (!t.timestamps_on || !ts) return true;  // not agreed, or stripped on the way (RFC 7323 §3.2)
  // A reset is not judged (§5.2).
  return static_cast<std::int32_t>(ts->val - t.ts.recent) >= 0 || s.flags.rst || now - t.last_received > outdated;
}

void layer::note_timestamp(tcb& t, const segment& s) {
  const auto& ts = s.header.options.timestamps;
  if (t.timestamps_on && ts && s.header.seq_number <= t.ts.last_ack_sent)
    t.ts.recent = ts->val;  // RFC 7323 §4.3, (2), §5.2
}

// Whether a part of the segment lies in the window; cuts off what does not.
bool layer::check_sequence(tcb& t, segment& s) {
  const std::uint32_t len = s.len();
  if (len == 0)
    return t.rcv.nxt <= s.seq && s.seq <= t.rcv.edge;  // the edge itself: where a peer that filled the window stands
  if (s.seq > t.rcv.edge || s.seq + len <= t.rcv.nxt) {
    if (s.seq < t.rcv.nxt && !s.text.empty()) {
      t.rcv.duplicate = {s.seq, s.seq + s.text.size()};  // RFC 2883 §4
      t.ecn.take_duplicate();
    }
    return false;
  }
  if (s.seq == t.rcv.edge && !s.text.empty()) {
    // A shut window takes no text, "but special allowance should be made to accept valid ACKs, URGs, and RSTs" (RFC
    // 9293 §3.4, MUST-66).
    if (s.seq != t.rcv.nxt) return false;
    t.ack_now = true;
    make_ready(t);
  }
  if (s.seq < t.rcv.nxt) {
    std::uint32_t old = distance(s.seq, t.rcv.nxt);
    if (s.flags.syn) --old;
    if (old > 0 && !s.text.empty()) t.rcv.duplicate = {s.seq, t.rcv.nxt};  // RFC 2883 §4
    s.text.remove_prefix(std::min(old, s.text.size()));
    s.seq = t.rcv.nxt;
    t.ack_now = true;  // the peer repeats what it thinks lost
    make_ready(t);
  }
  const std::uint32_t room = distance(s.seq, t.rcv.edge);
  if (s.text.size() > room) {
    s.text.remove_suffix(s.text.size() - room);
    s.flags.fin = false;
    s.flags.psh = false;
  }
  return true;
}

// RFC 5961 §1.1, §3.2. The user learns why (RFC 9293 §3.6, MUST-12); text of a reset is nothing (RFC 9293 §3.5.3,
// SHLD-2).
bool layer::check_rst(tcb& t, const segment& s, instant now) {
  if (!s.flags.rst) return true;
  if (s.header.seq_number != t.rcv.nxt) {  // RFC 5961 §3.2: in the window, but not the very number
    challenge(t, now);
    return false;
  }
  switch (t.state) {
    case state::syn_received:  // a passive open goes back to LISTEN: its listener never left it
      close_with(t,
                 t.early     ? std::errc::connection_reset
                 : t.passive ? std::errc{}
                             : std::errc::connection_refused,
                 now);
      break;
    case state::established:
    case state::fin_wait_1:
    case state::fin_wait_2:
    case state::close_wait: close_with(t, std::errc::connection_reset, now); break;
    case state::closing:
    case state::last_ack: close_with(t, {}, now); break;
    case state::closed:
    case state::listen:
    case state::syn_sent:
    case state::time_wait: break;
  }
  return false;
}

bool layer::check_syn(tcb& t, const segment& s, instant now) {
  if (!s.flags.syn) return true;
  if (t.state == state::syn_received && t.passive && !t.early) {
    close_with(t, {}, now);  // back to LISTEN
    return false;
  }
  challenge(t, now);  // RFC 5961 §4.2
  return false;
}

void layer::challenge(tcb& t, instant now) {
  if (!may_answer_invalid(t, now) || !may_challenge(now)) return;
  t.ack_now = true;
  make_ready(t);
}

// §3.10.7.4, seventh step.
void layer::take_text(tcb& t, const segment& s, instant now) {
  if (t.fin_received) return;  // "this should not occur since a FIN has been received from the remote side"
  if (!t.user && !t.listener()) {
    // Nobody will ever read it, and the peer must learn that (RFC 9293 §3.6.1, SHLD-3): by the very number that it
    // expects, which is not SND.NXT where our FIN was lost (§3.10.7.1; RFC 5961 §3.2 believes no other).
    reset_peer(s);
    close_with(t, {}, now);
    return;
  }
  t.last_text = now;
  if (!may_hold(t, s)) {
    counters_.count(drop::receive_full);
    t.ack_now = true;
    make_ready(t);
    return;
  }
  const bool had_gap = t.receive_queue.has_gap();
  const std::uint64_t before = t.receive_queue.expected();
  if (const auto twice = t.receive_queue.duplicate_of(before + distance(t.rcv.nxt, s.seq), s.text.size());
      twice.end > twice.begin) {  // RFC 2883 §4.1
    t.rcv.duplicate = {t.rcv.irs + 1 + static_cast<std::uint32_t>(twice.begin),
                       t.rcv.irs + 1 + static_cast<std::uint32_t>(twice.end)};
    t.ack_now = true;
  }
  const bool moved = t.receive_queue.insert(rooms_, pool_, before + distance(t.rcv.nxt, s.seq), s.text);
  t.rcv.nxt += static_cast<std::uint32_t>(t.receive_queue.expected() - before);
  if (moved) {
    if (t.deaf) {
      t.receive_queue.drop_ready();
    } else {
      t.pending.readable = true;
    }
  }
  grow_receive_buffer(t, s, now);
  t.unacked += s.text.size();
  // RFC 9293 §3.8.6.3, SHLD-18, SHLD-19: every second full segment at least; RFC 5681 §3.2, §4.2, RFC 2018 §4: at once
  // for what is out of order or fills a gap.
  const std::uint32_t full = own_mss(t) - (t.timestamps_on ? 12u : 0u);
  if (!moved || had_gap) expect_slow_start(t);
  const bool quick = t.quick_acks > 0 && !t.interactive;
  if (!moved || had_gap || quick || t.unacked >= 2 * full) t.ack_now = true;
  if (t.ack_now) {
    make_ready(t);
  } else if (t.deadline(timer::delayed_ack) == never) {
    t.deadline(timer::delayed_ack) = now + config_.delayed_ack;
  }
}

// §3.10.7.4, eighth step.
void layer::check_fin(tcb& t, const segment& s, instant now) {
  if (t.fin_received) return;
  if (s.flags.fin) {
    t.fin_arrived = true;
    t.rcv.fin = s.seq + s.text.size();
  }
  if (!t.fin_arrived) return;
  if (t.rcv.fin != t.rcv.nxt) {  // text before it is missing
    t.ack_now = true;
    make_ready(t);
    return;
  }
  t.fin_received = true;
  t.rcv.nxt += 1;
  t.rcv.edge = max(t.rcv.edge, t.rcv.nxt);
  t.ack_now = true;
  t.pending.readable = true;
  make_ready(t);
  switch (t.state) {
    case state::syn_received:
    case state::established: enter(t, state::close_wait, now); break;
    case state::fin_wait_1:
      if (t.fin_acked()) {
        enter_time_wait(t, now);
      } else {
        enter(t, state::closing, now);
      }
      break;
    case state::fin_wait_2: enter_time_wait(t, now); break;
    case state::closed:
    case state::listen:
    case state::syn_sent:
    case state::close_wait:
    case state::closing:
    case state::last_ack:
    case state::time_wait: break;
  }
}

}  // namespace tunic::tcp
