#include "stack/tcp/ecn.hpp"

#include <algorithm>

// ECN (RFC 9293 §3.8.2, SHLD-8): the handshake and the receiver's side; the sender's is in ecn_feedback.cpp.

namespace tunic::tcp {
namespace {

using enum wire::ecn_codepoint;

unsigned flags_of(const wire::tcp_flags& f) {
  return static_cast<unsigned>(f.ae << 2 | f.cwr << 1 | f.ece);
}

void set_flags(wire::tcp_flags& f, unsigned value) {
  f.ae = (value & 4) != 0;
  f.cwr = (value & 2) != 0;
  f.ece = (value & 1) != 0;
}

// RFC 9768, tables 2 and 3: how a SYN-ACK and its ACK feed back the mark of what they acknowledge.
constexpr unsigned handshake_code[] = {0b010, 0b011, 0b100, 0b110};
constexpr unsigned marked = 0b110;
constexpr unsigned unmarked = 0b010;

// What a SYN asks for (RFC 3168 §6.1.1; RFC 9768 §3.1.2 and, for combinations without a meaning yet, §3.1.3).
ecn_feedback asked_by(const wire::tcp_flags& f, ecn_use use) {
  const unsigned flags = flags_of(f);
  if (use == ecn_use::off || flags == 0) return ecn_feedback::none;
  if (use == ecn_use::accurate && flags != 0b011) return ecn_feedback::accurate;
  return (flags & 0b011) == 0b011 ? ecn_feedback::classic : ecn_feedback::none;
}

}  // namespace

// No option on a SYN (RFC 9768 §3.2.3.2.1).
void ecn::ask(wire::tcp_header& syn, unsigned timeouts) {
  // What loses the SYN may dislike its flags: RFC 3168 §6.1.1.1; the accurate ones get another chance (RFC 9768
  // §3.1.4.1).
  const bool asks =
      !refused_ && ((use_ == ecn_use::on && timeouts == 0) || (use_ == ecn_use::accurate && timeouts < 2));
  if (asks) set_flags(syn.flags, use_ == ecn_use::accurate ? 0b111 : 0b011);
  asked_ = asked_ || asks;
  asked_not_ = asked_not_ || !asks;
}

bool ecn::refused() {
  if (!asked_ || asked_not_ || refused_) return false;
  refused_ = true;
  return true;
}

void ecn::answer(wire::tcp_header& syn_ack, unsigned timeouts) {
  switch (feedback_) {
    case ecn_feedback::none: break;
    case ecn_feedback::classic: syn_ack.flags.ece = !plain_; break;
    case ecn_feedback::accurate:
      if (timeouts >= 2) {  // RFC 9768 §3.2.3.2.2, and §3.1.5 for ECT
        ect_ = false;
        break;
      }
      set_flags(syn_ack.flags, handshake_code[static_cast<unsigned>(handshake_)]);
      if (!answered_ && timeouts == 0)
        syn_ack.options.accurate_ecn =
            wire::accurate_ecn{false, 3, {accurate_->r.e0b, accurate_->r.ceb, accurate_->r.e1b}};
      answered_ = true;
  }
}

bool ecn::take_syn(const wire::tcp_header& h, wire::ecn_codepoint mark) {
  handshake_ = mark;
  ecn_feedback asked = asked_by(h.flags, use_);
  if (!heard_) {
    heard_ = true;
    // RFC 3168 §6.1.1 sends no SYN with ECT: something on the path rewrites the field.
    if (asked == ecn_feedback::classic && mark != not_ect) asked = ecn_feedback::none;
    settle(asked, h);
    if (asked == ecn_feedback::classic && asked_not_) ect_ = false;  // second rule, of a simultaneous open
    return true;
  }
  if (accurate_ && h.options.timestamps) accurate_->latest = h.options.timestamps->val;
  // RFC 9768 §3.1.5: the first one counts.
  if (use_ == ecn_use::accurate && feedback_ != ecn_feedback::none && asked != ecn_feedback::none && asked != feedback_)
    return false;
  if (asked == ecn_feedback::none) {
    plain_ = true;
    ect_ = false;  // RFC 3168 §6.1.1, third rule; RFC 9768 §3.1.5
  }
  return true;
}

void ecn::settle(ecn_feedback f, const wire::tcp_header& syn) {
  feedback_ = f;
  if (f != ecn_feedback::accurate) return;
  accurate_ = std::make_unique<accurate>();
  if (syn.options.timestamps) accurate_->latest = syn.options.timestamps->val;
}

// RFC 9768 §3.1.1, table 2.
void ecn::take_syn_ack(const wire::tcp_header& h, wire::ecn_codepoint mark) {
  heard_ = true;
  handshake_ = mark;
  if (!asked_) return;
  const unsigned flags = flags_of(h.flags);
  // (1,1,1), or (0,1,1) where that was asked, comes from a server that reflects what it does not know.
  if (use_ != ecn_use::accurate) {
    if ((flags & 0b011) != 0b001) return;
    feedback_ = ecn_feedback::classic;
    ect_ = !asked_not_;  // RFC 3168 §6.1.1, second rule
    return;
  }
  switch (flags) {
    case 0b001:
      feedback_ = ecn_feedback::classic;
      ect_ = !asked_not_;  // RFC 3168 §6.1.1, second rule
      return;
    case 0b000:
    case 0b111: return;
    default: break;
  }
  settle(ecn_feedback::accurate, h);
  constexpr unsigned reserved = 0b101;            // RFC 9768 §3.1.3
  ect_ = flags == unmarked || flags == reserved;  // our SYN left without ECT (§3.2.2.3)
  handshake_marked_ = flags == marked;
  if (mark == ce) ++accurate_->r.cep;
  echoes_handshake_ = untested_ = true;
  take_first_option(h);
}

void ecn::take_syn_ack_again(wire::ecn_codepoint mark) {
  if (feedback_ != ecn_feedback::accurate || !asked_) return;
  handshake_ = mark;
  if (mark == ce && accurate_->r.cep == 5) ++accurate_->r.cep;  // RFC 9768 §3.2.2.2: no more than once
  echoes_handshake_ = true;
}

void ecn::take_last_ack(const wire::tcp_header& h, bool bare) {
  if (feedback_ != ecn_feedback::accurate || h.flags.syn) return;
  take_first_option(h);
  if (!bare || !h.options.sack.empty()) return;
  const unsigned flags = flags_of(h.flags);  // RFC 9768 §3.2.2.1, table 4
  if (flags == 0) {
    ect_ = false;
    deaf_ = true;
  }
  handshake_marked_ = flags == marked;
  if (handshake_marked_) ++accurate_->s.cep;
  // Our SYN-ACK left without ECT (§3.2.2.3).
  if (flags == 0b011 || flags == 0b100 || flags == marked) ect_ = false;
}

// RFC 9768 §3.2.3.2.3 and §3.2.3.2.4.
void ecn::take_first_option(const wire::tcp_header& h) {
  const auto& o = h.options.accurate_ecn;
  option_comes_ = o.has_value();
  option_zeroed_ = o && (o->e0b() == 0u || o->e1b() == 0u);
}

// RFC 9768 §3.2.
bool ecn::take_arrival(const ecn_arrival& a) {
  const auto before = last_;
  last_ = a.mark;
  switch (feedback_) {
    case ecn_feedback::none: return false;
    case ecn_feedback::classic: {
      // RFC 3168 §6.1.3. The peer's window may be a segment now, so it is told at once.
      const bool echoed = echo_;
      if (a.cwr) echo_ = false;
      if (a.mark == ce && a.text > 0) echo_ = true;
      return a.text > 0 && echo_ != echoed;
    }
    case ecn_feedback::accurate: break;
  }
  if (a.text > 0) {
    old_ = answers_ack_ = false;
    if (a.mark != not_ect) {
      (a.mark == ce ? accurate_->r.ceb : a.mark == ect0 ? accurate_->r.e0b : accurate_->r.e1b) += a.text;
      const auto bit = static_cast<std::uint8_t>(1u << static_cast<unsigned>(a.mark));
      accurate_->changed |= bit;
      accurate_->since_option |= bit;
    }
  }
  if (a.mark != ce) return false;
  accurate_->r.cep += a.segments;
  accurate_->ce_since_ack =
      static_cast<std::uint8_t>(std::min<std::uint32_t>(accurate_->ce_since_ack + a.segments, 255));
  // RFC 9768 §3.2.2.5.1: change-triggered, and increment-triggered.
  const bool due = (a.text > 0 && before != ce) || accurate_->ce_since_ack >= (a.unacknowledged ? 2 : 3);
  answers_ack_ = answers_ack_ || (due && a.text == 0 && !a.unacknowledged);
  return due;
}

// RFC 9768 §3.2.3.2.2: once may be chance, so the option goes again to find out; twice, and nothing new between, is
// not.
void ecn::take_duplicate() {
  if (!option_sent_) return;
  option_off_ = option_off_ || old_;
  old_ = true;
  accurate_->since_option = accurate_->changed;
}

bool ecn::option_is_due() const {
  return feedback_ == ecn_feedback::accurate && !option_off_ && (accurate_->since_option != 0 || untested_);
}

// RFC 9768 §3.2.3.3: a field for each counter that has ever changed, or if that is too long since the last option. Two
// SACK blocks come first.
void ecn::add_option(wire::tcp_options& o) const {
  if (!option_is_due()) return;
  constexpr std::size_t most = wire::tcp_header::max_size - wire::tcp_header::min_size;
  const std::size_t sack = o.sack.empty() ? 0 : 4 + 8 * std::min<std::size_t>(o.sack.size(), 2);
  const std::size_t room = most - (o.timestamps ? 12 : 0) - sack;
  const auto fields = [](std::uint8_t marks, bool e1b_first) -> std::uint8_t {
    const auto has = [&](wire::ecn_codepoint c) { return (marks >> static_cast<unsigned>(c) & 1) != 0; };
    if (has(e1b_first ? ect0 : ect1)) return 3;
    if (has(ce)) return 2;
    return has(e1b_first ? ect1 : ect0) ? 1 : 0;
  };
  for (const std::uint8_t marks : {accurate_->changed, accurate_->since_option}) {
    wire::accurate_ecn option;
    option.e1b_first = fields(marks, true) < fields(marks, false);
    option.fields = untested_ ? 3 : fields(marks, option.e1b_first);
    if (option.size() > room) continue;
    option.field = {accurate_->r.e0b & 0xffffff, accurate_->r.ceb & 0xffffff, accurate_->r.e1b & 0xffffff};
    if (option.e1b_first) std::swap(option.field[0], option.field[2]);
    o.accurate_ecn = option;
    return;
  }
}

wire::ecn_codepoint ecn::mark(wire::tcp_header& h, std::uint32_t text, bool fresh) {
  switch (feedback_) {
    case ecn_feedback::none: return not_ect;
    case ecn_feedback::classic:
      h.flags.ece = echo_;
      h.flags.cwr = h.flags.cwr || (fresh && cwr_due_);
      if (fresh) cwr_due_ = false;
      break;
    case ecn_feedback::accurate:
      option_sent_ = h.options.accurate_ecn.has_value();
      if (option_sent_) accurate_->since_option = 0;
      accurate_->ce_since_ack = 0;
      answers_ack_ = false;
      if (text > 0) untested_ = false;
      if (text == 0 && h.options.sack.empty() && echoes_handshake_) {
        echoes_handshake_ = false;
        set_flags(h.flags, handshake_code[static_cast<unsigned>(handshake_)]);
      } else {
        set_flags(h.flags, accurate_->r.cep & 7);  // RFC 9768 §3.2.2
      }
      break;
  }
  // RFC 3168 §5, §5.2 and §6.1.2, RFC 9768 §3.1.5: ECT(0), but by RFC 3168 §6.1.4 to §6.1.6 no ECT on pure ACKs, on
  // what is sent again and on window probes.
  return fresh && ect_ ? ect0 : not_ect;
}

}  // namespace tunic::tcp
