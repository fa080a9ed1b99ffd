#include "stack/tcp/status.hpp"

#include "stack/tcp/layer.hpp"

// STATUS (RFC 9293 §3.10.6), and what it needs to have been noted.

namespace tunic::tcp {

// What is sent stays in the queue until it is acknowledged; our FIN is not in it.
std::uint64_t layer::unsent_octets(const tcb& t) {
  return t.flight->send_queue.size() - (t.outstanding() - (t.fin_sent && t.outstanding() > 0 ? 1 : 0));
}

void layer::note_limit(tcb& t, instant now) const {
  using enum send_limit_kind;
  auto kind = network;
  const std::uint64_t unsent = unsent_octets(t);
  if (!t.text_flows() || (t.flight->send_queue.empty() && t.flight->board.empty())) {
    kind = nothing_to_send;
  } else if (const auto next = static_cast<std::uint32_t>(std::min<std::uint64_t>(unsent > 0 ? unsent : t.mss, t.mss));
             t.flight->board.in_flight() + next > t.cc->cwnd()) {
    kind = network;
  } else if (unsent > 0 && t.outstanding() + next > t.snd.wnd) {
    kind = peer_window;
  } else if (unsent == 0 && t.send_short) {
    kind = send_buffer;
  }
  t.limits.enter(t.flight->limit, kind, now);
}

status layer::status(const tcb& t, instant now) const {
  using enum send_limit_kind;
  tcp::status s;
  s.state = t.state;
  s.ends = t.ends;
  s.timestamps = t.timestamps_on;
  s.sack = t.sack_on;
  s.window_scale = t.scale_on;
  s.ecn = t.ecn.feedback();
  s.ect = t.ecn.sends_ect();
  (t.passive ? s.syn_text_received : s.syn_text_sent) = t.syn_text;
  s.marks_reported = t.ecn.reported();
  s.marks_received = t.ecn.received();
  if (t.rtt.sampled()) {
    s.srtt = t.rtt.srtt();
    s.min_rtt = t.rtt.min();
    s.rttvar = t.rtt.rttvar();
  }
  s.rto = rto(t);
  s.backoff = t.backoff;
  s.unanswered = t.unanswered;
  s.mss = t.mss;
  s.receive_mss = own_mss(t);
  s.delivery_rate = t.rate.last();
  s.app_limited = t.rate.app_limited();
  if (t.cc) {
    s.algorithm = t.cc->algorithm();
    s.cwnd = t.cc->cwnd();
    s.ssthresh = t.cc->ssthresh();
    s.pacing_rate = t.paced ? t.cc->pacing_rate() : 0;
  }
  s.phase = t.recovery.phase;
  s.snd_wnd = t.snd.wnd;
  s.in_flight = distance(t.snd.una, t.snd.nxt);
  s.sacked = t.sack_on ? t.flight->board.sacked() : t.flight->board.presumed();
  s.lost = t.flight->board.lost();
  s.resent = t.flight->board.resent();
  s.reordering = t.recovery.reordering;
  s.reordering_seen = t.rack.reordering_seen();
  s.send_queued = t.flight->send_queue.size();
  s.send_buffer = send_limit(t);
  s.retransmits = t.retransmits;
  s.delivered = t.rate.delivered();
  s.lost_in_all = t.rate.lost();
  s.peer_window_limited = t.limits.time(t.flight->limit, peer_window, now);
  s.send_buffer_limited = t.limits.time(t.flight->limit, send_buffer, now);
  s.busy = t.limits.time(t.flight->limit, network, now) + s.peer_window_limited + s.send_buffer_limited;
  s.since_sent = now - t.last_sent;
  s.rcv_wnd = t.rcv_wnd();
  s.receive_queued = t.receive_queue.size();
  s.receive_buffer = t.receive_buffer;
  s.received = t.receive_queue.expected();
  s.since_received = now - t.last_received;
  if (t.last_text != instant{}) s.since_text = now - t.last_text;
  return s;
}

}  // namespace tunic::tcp
