#include <algorithm>
#include <array>
#include <utility>

#include "stack/tcp/layer.hpp"

// How large a segment may be: what the peer announced (RFC 9293 §3.7.1), what ICMP says of the path (RFC 1191, RFC
// 8201), and what the path swallows without a word (RFC 4821).

namespace tunic::tcp {
namespace {

constexpr std::uint32_t least_mss = 48;  // what a hostile MSS option cannot go below, as on Linux
// Datagrams that pass almost everywhere, to fall back on: IPv6's least (RFC 8200 §5), RFC 4821 §7.2's, IPv4's.
constexpr std::array<std::uint16_t, 3> common_mtus{1280, 1024, 576};
constexpr duration probe_interval = std::chrono::minutes{10};  // paths change (RFC 4821 §7.7)
constexpr duration probe_pause = std::chrono::seconds{1};
constexpr std::uint16_t close_enough = 32;  // octets that a further probe could gain at most

std::size_t headers_of(const address& a) {
  return ip::layer::header_size(a.family()) + wire::tcp_header::min_size;
}

}  // namespace

// What we announce (RFC 9293 §3.7.1, MUST-67; §3.7.3, SHLD-6): as much as the device carries, or as the user has named.
std::uint16_t layer::own_mss(const tcb& t) const {
  const std::size_t headers = headers_of(t.ends.remote.address);
  const std::size_t device = std::clamp<std::size_t>(ip_.settings().mtu, headers + least_mss, 65535) - headers;
  return static_cast<std::uint16_t>(t.user_mss != 0 ? std::min<std::size_t>(device, t.user_mss) : device);
}

// Eff.snd.MSS (RFC 9293 §3.7.1, MUST-16; RFC 1191 §3.1, RFC 8201 §5.4, RFC 4821 §7.1).
std::uint16_t layer::mss_for(const tcb& t) const {
  return static_cast<std::uint16_t>(mss_with(t, t.peer_mss) - (t.timestamps_on ? 12 : 0));
}

std::uint16_t layer::mss_with(const tcb& t, std::uint16_t peer_mss) const {
  const address& remote = t.ends.remote.address;
  const std::size_t headers = headers_of(remote);
  std::size_t most = std::max<std::size_t>(ip_.path_mtu(remote), headers + least_mss) - headers;
  most = std::min<std::size_t>({most, 65535, own_mss(t)});
  if (t.search) most = std::min<std::size_t>(most, t.search->most);
  return static_cast<std::uint16_t>(
      std::clamp<std::size_t>(peer_mss, least_mss, std::max<std::size_t>(most, least_mss)));
}

void layer::take_mss(tcb& t) {
  t.mss = mss_for(t);
  if (t.cc) t.cc->set_mss(t.mss);
}

// RFC 1191 §3, §6.2 and §6.4, RFC 8201 §4, §5.2 and §5.4 (which RFC 7323 §5.7 asks for).
void layer::on_packet_too_big(tcb& t, const ip::icmp_error& e, instant now) {
  const std::uint16_t before = t.mss;
  ip_.lower_path_mtu(e.destination, e.mtu, now);
  if (t.search) t.search->suspected = false;  // here is the proof
  take_mss(t);
  if (t.state == state::syn_sent) {  // it was the SYN's text that made it too big (RFC 7413 §4.1.3.1)
    if (t.flight->board.empty() || t.retransmits > 0) return;
    t.syn_due = true;
    make_ready(t);
    return;
  }
  if (t.mss < before) resend_outstanding(t);  // RFC 8201 §5.5
}

// What did not fit, or was not taken, is sent again, and this is no sign of congestion (RFC 8201 §5.4).
void layer::resend_outstanding(tcb& t) {
  if (t.flight->board.empty()) return;
  t.flight->board.mark_all_lost([](const scoreboard::run&) { return false; });
  t.recovery.phase = recovery_phase::loss;
  t.recovery.end = t.snd.nxt;
  t.recovery.may_undo = t.recovery.frto = false;
  t.recovery.probing = t.recovery.frto_probing = false;
  if (t.search) t.search->probing = t.search->repairing = false;
  make_ready(t);
}

// Text in a datagram of a size that passes almost everywhere.
std::uint32_t layer::base_text(const tcb& t) const {
  const auto headers = static_cast<std::uint32_t>(headers_of(t.ends.remote.address));
  return common_mtus.front() - headers - (t.timestamps_on ? 12 : 0);
}

bool layer::is_large(const tcb& t, const scoreboard::run& r) const {
  return std::min<std::uint32_t>(r.size(), r.segment) > base_text(t);
}

// How much smaller than a full segment a loss probe has to be: where no large one has ever arrived, one that vanishes
// as well tells nothing.
std::uint32_t layer::probe_deficit(const tcb& t) const {
  if (!config_.mtu_search || t.large_passed) return 0;
  return t.mss - std::min<std::uint32_t>(t.mss, base_text(t));
}

// RFC 4821 §7.2, §7.7 and §7.8, RFC 8899 §4.3: large segments vanish, again and again, or, where none has ever
// arrived, once. The next smaller size that passes almost everywhere is tried; if it was something else that swallowed
// them, the search brings the size back. Returns whether it was for the want of a single large one.
bool layer::suspect_black_hole(tcb& t, instant now) {
  constexpr unsigned suspicious = 2;  // timeouts in a row
  const auto headers = static_cast<std::uint16_t>(headers_of(t.ends.remote.address));
  const std::uint32_t options = t.timestamps_on ? 12 : 0;
  const std::uint32_t size = std::min<std::uint32_t>(t.mss, t.outstanding()) + options;
  const bool large = t.outstanding() >= t.mss || size + headers > common_mtus.front();
  if (!config_.mtu_search || !large) return false;
  const bool never_passed = !t.large_passed && is_large(t, t.flight->board.front());
  if (t.unanswered < suspicious && !never_passed) return false;
  const std::uint16_t least = t.ends.remote.address.is_v4() ? 0 : 1280;
  for (const std::uint16_t mtu : common_mtus) {
    if (mtu < least || mtu >= size + headers) continue;
    if (!t.search) t.search = std::make_unique<mtu_search>();
    mtu_search& m = *t.search;
    m.most = static_cast<std::uint16_t>(mtu - headers);
    m.refused = 0;
    m.probing = m.repairing = false;
    m.suspected = m.suspected || never_passed;
    m.next = never_passed ? now : now + probe_pause;
    take_mss(t);
    return never_passed;
  }
  return false;
}

// Several large segments are lost and something smaller arrives, but never a large one: it is their size, no congestion
// (RFC 8899 §4.3), unless the next large one, a probe, arrives.
bool layer::size_is_to_blame(tcb& t, instant now) {
  constexpr std::uint32_t chance = 3;       // segments
  if (probe_deficit(t) == 0) return false;  // or each ACK of a peer with a small MSS would walk the board
  std::uint32_t lost = 0;
  for (const auto& r : t.flight->board.runs())
    if (r.lost && is_large(t, r)) lost += r.size() / r.segment;
  if (lost < chance || !suspect_black_hole(t, now)) return false;
  resend_outstanding(t);
  return true;
}

// The size of a probe that may leave now; 0 where none may. It must not be missed should it vanish: there has to be
// text behind it that makes the peer tell (RFC 4821 §6.1, §7.4). Its size counts headers (§5.1)
// and lies between what passes and what may (§7.1, §7.2).
std::uint32_t layer::mtu_probe(const tcb& t, std::uint64_t unsent, std::uint32_t usable, std::uint32_t room,
                               instant now) const {
  constexpr std::uint32_t behind = 4;  // segments: more than DupThresh; acknowledgements may have to make room for them
  if (!t.search) return 0;
  const mtu_search& m = *t.search;
  if (m.probing || now < m.next || t.recovery.phase != recovery_phase::open) return 0;
  const auto headers = headers_of(t.ends.remote.address);
  const auto wanted = static_cast<std::uint32_t>(
      std::min<std::size_t>({t.peer_mss, own_mss(t), ip_.path_mtu(t.ends.remote.address) - headers}));
  std::uint32_t size = m.refused == 0 ? wanted : m.most + (std::min<std::uint32_t>(m.refused, wanted) - m.most) / 2;
  if (t.timestamps_on) size -= 12;
  const std::uint32_t needed = size + behind * t.mss;
  return size > t.mss && unsent >= needed && usable >= needed && t.cc->cwnd() >= needed && room >= size ? size : 0;
}

void layer::on_mtu_probe_sent(tcb& t, seq from, seq to) {
  if (distance(from, to) <= t.mss) return;  // the text lay in too many pieces
  t.search->probing = true;
  t.search->probe_begin = from;
  t.search->probe_end = to;
}

// Whether all that is lost is the probe: then the path is narrower, not congested (RFC 4821 §4, §7.6.2).
bool layer::only_probe_lost(const tcb& t) {
  if (!t.search) return false;
  const mtu_search& m = *t.search;
  return (m.probing || m.repairing) &&
         t.flight->board.lost() == t.flight->board.lost_within(m.probe_begin, m.probe_end);
}

void layer::judge_mtu_probe(tcb& t, instant now) {
  if (!t.search) return;
  mtu_search& m = *t.search;
  if (t.snd.una >= m.probe_end) m.repairing = false;
  if (!m.probing) return;
  const auto size = static_cast<std::uint16_t>(distance(m.probe_begin, m.probe_end) + (t.timestamps_on ? 12 : 0));
  if (t.flight->board.lost() > 0 && only_probe_lost(t)) {
    m.refused = size;
    m.repairing = true;
    m.suspected = false;                    // so it was
  } else if (t.flight->board.lost() > 0) {  // whatever happened to it was not its size alone (§7.1, §7.6.4)
    m.probing = false;
    m.next = now + probe_pause;
    return;
  } else if (t.snd.una >= m.probe_end) {
    m.most = size;
    take_mss(t);
    // It was congestion that had swallowed the first segments, after all.
    if (std::exchange(m.suspected, false)) answer_late(t, t.flight->board.in_flight(), now);
  } else {
    return;
  }
  m.probing = false;
  // RFC 4821 §7.3: when a further step would gain little, and for how long.
  const bool found = m.refused != 0 ? m.refused - m.most <= close_enough : m.most >= std::min(t.peer_mss, own_mss(t));
  m.next = found ? now + probe_interval : now;
  if (found) m.refused = 0;
}

}  // namespace tunic::tcp
