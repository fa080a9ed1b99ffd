#include "apps/tunic/ladder/replay.hpp"

#include <algorithm>

namespace tunic::ladder {

using tcp::state;

bool replay::coverage::add(std::uint64_t begin, std::uint64_t end) {
  begin = std::max(begin, next_);
  if (begin >= end) return false;
  auto at = beyond_.upper_bound(begin);
  if (at != beyond_.begin() && std::prev(at)->second >= begin) {
    --at;
    if (at->second >= end) return false;
    begin = at->first;
  }
  while (at != beyond_.end() && at->first <= end) {
    end = std::max(end, at->second);
    at = beyond_.erase(at);
  }
  if (begin <= next_)
    next_ = end;
  else
    beyond_.emplace(begin, end);
  return true;
}

step replay::on_segment(side s, const wire::tcp_header& h, std::uint32_t text) {
  step result;
  result.before = {state(side::left), state(side::right)};
  end& from = ends_[s];
  end& to = ends_[other(s)];

  if (!from.iss && !to.iss && !h.flags.syn) {  // the capture began later than the connection
    assume_open(from, h.seq_number);
    if (h.flags.ack) assume_open(to, h.ack_number);
  }
  if (h.flags.rst) {
    result.remark = on_reset(from, to, h);
  } else {
    if (h.flags.syn)
      result.remark = on_syn(from, to, h);
    else if (!from.iss && h.flags.ack && to.iss && to.offset(h.ack_number) > 0)
      assume_open(from, h.seq_number);  // its SYN is missing in the capture
    if (result.remark == remark::none) {
      if (h.flags.ack) on_ack(to, h.ack_number);
      result.remark = on_text(from, to, h, text);
    }
  }
  result.after = {state(side::left), state(side::right)};
  return result;
}

remark replay::on_syn(end& from, end& to, const wire::tcp_header& h) {
  if (from.syn) return h.seq_number == *from.iss ? remark::none : remark::bad_syn;
  if (h.flags.ack && to.syn && to.offset(h.ack_number) != static_cast<std::int64_t>(to.sent)) return remark::bad_ack;
  from = end{};
  from.iss = h.seq_number;
  from.syn = true;
  from.passive = h.flags.ack;
  if (h.flags.ack && !to.syn) assume_open(to, h.ack_number);
  return remark::none;
}

/// An end must be past its SYN, though we have not seen that; `next` is the number that follows what it has sent.
void replay::assume_open(end& e, seq next) {
  e.iss = next - 1;
  e.syn = true;
  e.sent = e.acked = 1;
  e.heard.add(0, 1);
}

void replay::on_ack(end& to, seq ack) {
  if (!to.iss) return;
  const std::int64_t offset = to.offset(ack);
  if (offset > static_cast<std::int64_t>(to.acked) && offset <= static_cast<std::int64_t>(to.sent))
    to.acked = static_cast<std::uint64_t>(offset);
}

remark replay::on_text(end& from, const end& to, const wire::tcp_header& h, std::uint32_t text) {
  if (!from.iss) return remark::none;
  const std::uint64_t length = text + (h.flags.syn ? 1u : 0u) + (h.flags.fin ? 1u : 0u);
  const std::int64_t offset = from.offset(h.seq_number);
  if (length == 0 || offset < 0) return length > 0 ? remark::again : remark::none;
  const auto first = static_cast<std::uint64_t>(offset), last = first + length;
  const bool old = last <= from.sent;
  const bool fresh = from.heard.add(first, last);
  from.sent = std::max(from.sent, last);
  if (h.flags.fin && !from.fin) {
    from.fin = last;
    from.fin_answers = to.fin && to.iss && h.flags.ack && to.offset(h.ack_number) >= static_cast<std::int64_t>(*to.fin);
  }
  if (!old) return remark::none;
  return fresh ? remark::fills_gap : remark::again;
}

/// RFC 9293 §3.10.7.3 and §3.10.7.4, second step, with RFC 5961 §3.2.
remark replay::on_reset(end& from, end& to, const wire::tcp_header& h) {
  bool taken = false;
  if (to.syn && !from.syn)  // SYN-SENT takes one that acknowledges its SYN
    taken = h.flags.ack && to.offset(h.ack_number) == static_cast<std::int64_t>(to.sent);
  else if (to.syn) {  // what it acknowledged last is what it expects, where it had no room for what followed
    const std::int64_t at = from.offset(h.seq_number);
    taken = at == static_cast<std::int64_t>(from.heard.next()) || at == static_cast<std::int64_t>(from.acked);
  }

  // Whoever sends a RST is CLOSED, unless that only refuses a segment of an old connection (RFC 9293 §3.5.2).
  if (!from.syn || taken || from.offset(h.seq_number) == static_cast<std::int64_t>(from.sent)) from.closed = true;
  if (!taken) return to.syn ? remark::bad_reset : remark::none;
  if (to.passive && to.acked == 0) {  // RFC 9293 §3.10.7.4: a passive OPEN returns to LISTEN
    to = end{};
    to.listens = true;
  } else {
    to.closed = true;
  }
  return remark::none;
}

derived_state replay::state(side s) const {
  return state_of(ends_[s], ends_[other(s)]);
}

derived_state replay::state_of(const end& self, const end& peer) {
  if (self.closed) return state::closed;
  if (self.listens) return state::listen;
  if (!self.syn) return {};
  if (peer.heard.next() == 0) return state::syn_sent;
  if (self.acked == 0 && !self.fin) return state::syn_received;
  const bool fin_acked = self.fin && self.acked >= *self.fin;
  if (!self.fin) return peer.fin_heard() ? state::close_wait : state::established;
  if (!peer.fin_heard()) return fin_acked ? state::fin_wait_2 : state::fin_wait_1;
  if (self.fin_answers) return fin_acked ? state::closed : state::last_ack;
  return fin_acked ? state::time_wait : state::closing;
}

bool replay::over() const {
  const auto ended = [](derived_state s) { return s == state::closed || s == state::time_wait || s == state::listen; };
  return ended(state(side::left)) && ended(state(side::right));
}

}  // namespace tunic::ladder
