#include <algorithm>

#include "stack/tcp/layer.hpp"

// Which segment goes next. Everything is decided when the device can take it, from the variables of that moment.

namespace tunic::tcp {

bool layer::send_next(tcb& t, frame& out, instant now) {
  switch (t.state) {
    case state::closed:
    case state::listen:
    case state::time_wait: return false;
    case state::syn_sent:
    case state::syn_received:
      if (t.snd.nxt == t.snd.iss || t.recovery.has_lost()) return send_syn(t, out, now);
      return t.ack_now && send_empty(t, out, t.snd.nxt, now);
    case state::established:
    case state::fin_wait_1:
    case state::fin_wait_2:
    case state::close_wait:
    case state::closing:
    case state::last_ack: break;
  }
  // SACK blocks take their room from the text.
  const auto sack_octets = t.sack_on && t.receive_queue.has_gap() ? 4 + 8 * t.receive_queue.blocks().count : 0;
  const auto mss = static_cast<std::uint32_t>(t.mss - std::min<std::size_t>(sack_octets, t.mss / 2u));
  if (t.recovery.has_lost() && send_again(t, out, mss, now)) return true;
  if (send_new(t, out, mss, now)) return true;
  if (t.keep_alive_due) {  // RFC 9293 §3.8.4: SEG.SEQ = SND.NXT-1 makes the peer answer
    t.keep_alive_due = false;
    return send_empty(t, out, t.snd.nxt - 1, now);
  }
  return t.ack_now && send_empty(t, out, t.acceptable_seq(), now);
}

bool layer::send_syn(tcb& t, frame& out, instant now) {
  wire::tcp_header h;
  h.seq_number = t.snd.iss;
  h.flags.syn = true;
  h.flags.ack = t.state == state::syn_received;
  const bool answer = t.state == state::syn_received;
  h.options.mss = own_mss(t.ends.remote.address);  // RFC 9293 §3.7.1, MUST-14
  if (answer ? t.scale_on : config_.window_scale) h.options.window_scale = t.rcv.shift;
  h.options.sack_permitted = answer ? t.sack_on : config_.sack;
  if (answer ? t.timestamps_on : config_.timestamps)
    h.options.timestamps = wire::tcp_timestamps{timestamp(t, now), t.ts.recent};
  if (t.snd.nxt != t.snd.iss) {
    t.recovery.on_sent_again(t.snd.iss + 1);
    t.timing = false;  // Karn's algorithm (RFC 6298 §3)
    ++t.retransmits;
    ++counters_.retransmits;
  }
  emit(t, out, h, t.mss, now);
  after_sending(t, t.snd.iss + 1, now);
  return true;
}

std::uint32_t layer::most_text(const tcb& t, std::uint32_t mss) const {
  const bool v4 = t.ends.remote.address.is_v4();
  if (!(v4 ? device_.segmentation_v4 : device_.segmentation_v6)) return mss;
  constexpr std::uint32_t room =
      65535 - 20 - wire::tcp_header::max_size;  // version 4 counts its header, version 6 does not
  return std::max(mss, room - room % mss);
}

bool layer::send_again(tcb& t, frame& out, std::uint32_t mss, instant now) {
  const seq from = t.recovery.lost_begin();
  const std::uint32_t lost = t.recovery.lost_octets();
  std::uint32_t most = most_text(t, mss);
  if (t.recovery.current() != recovery::phase::fast) {
    const std::uint32_t pipe = distance(t.snd.una, t.snd.nxt) - lost;
    const std::uint32_t room = t.cc.cwnd() > pipe ? t.cc.cwnd() - pipe : 0;
    if (pipe > 0 && room < std::min(mss, lost)) return false;
    most = std::max(mss, std::min(most, room - room % mss));
  }
  const std::uint64_t offset = t.offset_of(from);
  const auto text = static_cast<std::uint32_t>(
      std::min<std::uint64_t>({lost, most, t.send_queue.end() - std::min(t.send_queue.end(), offset)}));
  const std::uint32_t got = text > 0 ? t.send_queue.gather(offset, text, frame::max_slices, out.text) : 0;
  wire::tcp_header h;
  h.seq_number = from;
  h.flags.ack = true;
  const seq end = from + got;
  h.flags.fin = t.fin_sent && end == t.fin_seq() && end < t.recovery.lost_end();
  h.flags.psh = got > 0 && end == t.seq_of(t.send_queue.end());
  h.options = options_of(t, now);
  t.recovery.on_sent_again(end + (h.flags.fin ? 1 : 0));
  t.timing = false;  // Karn's algorithm (RFC 6298 §3)
  ++t.retransmits;
  ++counters_.retransmits;
  emit(t, out, h, mss, now);
  after_sending(t, end, now);
  return true;
}

bool layer::send_new(tcb& t, frame& out, std::uint32_t mss, instant now) {
  if (t.fin_sent) return false;
  const std::uint64_t offset = t.offset_of(t.snd.nxt);
  const std::uint64_t unsent = t.send_queue.end() - offset;
  if (unsent == 0 && !t.closing) return false;

  const std::uint32_t in_flight = distance(t.snd.una, t.snd.nxt);
  const std::uint32_t pipe = in_flight - t.recovery.lost_octets();
  const std::uint32_t usable = t.snd.wnd > in_flight ? t.snd.wnd - in_flight : 0;
  const std::uint32_t room = t.cc.cwnd() > pipe ? t.cc.cwnd() - pipe : 0;
  if (in_flight == 0 && now - t.last_sent > rto(t)) t.cc.on_idle();

  auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>({unsent, usable, room, most_text(t, mss)}));
  const bool all = n == unsent;
  if (t.window_probe_due) {
    t.window_probe_due = false;
    n = std::max<std::uint32_t>(n, unsent > 0 ? 1 : 0);
  } else if (!all && n < mss) {
    // Sender's silly window avoidance (RFC 9293 §3.8.6.2.1): a short segment only where it is half of what the peer can
    // take.
    const bool window_stops = usable <= room && n > 0 && n >= t.snd.max_wnd / 2;
    if (!window_stops) n = 0;
  } else if (!all) {
    n -= n % mss;
  } else if (!t.no_delay && in_flight > 0 && !t.closing) {
    n -= n % mss;  // Nagle (RFC 9293 §3.7.4): a short segment waits while anything is unacknowledged
    if (n == 0) return false;
  }
  if (n == 0 && unsent > 0) {
    // The window, not the network, holds it back and nothing is on its way that would bring an answer: probe
    // (§3.8.6.1).
    if (in_flight == 0 && usable < mss && t.deadline(timer::retransmit) == never) arm_retransmit(t, now);
    return false;
  }

  const std::uint32_t got = n > 0 ? t.send_queue.gather(offset, n, frame::max_slices, out.text) : 0;
  wire::tcp_header h;
  h.seq_number = t.snd.nxt;
  h.flags.ack = true;
  h.flags.psh = got > 0 && got == unsent;
  h.flags.fin = t.closing && got == unsent;  // the last text and FIN leave together
  h.options = options_of(t, now);
  const seq end = t.snd.nxt + got + (h.flags.fin ? 1 : 0);
  if (h.flags.fin) t.fin_sent = true;
  emit(t, out, h, mss, now);
  after_sending(t, end, now);
  return true;
}

bool layer::send_empty(tcb& t, frame& out, seq at, instant now) {
  wire::tcp_header h;
  h.seq_number = at;
  h.flags.ack = true;
  h.options = options_of(t, now);
  emit(t, out, h, t.mss, now);
  return true;
}

void layer::after_sending(tcb& t, seq end, instant now) {
  if (end > t.snd.nxt) {
    if (!t.timing && !t.recovery.has_lost()) {
      t.timing = true;
      t.timed_seq = end;
      t.timed_at = now;
    }
    t.snd.nxt = end;
  }
  t.last_sent = now;
  if (t.deadline(timer::retransmit) == never) arm_retransmit(t, now);  // RFC 6298 §5.1
}

}  // namespace tunic::tcp
