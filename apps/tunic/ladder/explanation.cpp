#include "apps/tunic/ladder/explanation.hpp"

namespace tunic::ladder {
namespace {

using tcp::state;

/// An end of the connection in a sentence.
struct party {
  bool we;
  const char* name;  // subject
  const char* object;
  std::string s(const char* plural, const char* singular) const {
    return std::string{name} + ' ' + (we ? plural : singular);
  }
};

party party_of(const conversation& c, side s) {
  const bool left = s == side::left;
  if (!c.left_is_ours) return {false, left ? "A" : "B", left ? "A" : "B"};
  return left ? party{true, "we", "us"} : party{false, "the peer", "the peer"};
}

std::string way(const party& from, const party& to) {
  return std::string{"the way from "} + from.object + " to " + to.object;
}

/// The sentence about what has become true at `to`, who has heard an acknowledgement of its FIN.
std::string about_closing(const party& from, const party& to, derived_state now) {
  const std::string all = to.s("know", "knows") + " that everything arrived";
  if (now == state::fin_wait_2) return all + "; " + from.s("may", "may") + " still send";
  if (now == state::time_wait) return all + "; " + to.s("wait", "waits") + " 2 MSL, so that old segments die out";
  return all + ": CLOSED; " + from.s("wait", "waits") + " 2 MSL, lest this ACK is lost";
}

std::string explain_reset(const row& r, const party& from, const party& to, derived_state before) {
  if (r.step.remark == remark::bad_reset) return "not at the expected number, so it changes nothing (RFC 5961 §3)";
  if (before == state::syn_sent) return from.s("refuse", "refuses") + ": nobody listens there";
  if (before == state::syn_received)
    return from.s("know", "knows") + " of no such connection; " + to.s("forget", "forgets") + " it";
  return from.s("abort", "aborts") + ": both ends are CLOSED at once";
}

std::string explain_syn(const row& r, const party& from, const party& to, derived_state to_before,
                        derived_state to_after) {
  if (r.header.flags.ack && to_after == state::established && to_before == state::syn_sent)
    return from.s("agree", "agrees") + "; " + to.s("know", "knows") + " now that both ways work";
  if (to_before == state::syn_sent) return "both ask at the same time (RFC 9293 §3.5, figure 7)";
  if (to_after == state::established) return to.s("know", "knows") + " now that both ways work";
  return from.s("ask", "asks") + " to open; " + to.s("know", "knows") + " now that " + way(from, to) + " works";
}

std::string explain_fin(const party& from, const party& to, const step& s, side sender) {
  const derived_state before = s.before[sender], after = s.after[sender];
  const derived_state peer_before = s.before[other(sender)], peer_after = s.after[other(sender)];
  if (after == state::closing) return "both close at the same time: the FINs cross (RFC 9293 §3.6, figure 13)";
  if (before == state::close_wait) {
    const bool acknowledges = peer_before == state::fin_wait_1;
    return from.s(acknowledges ? "have got everything and have" : "have",
                  acknowledges ? "has got everything and has" : "has") +
           " no more to send either" + (acknowledges ? ": the ACK and the FIN in one segment" : "");
  }
  if (peer_after == state::time_wait || peer_after == state::closing)
    return from.s("have", "has") + " no more to send either";
  return from.s("have", "has") + " no more to send, but still " + (from.we ? "hear " : "hears ") + to.object;
}

}  // namespace

std::string explain(const conversation& c, const row& r) {
  const party from = party_of(c, r.from), to = party_of(c, other(r.from));
  const derived_state from_before = r.step.before[r.from];
  const derived_state to_before = r.step.before[other(r.from)], to_after = r.step.after[other(r.from)];
  if (r.header.flags.rst) return explain_reset(r, from, to, to_before);
  switch (r.step.remark) {
    case remark::none: break;
    case remark::again: return "sent again";
    case remark::fills_gap: return "fills a gap: late, or sent again after a loss";
    case remark::bad_syn: return "a SYN of another connection: only worth a challenge ACK (RFC 5961 §4)";
    case remark::bad_ack: return "acknowledges what was never sent";
    case remark::bad_reset: break;
  }
  if (r.header.flags.syn) return explain_syn(r, from, to, to_before, to_after);
  if (r.header.flags.fin && from_before != r.step.after[r.from]) return explain_fin(from, to, r.step, r.from);
  if (to_before != to_after) {
    if (to_after == state::established)
      return to.s("know", "knows") + " now, too, that both ways work: open at both ends";
    if (to_after == state::fin_wait_2 || to_after == state::time_wait || to_after == state::closed)
      return about_closing(from, to, to_after);
  }
  if (r.header.window.value == 0) return from.s("have", "has") + " no room: nothing may be sent until the window opens";
  return {};
}

}  // namespace tunic::ladder
