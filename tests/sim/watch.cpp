#include "tests/sim/watch.hpp"

#include <algorithm>

namespace tunic::sim {

using tcp::state;

// The right edge never moves left, but for what its scale cannot express (RFC 7323 §2.4).
void watch::on_sent(const wire::tcp_header& h, const tcp::tcb* t) {
  if (!h.flags.ack || h.flags.rst) return;
  if (t) shift_ = t->rcv_shift.value;
  const seq edge = h.ack_number + (std::uint32_t{h.window.value} << (h.flags.syn ? 0 : shift_));
  if (offered_ && edge + (1u << shift_) <= *offered_) shrunk_ = true;
  offered_ = offered_ ? max(edge, *offered_) : edge;
}

std::string watch::check(const tcp::tcb& t) {
  if (shrunk_) return "the right edge of the window that was offered has moved left";
  if (!t.synchronised() || t.state == state::time_wait) return {};
  if (std::string wrong = check_progress(t); !wrong.empty()) return wrong;
  if (std::string wrong = check_sender(t); !wrong.empty()) return wrong;
  if (std::string wrong = check_receiver(t); !wrong.empty()) return wrong;
  return check_board(t);
}

std::string watch::check_progress(const tcp::tcb& t) {
  if (began_) {
    if (t.snd.una < una_) return "SND.UNA has moved back";
    if (t.snd.nxt < nxt_) return "SND.NXT has moved back";
    if (t.rcv.nxt < rcv_nxt_) return "RCV.NXT has moved back";
    if (t.rcv.edge < edge_) return "the right edge of the receive window has moved left";
  }
  began_ = true;
  una_ = t.snd.una;
  nxt_ = t.snd.nxt;
  rcv_nxt_ = t.rcv.nxt;
  edge_ = t.rcv.edge;
  return {};
}

std::string watch::check_sender(const tcp::tcb& t) {
  if (t.snd.una > t.snd.nxt) return "SND.UNA is beyond SND.NXT";
  if (t.snd.nxt > t.text_end() + (t.fin_sent ? 1 : 0)) return "SND.NXT is beyond what the user has written";
  if (t.charge != t.flight->send_queue.charge() + t.receive_queue.charge())
    return "it is charged for other memory than it holds";
  const bool something_left = t.snd.una < t.text_end() + (t.closing ? 1 : 0);
  const bool waits = t.earliest_deadline() != never;
  if (something_left && !waits && !t.in_ready_list) return "it has something to send and waits for nothing";
  if (!t.flight->board.empty() && t.deadline(tcp::timer::retransmit) == never)
    return "no timer runs for what is outstanding";
  return {};
}

std::string watch::check_receiver(const tcp::tcb& t) {
  if (t.rcv.nxt > t.rcv.edge) return "RCV.NXT is beyond the window";
  const std::uint32_t fin = t.fin_received ? 1 : 0;
  if (t.rcv.nxt != t.rcv.irs + 1 + fin + static_cast<std::uint32_t>(t.receive_queue.expected()))
    return "RCV.NXT is not where the receive queue ends";
  // The window is offered in steps of its scale.
  if (t.receive_queue.held() > std::uint64_t{t.receive_buffer} + (1u << t.rcv_shift.value))
    return "more text is held than was offered room for";
  return {};
}

std::string watch::check_board(const tcp::tcb& t) {
  const auto runs = t.flight->board.runs();
  if (runs.empty()) return t.outstanding() == 0 ? "" : "the scoreboard does not know what is outstanding";
  if (runs.front().begin != t.snd.una || runs.back().end != t.snd.nxt ||
      t.flight->board.outstanding() != t.outstanding())
    return "the scoreboard does not reach from SND.UNA to SND.NXT";
  constexpr std::size_t runs_a_check = 64;  // as many are counted on average at most
  if (++since_count_ * runs_a_check < runs.size()) return {};
  since_count_ = 0;
  std::uint32_t sacked = 0, lost = 0, resent = 0;
  seq at = t.snd.una;
  for (const auto& r : runs) {
    if (r.begin != at || r.size() == 0) return "the scoreboard has a gap";
    if (r.sacked && (r.lost || r.resent)) return "the scoreboard holds octets that are sacked, and lost or sent again";
    at = r.end;
    if (r.sacked) sacked += r.size();
    if (r.lost) lost += r.size();
    if (r.resent) resent += r.size();
  }
  if (sacked != t.flight->board.sacked() || lost != t.flight->board.lost() || resent != t.flight->board.resent())
    return "the scoreboard has counted wrong";
  return {};
}

}  // namespace tunic::sim
