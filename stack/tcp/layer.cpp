#include "stack/tcp/layer.hpp"

#include <algorithm>
#include <cassert>

namespace tunic::tcp {
namespace {

// A connection's turn: so many frames, then the next one's (a device never pushes back, so fairness is ours to keep).
constexpr unsigned turn = 8;

}  // namespace

layer::layer(const config& c, ip::layer& network, const device_capabilities& device, pool& buffers, counters& count,
             const secret& key, observer* watcher)
    : config_(c),
      ip_(network),
      device_(device),
      pool_(buffers),
      counters_(count),
      observer_(watcher),
      secret_(key),
      isn_(key),
      cookies_(key),
      ports_(key),
      demux_(key),
      orphans_(c.orphan_segments),
      challenges_(key),
      fast_open_cache_(key) {}

layer::~layer() {
  for (const auto& l : listeners_)  // what is CLOSED is in no table
    while (tcb* t = l->accept_queue.front()) {
      l->accept_queue.remove(*t);
      if (t->state == state::closed) bury(*t);
    }
  demux_.for_each([this](demux_node& n) {
    if (n.kind == demux_kind::tcb) {
      discard(static_cast<tcb&>(n));
    } else {
      auto& w = static_cast<time_wait&>(n);
      if (w.held) discard(*w.held);
      delete &w;
    }
  });
  reap();
}

void layer::on_datagram(const ip::datagram& d, instant now) {
  reap();
  ++counters_.segments_in;
  const auto parsed = wire::parse_tcp(d.transport.octets.octets(), d.source, d.destination, d.transport.checksum);
  if (!parsed) {
    counters_.count(parsed.error());
    ++counters_.segments_bad;
    return;
  }
  segment s;
  s.header = *parsed;
  s.ends = {{d.destination, s.header.destination_port}, {d.source, s.header.source_port}};
  s.text = d.transport.octets.sub(s.header.header_length);
  s.seq = s.header.seq_number;
  s.ack = s.header.ack_number;
  s.flags = s.header.flags;
  s.bare = s.len() == 0;
  s.mark = wire::ecn_of(d.tos);
  s.arrived = s.text.size();
  if (const std::uint32_t size = d.transport.segment_size; size > 0 && s.arrived > size)
    s.segments = (s.arrived + size - 1) / size;
  report(false, s.ends, s.header, s.text.size(), now);

  if (demux_node* n = demux_.find(s.ends)) {
    if (n->kind == demux_kind::time_wait) {
      arrives_time_wait(static_cast<time_wait&>(*n), s, now);
      return;
    }
    arrives_at(static_cast<tcb&>(*n), s, now);
    return;
  }
  if (listener* l = find_listener(s.ends.local)) {
    arrives_listen(*l, s, now);
  } else {
    arrives_closed(s, now);
  }
}

void layer::arrives_at(tcb& t, segment& s, instant now) {
  const sender_mind before = mind_of(t);
  if (t.state == state::syn_sent) {
    arrives_syn_sent(t, s, now);
  } else {
    arrives_synchronised(t, s, now);
  }
  settle(t);
  observe(t, before, now);
  end_flight(t);
  rearm(t);
  notify(t);
}

void layer::on_icmp_error(const ip::icmp_error& e, instant now) {
  const auto quoted = e.transport.octets();
  if (quoted.size() < 8) return counters_.count(drop::icmp_unrelated);
  const four_tuple ends{{e.source, wire::load16(quoted.data())}, {e.destination, wire::load16(quoted.data() + 2)}};
  demux_node* n = demux_.find(ends);
  if (!n || n->kind != demux_kind::tcb) return counters_.count(drop::icmp_unrelated);
  auto& t = static_cast<tcb&>(*n);
  const seq about{wire::load32(quoted.data() + 4)};
  if (about < t.snd.una || about >= t.snd.nxt)
    return counters_.count(drop::icmp_unrelated);  // RFC 5927 §4.1, §7.2, RFC 8201 §4

  if (e.kind == wire::icmp_kind::packet_too_big) {
    on_packet_too_big(t, e, now);
    return;
  }
  // RFC 9293 §3.9.2.2, MUST-54, MUST-56, SHLD-25, SHLD-26; RFC 5461 §2.1, §2.2, §4.1; RFC 5927 §5.2:
  // a hard error ends an attempt to connect; for a synchronised connection every error is soft, and only
  // remembered as the reason should it time out.
  const bool hard =
      e.kind == wire::icmp_kind::destination_unreachable &&
      (e.unreachable == wire::unreachable_code::port || e.unreachable == wire::unreachable_code::protocol ||
       e.unreachable == wire::unreachable_code::prohibited);
  // Told as the reason of what it leads to (RFC 9293 §3.9.1.8, MUST-47).
  const auto soft =
      e.unreachable == wire::unreachable_code::network ? std::errc::network_unreachable : std::errc::host_unreachable;
  // Our SYN-ACK does not reach who seemed to call, and no user waits for it: back to LISTEN (RFC 5461 §4.1).
  const bool nobody =
      e.kind == wire::icmp_kind::destination_unreachable && t.state == state::syn_received && t.listener();
  if ((hard && t.state == state::syn_sent) || nobody) {
    close_with(t, hard ? std::errc::connection_refused : soft, now);
    notify(t);
  } else {
    t.soft_error = soft;
  }
}

void layer::on_unreadable(const four_tuple& ends, seq from, instant now) {
  demux_node* n = demux_.find(ends);
  if (!n || n->kind != demux_kind::tcb) return;
  auto& t = static_cast<tcb&>(*n);
  // SND.NXT is beyond what the peer expects: a reset with that number it would challenge, and where it has just sent a
  // challenge it would stay silent (RFC 5961 §3.2, §7), while we say it once.
  abort_at(t, from, std::errc::io_error, now);
  notify(t);
}

bool layer::poll_transmit(frame& out, instant now) {
  reap();
  out.clear();
  if (const auto o = orphans_.pop()) {
    emit_orphan(*o, out, now);
    return true;
  }
  while (ready_head_) {
    tcb& t = *ready_head_;
    const bool turn_over = ready_burst_ == turn;
    if (!turn_over && send_next(t, out, now)) {
      ++ready_burst_;
      rearm(t);
      return true;
    }
    note_limit(t, now);
    rearm(t);
    unready(t);
    if (turn_over) make_ready(t);
  }
  return false;
}

tcb& layer::make(const four_tuple& ends, instant now) {
  auto& t = *new tcb{ends, flights_.take().release()};
  begin(t, now);
  demux_.insert(t);
  return t;
}

void layer::begin(tcb& t, instant now) {
  const bool v4 = t.ends.remote.address.is_v4();
  t.flight->begin(t.snd.nxt, 0);
  number_from(t, isn_.next(t.ends, now));
  t.ts.offset = isn_.timestamp_offset(t.ends);
  t.ecn = tcp::ecn{config_.ecn, t.snd.iss};
  t.peer_mss = v4 ? 536 : 1220;  // RFC 9293 §3.7.1, MUST-15
  t.mss = mss_for(t);
  t.hop_limit = ip_.settings().hop_limit;
  t.receive_buffer = std::min(config_.receive_buffer_initial, config_.receive_buffer);
  t.last_received = t.last_sent = now;
  t.invalid_answer_from = wrapped_ms(now.time_since_epoch());
  t.live = filled_in({}, config_);
  begin_waiting(t, now);
}

void layer::number_from(tcb& t, seq iss) {
  t.snd.iss = t.snd.una = t.snd.nxt = iss;
  t.pushed = iss + 1;
  t.flight->round_end = t.flight->short_end = iss;
}

// The one place where a state changes.
void layer::enter(tcb& t, state next, instant now) {
  const state from = t.state;
  t.state = next;
  // RFC 4022 §3: tcpCurrEstab, tcpEstabResets, tcpAttemptFails.
  const auto open = [](state s) { return s == state::established || s == state::close_wait; };
  if (open(next) && !open(from)) ++counters_.established;
  if (open(from) && !open(next)) --counters_.established;
  if (next == state::closed && open(from)) ++counters_.established_resets;
  if (next == state::closed && (from == state::syn_sent || from == state::syn_received)) ++counters_.attempt_fails;
  if (observer_) observer_->on_state(t.ends, from, next, now);
}

// Tells what has changed in the sender's mind, and accounts for what held it.
void layer::observe(tcb& t, const sender_mind& before, instant now) {
  note_limit(t, now);
  if (!observer_ || !t.cc) return;
  if (before.phase != t.recovery.phase) observer_->on_phase(t.ends, before.phase, t.recovery.phase, now);
  if (before.lost != t.rate.lost())
    observer_->on_loss(t.ends, static_cast<std::uint32_t>(t.rate.lost() - before.lost), now);
  if (before.cwnd != t.cc->cwnd()) observer_->on_window(t.ends, t.cc->cwnd(), t.cc->ssthresh(), now);
}

void layer::close_with(tcb& t, std::errc why, instant now) {
  if (t.state == state::closed) return;
  if (t.state == state::syn_received && !t.early) leave_listener(t);  // from the accept queue only the user takes it
  leave_fast_open(t, t.early && why == std::errc::connection_reset, now);
  demux_.remove(t);
  enter(t, state::closed, now);
  timer_wheel::cancel(t);
  t.stop_timers();
  unready(t);
  t.flight->send_queue.clear();
  settle(t);
  t.error = why;
  t.pending.closed = true;
  if (!t.user && !t.listener()) bury(t);
}

void layer::abort_with(tcb& t, std::errc why, instant now) {
  abort_at(t, t.acceptable_seq(), why, now);
}

// The reset is numbered `at`.
void layer::abort_at(tcb& t, seq at, std::errc why, instant now) {
  // RFC 9293 §3.10.5: a reset, unless the peer knows nothing of us or both sides have said all they had to say.
  const bool unknown = t.state == state::syn_sent || t.state == state::closed;
  if (!unknown && !(t.fin_sent && t.fin_received)) {
    orphan o{t.ends, {}, t.tos, t.hop_limit};
    o.header.seq_number = at;
    o.header.ack_number = t.rcv.nxt;
    o.header.flags.rst = o.header.flags.ack = true;
    if (t.timestamps_on) o.header.options.timestamps = wire::tcp_timestamps{timestamp(t, now), t.ts.recent};
    push_orphan(o);
  }
  close_with(t, why, now);
}

void layer::notify(tcb& t) {
  if (!t.pending.any()) return;
  if (t.listener() && t.pending.established) {
    t.pending = {};
    t.listener()->user->on_acceptable();
  } else if (t.user) {
    t.user->on_events(std::exchange(t.pending, {}));  // t may be gone after this
  }
}

void layer::make_ready(tcb& t) {
  if (t.in_ready_list || t.state == state::closed) return;
  t.in_ready_list = true;
  t.ready_previous = ready_tail_;
  (ready_tail_ ? ready_tail_->ready_next : ready_head_) = &t;
  ready_tail_ = &t;
}

void layer::unready(tcb& t) {
  if (!t.in_ready_list) return;
  if (ready_head_ == &t) ready_burst_ = 0;
  t.in_ready_list = false;
  (t.ready_previous ? t.ready_previous->ready_next : ready_head_) = t.ready_next;
  (t.ready_next ? t.ready_next->ready_previous : ready_tail_) = t.ready_previous;
  t.ready_next = t.ready_previous = nullptr;
}

void layer::leave_listener(tcb& t) {
  if (!t.listener()) return;
  const bool half_open = t.state == state::syn_received && !t.early;
  (half_open ? t.listener()->syn_queue : t.listener()->accept_queue).remove(t);
  t.incoming.reset();
}

// Freed when the next fact or the next pull comes: whoever is dealing with it now may still look at it.
void layer::bury(tcb& t) {
  if (t.released) --released_;
  unready(t);
  t.ready_next = dead_;
  dead_ = &t;
}

void layer::reap() {
  while (dead_) {
    memory_used_ -= dead_->charge;
    discard(*std::exchange(dead_, dead_->ready_next));
  }
}

void layer::discard(tcb& t) {
  t.flight->clear();
  give_back_flight(t);
  delete &t;
}

// Something of the connection's own is to be sent.
void layer::take_flight(tcb& t) {
  if (t.flight != &nothing_) return;
  assert(nothing_.untouched());  // which all the others share
  t.flight = flights_.take().release();
  t.flight->begin(t.snd.nxt, t.rate.delivered());
}

// Once all of it is acknowledged.
void layer::end_flight(tcb& t) {
  if (t.synchronised() && t.flight->over()) give_back_flight(t);
}

void layer::give_back_flight(tcb& t) {
  if (t.flight == &nothing_) return;
  std::unique_ptr<flight> f{std::exchange(t.flight, &nothing_)};
  if (f->is_modest()) flights_.give_back(std::move(f));
}

listener* layer::find_listener(const endpoint& local) const {
  listener* found = nullptr;
  for (const auto& l : listeners_) {
    if (!l->matches(local)) continue;
    if (l->is_specific()) return l.get();
    found = l.get();  // of the unspecified ones at most one matches: listen() saw to that
  }
  return found;
}

void layer::push_orphan(const orphan& o) {
  if (!orphans_.push(o)) counters_.count(drop::transmit_full);
}

std::uint32_t layer::timestamp(const tcb& t, instant now) const {  // a clock of 1 ms (RFC 7323 §4.1, §5.4)
  return t.ts.offset + static_cast<std::uint32_t>(now.time_since_epoch() / std::chrono::milliseconds{1});
}

bool layer::may_challenge(instant now) {  // RFC 5961 §7
  if (!challenges_.take(config_.challenge_acks_per_second, now)) {
    counters_.count(drop::rate_limited);
    return false;
  }
  ++counters_.challenge_acks;
  return true;
}

// What is outside the window and carries no text is answered now and then: two ends that answer each other's every
// answer would never end, and neither may a stranger make us answer as fast as it can send.
bool layer::may_answer_invalid(tcb& t, instant now) {
  const std::uint32_t present = wrapped_ms(now.time_since_epoch());
  // What the clock of 49 days has made of an old one limits nobody, but for half a second in all that time.
  if (t.invalid_answer_from - present - 1 < wrapped_ms(config_.invalid_answer_interval)) {
    counters_.count(drop::rate_limited);
    return false;
  }
  t.invalid_answer_from = present + wrapped_ms(config_.invalid_answer_interval);
  return true;
}

void layer::report(bool sent, const four_tuple& ends, const wire::tcp_header& h, std::uint32_t text, instant now) {
  if (observer_) observer_->on_segment(sent, ends, h, text, now);
}

}  // namespace tunic::tcp
