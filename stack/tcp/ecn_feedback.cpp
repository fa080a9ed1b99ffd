#include <algorithm>

#include "stack/tcp/ecn.hpp"

// What the peer's feedback tells the sender of text.

namespace tunic::tcp {

std::optional<std::uint32_t> ecn::take_feedback(const wire::tcp_header& h, std::uint32_t delivered, std::uint32_t mss) {
  if (h.flags.syn) return {};  // RFC 9768 §3.2.2; an ECE on it means something else
  switch (feedback_) {
    case ecn_feedback::none: return {};
    case ecn_feedback::classic: return h.flags.ece && ect_ ? std::optional{std::max(delivered, 1u)} : std::nullopt;
    case ecn_feedback::accurate: break;  // whether or not text leaves with ECT (RFC 9768 §3.1.5)
  }
  // An ACK that brings nothing new is superseded (RFC 9768 appendix A.1).
  const auto& ts = h.options.timestamps;
  const std::int32_t newer = ts ? static_cast<std::int32_t>(ts->val - accurate_->latest) : 0;
  if (newer < 0 || (newer == 0 && delivered == 0)) return {};
  if (ts) accurate_->latest = ts->val;
  return take_counters(h, delivered, mss);
}

std::optional<std::uint32_t> ecn::take_counters(const wire::tcp_header& h, std::uint32_t delivered, std::uint32_t mss) {
  const auto ace = static_cast<unsigned>(h.flags.ae << 2 | h.flags.cwr << 1 | h.flags.ece);
  const std::uint32_t segments = (delivered + mss - 1) / mss;
  // §3.2.2.4: so few segments cannot have brought the counter to zero.
  const bool first = !fed_back_;
  fed_back_ = true;
  if (first && ace == 0 && segments < 3) {
    ect_ = false;
    deaf_ = true;
  }
  if (deaf_) return {};
  if (segments > 0) {
    accurate_->average =
        static_cast<std::uint16_t>(accurate_->average == 0 ? std::min<std::uint32_t>(segments, 512) * 64
                                                           : accurate_->average - accurate_->average / 64 +
                                                                 std::min<std::uint32_t>(segments, 512));
  }
  const auto d = option_zeroed_ ? std::nullopt : read(h.options);
  option_comes_ = option_comes_ || d;
  const std::uint32_t cep = cycles((ace - accurate_->s.cep) & 7, segments, mss, d);
  accurate_->s.cep += cep;
  if (d) {
    accurate_->s.e0b += d->e0b;
    accurate_->s.ceb += d->ceb;
    accurate_->s.e1b += d->e1b;
    check_consistency(d->ceb, cep, segments);
  }
  if (cep == 0 && (!d || d->ceb == 0)) return {};
  return std::clamp<std::uint32_t>(d ? d->ceb : cep * mss, 1, std::max(delivered, 1u));
}

// §3.2.3.1. Nothing where there is no option, or where one that was overtaken would turn a counter back.
std::optional<ecn::increments> ecn::read(const wire::tcp_options& o) const {
  if (!o.accurate_ecn) return {};
  bool backwards = false;
  const auto increment = [&](std::optional<std::uint32_t> field, std::uint32_t counter) -> std::uint32_t {
    if (!field) return 0;
    const std::uint32_t d = (*field - counter) & 0xffffff;
    backwards = backwards || d >= 1u << 23;
    return d;
  };
  const increments d{increment(o.accurate_ecn->e0b(), accurate_->s.e0b),
                     increment(o.accurate_ecn->ceb(), accurate_->s.ceb),
                     increment(o.accurate_ecn->e1b(), accurate_->s.e1b)};
  return backwards ? std::nullopt : std::optional{d};
}

// §3.2.2.5.2, appendix A.2: how far the counter of segments has moved, of which the ACE field shows the last three
// bits.
std::uint32_t ecn::cycles(std::uint32_t least, std::uint32_t segments, std::uint32_t mss,
                          const std::optional<increments>& d) const {
  if (segments <= 7 || segments < least) return least;
  const std::uint32_t safer = segments - (segments - least) % 8;
  if (d) {  // the octets tell: segments of half a full one are the smallest that are likely
    const bool enough = d->ceb <= std::uint64_t{mss} * least && 2 * std::uint64_t{d->ceb} < std::uint64_t{mss} * safer;
    return enough ? least : safer;
  }
  if (option_comes_) return least;  // the next one will tell
  constexpr unsigned frequent = 4 * 64;
  return accurate_->average > frequent ? least
                                       : safer;  // where ACKs are rare anyway, a long stretch proves no loss of them
}

// §3.2.3.2.5: octets that met CE in no segment. The coverage of an ACK in segments is an estimate, so that it takes
// several in a row.
void ecn::check_consistency(std::uint32_t ceb, std::uint32_t cep, std::uint32_t segments) {
  constexpr std::uint8_t proof = 3;
  if (cep > 0) {
    accurate_->inconsistent = 0;
  } else if (ceb > 0 && segments <= 7 && ++accurate_->inconsistent >= proof) {
    accurate_->inconsistent = proof;
    ect_ = false;
  }
}

bool ecn::answers(bool marked, seq una, bool busy) {
  hold_ = max(hold_, una - 1);  // so that it never falls behind by half of the circle
  if (busy) {
    missed_ = missed_ || marked;
    return false;
  }
  missed_ = false;
  if (una <= hold_) return false;
  const bool owed = owed_;
  owed_ = false;
  return owed || marked;
}

void ecn::on_reduced(seq nxt) {
  hold_ = nxt;
  missed_ = owed_ = false;
  cwr_due_ = feedback_ == ecn_feedback::classic && ect_;
}

void ecn::on_undo(seq una) {
  hold_ = una - 1;
  cwr_due_ = false;
  owed_ = missed_;
  missed_ = false;
}

}  // namespace tunic::tcp
