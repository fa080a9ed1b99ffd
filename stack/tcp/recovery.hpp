#pragma once

#include <cstdint>

#include "stack/base/seq.hpp"

namespace tunic::tcp {

/// What is taken for lost and has to be sent again: NewReno (RFC 6582) and the timeout of RFC 6298. It holds the range
/// [next, end) of sequence numbers that wait for retransmission; the sender takes from its front.
class recovery {
 public:
  enum class phase : std::uint8_t { none, fast, timeout };

  [[nodiscard]] phase current() const { return phase_; }
  [[nodiscard]] bool has_lost() const { return next_ < end_; }
  [[nodiscard]] seq lost_begin() const { return next_; }
  [[nodiscard]] std::uint32_t lost_octets() const { return has_lost() ? distance(next_, end_) : 0; }
  [[nodiscard]] seq lost_end() const { return end_; }

  /// Whether duplicates of this ACK may start a fast retransmit: not for what an earlier recovery sent (RFC 6582 §3.2,
  /// step 1).
  [[nodiscard]] bool may_enter_fast(seq una) const {
    return phase_ == phase::none && (!recover_set_ || recover_ < una);
  }
  void enter_fast(seq una, seq nxt, std::uint32_t mss) {
    phase_ = phase::fast;
    set_recover(nxt);
    mark(una, min(nxt, una + mss));
  }
  void enter_timeout(seq una, seq nxt) {
    phase_ = phase::timeout;
    set_recover(nxt);
    mark(una, nxt);
  }
  /// [from, to) is to be sent again.
  void mark(seq from, seq to) {
    next_ = from;
    end_ = to;
  }

  void on_sent_again(seq to) { next_ = to; }

  enum class progress : std::uint8_t { none, partial, full };
  /// SND.UNA has moved to `una`.
  progress on_new_ack(seq una, seq nxt, std::uint32_t mss) {
    if (next_ < una) next_ = una;
    if (end_ < next_) end_ = next_;
    if (phase_ == phase::none) {
      if (recover_ < una) recover_set_ = false;  // passed: in 2^31 octets it would seem to lie ahead again
      return progress::none;
    }
    if (una >= recover_) {
      phase_ = phase::none;
      mark(una, una);
      return progress::full;
    }
    if (phase_ == phase::fast) mark(una, min(nxt, una + mss));
    return progress::partial;
  }

 private:
  void set_recover(seq nxt) {
    recover_ = nxt;
    recover_set_ = true;
  }

  phase phase_ = phase::none;
  bool recover_set_ = false;
  seq recover_;  // SND.NXT when the loss was found
  seq next_;
  seq end_;
};

}  // namespace tunic::tcp
