#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "stack/base/seq.hpp"
#include "stack/tcp/state.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::ladder {

/// The two columns of a ladder: ours is the left one where the capture tells which end is ours.
enum class side : std::uint8_t { left, right };

constexpr side other(side s) {
  return s == side::left ? side::right : side::left;
}

/// Something for each side.
template <class T>
struct both {
  T left{}, right{};
  T& operator[](side s) { return s == side::left ? left : right; }
  const T& operator[](side s) const { return s == side::left ? left : right; }
};

/// The state of an end, as far as the segments tell: nothing before it has been heard of.
using derived_state = std::optional<tcp::state>;

/// What is unusual about a segment.
enum class remark : std::uint8_t {
  none,
  again,      ///< everything in it was sent before
  fills_gap,  ///< comes behind octets that follow it: sent again after a loss, or late
  bad_syn,    ///< a SYN with a number that is not this connection's (RFC 5961 §4)
  bad_ack,    ///< a SYN that acknowledges what was never sent
  bad_reset,  ///< a RST that is not at the expected number (RFC 5961 §3)
};

/// What a segment has done.
struct step {
  both<derived_state> before, after;
  ladder::remark remark = remark::none;
};

/// Both ends' states, derived from the segments between them: facts about what each has sent and heard are gathered,
/// and RFC 9293 §3.3.2 says which state they make. A segment counts as heard when it is seen. That is what happens to
/// the end where the capture was taken; of the other it is an assumption, corrected where its FIN shows that it had not
/// heard ours.
class replay {
 public:
  step on_segment(side from, const wire::tcp_header& h, std::uint32_t text);

  [[nodiscard]] derived_state state(side s) const;
  /// The number of its SYN, which relative numbers count from; a guess where the capture began later.
  [[nodiscard]] std::optional<seq> first(side s) const { return ends_[s].iss; }
  /// Whether a new SYN between the two begins another connection.
  [[nodiscard]] bool over() const;

 private:
  /// What came of one direction, in offsets from its SYN, which do not wrap.
  class coverage {
   public:
    /// Whether something in [begin, end) is new.
    bool add(std::uint64_t begin, std::uint64_t end);
    [[nodiscard]] std::uint64_t next() const { return next_; }

   private:
    std::uint64_t next_ = 0;                         // everything before it has come
    std::map<std::uint64_t, std::uint64_t> beyond_;  // begin to end, with a gap before each
  };

  struct end {
    std::optional<seq> iss;
    bool syn = false;                  // has sent one, or must have
    bool passive = false;              // its SYN answered one
    bool listens = false;              // is back in LISTEN
    bool closed = false;               // by a RST
    std::uint64_t sent = 0;            // offset behind everything sent
    std::uint64_t acked = 0;           // offset behind everything acknowledged
    std::optional<std::uint64_t> fin;  // offset behind its FIN
    bool fin_answers = false;          // it had heard the other's FIN when it sent its own
    coverage heard;                    // by the other end

    [[nodiscard]] std::int64_t offset(seq s) const {
      return static_cast<std::int64_t>(sent) + (s - (*iss + static_cast<std::uint32_t>(sent)));
    }
    [[nodiscard]] bool fin_heard() const { return fin && heard.next() >= *fin; }
  };

  remark on_syn(end& from, end& to, const wire::tcp_header& h);
  remark on_reset(end& from, end& to, const wire::tcp_header& h);
  remark on_text(end& from, const end& to, const wire::tcp_header& h, std::uint32_t text);
  static void on_ack(end& to, seq ack);
  static void assume_open(end& e, seq next);
  [[nodiscard]] static derived_state state_of(const end& self, const end& peer);

  both<end> ends_;
};

}  // namespace tunic::ladder
