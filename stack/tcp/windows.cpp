#include <algorithm>

#include "stack/tcp/layer.hpp"

// The receive window (RFC 9293 §3.8.6), the sizes of both buffers, and the memory of all.

namespace tunic::tcp {

// RFC 7323 §2.3, rounded up: what is offered so is taken.
wire::wire_window layer::scale_down(std::uint32_t octets, wire::window_shift shift) {
  const std::uint32_t rounded = (octets + (1u << shift.value) - 1) >> shift.value;
  return {static_cast<std::uint16_t>(std::min<std::uint32_t>(rounded, 0xffff))};
}

seq layer::wanted_edge(const tcb& t) const {
  // It lies before RCV.NXT where more is held than the buffer is for, by what the scale of the window rounds up.
  const auto room = static_cast<std::int64_t>(t.receive_buffer) - static_cast<std::int64_t>(t.receive_queue.held());
  const auto most = std::int64_t{0xffff} << t.rcv_shift.value;
  return t.rcv.nxt + static_cast<std::uint32_t>(std::min(room, most));
}

// RFC 9293 §3.8.6.2.2: the edge waits until it can move by so many octets.
std::uint32_t layer::worthwhile_gain(const tcb& t) const {
  return std::min<std::uint32_t>(t.receive_buffer / 2, own_mss(t));
}

wire::wire_window layer::offer_window(tcb& t) {
  const seq wanted = wanted_edge(t);
  // It never moves left (RFC 9293 §3.8.6, SHLD-14; RFC 7323 §2.4), though it may stay (RFC 9293 §3.8.6.1, MAY-8).
  if (wanted > t.rcv.edge && distance(t.rcv.edge, wanted) >= worthwhile_gain(t)) t.rcv.edge = wanted;
  wire::wire_window w = scale_down(t.rcv_wnd(), t.rcv_shift);
  const std::uint32_t unit = 1u << t.rcv_shift.value;
  seq offered = t.rcv.nxt + w.value * unit;
  // Short segments would push an edge that is rounded up at each of them farther and farther beyond the buffer. Then it
  // is rounded down: what was offered before is still taken (RFC 7323 §2.4).
  if (offered > max(t.rcv.edge, wanted + unit)) offered = t.rcv.nxt + --w.value * unit;
  t.rcv.edge = max(t.rcv.edge, offered);
  return w;
}

// The user has made room: tell the peer once that is worth a segment of its own (RFC 9293 §3.8.6.2.2).
void layer::after_receive(tcb& t) {
  settle(t);
  if (!t.synchronised() || t.fin_received) return;
  const seq wanted = wanted_edge(t);
  if (wanted <= t.rcv.edge) return;
  const std::uint32_t gain = distance(t.rcv.edge, wanted);
  const bool was_shut = t.rcv_wnd() < own_mss(t);
  // All that our SYN could say without a scale: the first acknowledgement moves it.
  const bool first = distance(t.rcv.irs + 1, t.rcv.edge) == 0xffff;
  if (gain >= worthwhile_gain(t) && (was_shut || (gain >= t.receive_buffer / 4 && !first))) {
    t.ack_now = true;
    make_ready(t);
  }
}

// 0: the stack's own, which grows.
void layer::take_buffers(tcb& t, std::uint32_t receive, std::uint32_t send) {
  if (receive != 0) t.receive_buffer = receive;
  t.fixed_receive_buffer = receive != 0;
  t.send_buffer = send;
}

void layer::set_receive_buffer(tcb& t, std::uint32_t octets) {
  t.receive_buffer = std::max<std::uint32_t>(octets, own_mss(t));
  t.fixed_receive_buffer = true;
  after_receive(t);
}

void layer::set_send_buffer(tcb& t, std::uint32_t octets) {
  t.send_buffer = octets == 0 ? 0 : std::max<std::uint32_t>(octets, t.mss);
}

// Two congestion windows: one in flight, one that waits to follow it. What arrived behind a gap is in neither.
std::uint64_t layer::send_limit(const tcb& t) const {
  if (memory_used_ >= config_.memory) return t.mss;  // so that everybody moves on
  if (t.send_buffer != 0) return t.send_buffer;
  const std::uint64_t wanted =
      t.cc && !under_pressure() ? 2 * std::uint64_t{t.cc->cwnd()} + t.flight->board.sacked() : 0;
  return std::clamp<std::uint64_t>(wanted, std::min(config_.send_buffer_initial, config_.send_buffer),
                                   config_.send_buffer);
}

// Once a round trip: a user that took so much in one will take twice as much in the next, if the sender may send it.
// The window then is never what holds a sender in slow start back (as Dynamic Right-Sizing has it).
void layer::grow_receive_buffer(tcb& t, const segment& s, instant now) {
  consumption& c = t.consumption;
  const auto& echo = s.header.options.timestamps;
  if (t.timestamps_on && echo && echo->ecr != 0 && s.text.size() >= t.mss / 2u) {
    const duration sample =
        std::chrono::milliseconds{std::max<std::int32_t>(1, static_cast<std::int32_t>(timestamp(t, now) - echo->ecr))};
    c.rtt = c.rtt == duration{} || sample < c.rtt ? sample : c.rtt + (sample - c.rtt) / 8;
  }
  const duration rtt = c.rtt != duration{} ? c.rtt : t.rtt.sampled() ? t.rtt.srtt() : config_.rto_initial;
  if (now - c.since < rtt) return;
  const auto taken = static_cast<std::uint32_t>(t.receive_queue.consumed());
  const std::uint32_t octets = std::min(taken - c.from, config_.receive_buffer);
  const std::uint32_t before = std::exchange(c.octets, std::max(c.octets, octets));
  c.from = taken;
  c.since = now;
  if (octets <= before || t.fixed_receive_buffer || under_pressure()) return;
  std::uint64_t wanted = 2 * std::uint64_t{octets} + 16 * std::uint64_t{t.mss};
  if (before > 0) wanted += wanted * (octets - before) / before;
  t.receive_buffer =
      std::max(t.receive_buffer, static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, config_.receive_buffer)));
}

// Whether text may be kept. What came in order is, unless there is no memory at all: the window was offered.
bool layer::may_hold(const tcb& t, const segment& s) const {
  constexpr std::uint64_t most_pinned = 4;  // of small texts ahead of a gap, each in a buffer of its own
  const bool ahead = s.seq != t.rcv.nxt;
  if (ahead && t.receive_queue.pinned_ahead() > most_pinned * t.receive_buffer) return false;
  return memory_used_ < config_.memory || (!ahead && t.receive_queue.empty());
}

// RFC 5681 §4.2 leaves it to the receiver; a sender whose window grows by acknowledgements needs them at once.
void layer::expect_slow_start(tcb& t) const {
  t.quick_acks = static_cast<std::uint8_t>(std::min(config_.quick_acks, 255u));
  t.interactive = false;
}

void layer::settle(tcb& t) {
  const std::uint64_t charge = t.flight->send_queue.charge() + t.receive_queue.charge();
  memory_used_ += charge - t.charge;
  t.charge = charge;
}

}  // namespace tunic::tcp
