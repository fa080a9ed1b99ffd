#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "stack/base/seq.hpp"
#include "stack/wire/ecn.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::tcp {

/// Whether connections use explicit congestion notification.
enum class ecn_use : std::uint8_t {
  off,      ///< never
  passive,  ///< RFC 3168, where the peer's SYN asks for it
  on,       ///< RFC 3168, and our SYN asks for it
  accurate  ///< RFC 9768, and our SYN asks for it; RFC 3168 with a peer that knows no more
};

/// How marks are fed back: what the handshake settled, for good (RFC 9768 §3.1).
enum class ecn_feedback : std::uint8_t {
  none,     ///< not at all: nothing leaves with ECT
  classic,  ///< RFC 3168: ECE until CWR
  accurate  ///< RFC 9768: counters in the ACE field and in an option
};

/// What has arrived with which mark (RFC 9768 §3.2): segments for CE, octets of text for each.
struct ecn_counters {
  std::uint32_t cep = 5;  ///< not 0, so that it shows where somebody zeroes the field (§3.2.1)
  std::uint32_t e0b = 1;
  std::uint32_t ceb = 0;
  std::uint32_t e1b = 1;
};

/// What a segment that was acceptable brought.
struct ecn_arrival {
  wire::ecn_codepoint mark = wire::ecn_codepoint::not_ect;
  bool cwr = false;
  std::uint32_t segments = 1;   ///< on the wire
  std::uint32_t text = 0;       ///< octets
  bool unacknowledged = false;  ///< text of the peer's waits for an ACK of ours
};

/// A connection's ECN: the negotiation, what is fed back and what is learned from the peer's feedback. It sees headers
/// and marks, and knows neither the connection nor its congestion control.
class ecn {
 public:
  ecn() = default;
  ecn(ecn_use u, seq iss) : use_(u), hold_(iss) {}

  // --- The handshake (RFC 3168 §6.1.1, RFC 9768 §3.1). `timeouts`: how often the answer did not come in time.
  void ask(wire::tcp_header& syn, unsigned timeouts);
  /// A RST answered our SYN. Whether the SYN should go once more, without asking for ECN (RFC 3168 §6.1.1.1).
  [[nodiscard]] bool refused();
  void answer(wire::tcp_header& syn_ack, unsigned timeouts);
  /// The peer's SYN, the first one or again. False where the two contradict each other: the connection must be reset.
  [[nodiscard]] bool take_syn(const wire::tcp_header& h, wire::ecn_codepoint mark);
  void take_syn_ack(const wire::tcp_header& h, wire::ecn_codepoint mark);
  void take_syn_ack_again(wire::ecn_codepoint mark);
  /// The ACK of our SYN-ACK; `bare` where it came without text.
  void take_last_ack(const wire::tcp_header& h, bool bare);
  /// CE stood on our SYN or SYN-ACK: the initial window is too much.
  [[nodiscard]] bool handshake_marked() const { return handshake_marked_; }
  /// What arrived with the SYN-ACK is fed back in an ACK of its own, before any text (RFC 9768 §3.2.2.1).
  [[nodiscard]] bool echoes_handshake() const { return echoes_handshake_; }

  // --- As a receiver of text (RFC 3168 §6.1.3, RFC 9768 §3.2).
  /// Whether it has to be acknowledged at once.
  [[nodiscard]] bool take_arrival(const ecn_arrival& a);
  /// Something arrived that we had acknowledged: do our ACKs reach the peer with the option (RFC 9768 §3.2.3.2.2)?
  void take_duplicate();

  /// All that the next ACK answers are marks on ACKs: it must have no SACK blocks, or it would look like a duplicate
  /// (RFC 9768 §3.2.2.5.1).
  [[nodiscard]] bool answers_ack() const { return answers_ack_; }

  // --- What leaves.
  /// The option, where it is due and there is room for it beside the others.
  void add_option(wire::tcp_options& o) const;
  /// Octets that add_option may take.
  [[nodiscard]] std::size_t option_octets() const { return option_is_due() ? 12 : 0; }
  /// Sets the flags of a segment that is no SYN; `fresh` where it carries text that leaves for the first time. What
  /// belongs into the IP header.
  wire::ecn_codepoint mark(wire::tcp_header& h, std::uint32_t text, bool fresh);
  /// Segmentation offload takes CWR from all segments but the first, as RFC 3168 wants it, which would spoil the ACE
  /// field: a super-segment must not leave now.
  [[nodiscard]] bool forbids_offload() const {
    return feedback_ == ecn_feedback::accurate && (accurate_->r.cep & 2) != 0;
  }
  /// The first text of ours is sent again: something may dislike the option that it carried (RFC 9768 §3.2.3.2.2).
  void on_first_text_lost() { option_off_ = option_off_ || asked_; }

  // --- As a sender of text (RFC 3168 §6.1.2, RFC 9768 §3.2.2 and §3.2.3).
  /// An ACK that has newly delivered so many octets. What it newly reports to have met congestion, in octets, at least
  /// 1; nothing where it reports no mark.
  std::optional<std::uint32_t> take_feedback(const wire::tcp_header& h, std::uint32_t delivered, std::uint32_t mss);
  /// Whether congestion control is to answer to marks that an ACK up to `una` reports: once for all that was under way
  /// when the window was last reduced (RFC 3168 §6.1.1, §6.1.2). `busy` where an episode is under way that has answered
  /// already.
  [[nodiscard]] bool answers(bool marked, seq una, bool busy);
  /// The window was reduced, for whatever reason; the first new text says so.
  void on_reduced(seq nxt);
  /// And that was a mistake.
  void on_undo(seq una);

  [[nodiscard]] ecn_feedback feedback() const { return feedback_; }
  /// Whether new text leaves with ECT(0).
  [[nodiscard]] bool sends_ect() const { return feedback_ != ecn_feedback::none && ect_; }
  /// What has arrived here, and what the peer says has arrived there.
  [[nodiscard]] ecn_counters received() const { return accurate_ ? accurate_->r : ecn_counters{}; }
  [[nodiscard]] ecn_counters reported() const { return accurate_ ? accurate_->s : ecn_counters{}; }

 private:
  struct increments {
    std::uint32_t e0b = 0, ceb = 0, e1b = 0;
  };
  [[nodiscard]] bool option_is_due() const;
  void take_first_option(const wire::tcp_header& h);
  [[nodiscard]] std::optional<increments> read(const wire::tcp_options& o) const;
  [[nodiscard]] std::uint32_t cycles(std::uint32_t least, std::uint32_t segments, std::uint32_t mss,
                                     const std::optional<increments>& d) const;
  void check_consistency(std::uint32_t ceb, std::uint32_t cep, std::uint32_t segments);
  [[nodiscard]] std::optional<std::uint32_t> take_counters(const wire::tcp_header& h, std::uint32_t delivered,
                                                           std::uint32_t mss);

  /// What RFC 9768's feedback needs; few peers know it.
  struct accurate {
    std::uint8_t changed = 0;       // octets of these marks have arrived: a bit for each code point
    std::uint8_t since_option = 0;  // since the last option
    std::uint8_t ce_since_ack = 0;  // segments
    std::uint8_t inconsistent = 0;  // options in a row that contradict the ACE field
    std::uint16_t average = 0;      // segments that an ACK covers, in 1/64; 0: nothing known
    std::uint32_t latest = 0;       // the peer's TSval: an older ACK is superseded
    ecn_counters r;
    ecn_counters s;
  };
  void settle(ecn_feedback f, const wire::tcp_header& syn);

  ecn_use use_ : 2 = ecn_use::off;
  ecn_feedback feedback_ : 2 = ecn_feedback::none;
  wire::ecn_codepoint handshake_ : 2 = wire::ecn_codepoint::not_ect;  // on the peer's latest SYN or SYN-ACK
  wire::ecn_codepoint last_ : 2 = wire::ecn_codepoint::not_ect;       // on the last segment that arrived

  bool asked_ : 1 = false;      // a SYN of ours did
  bool asked_not_ : 1 = false;  // and one did not
  bool refused_ : 1 = false;    // a RST answered the SYN that did
  bool heard_ : 1 = false;      // the peer's SYN, so that the mode is settled
  bool plain_ : 1 = false;      // the peer's latest SYN asks for nothing
  bool ect_ : 1 = true;         // new text may leave with ECT(0)
  bool handshake_marked_ : 1 = false;
  bool echoes_handshake_ : 1 = false;

  bool echo_ : 1 = false;     // ECE until CWR comes
  bool cwr_due_ : 1 = false;  // on the first new text
  bool missed_ : 1 = false;   // a mark that the episode under way answers for
  bool owed_ : 1 = false;     // and that episode was undone

  bool option_off_ : 1 = false;     // send none
  bool option_sent_ : 1 = false;    // in the last ACK
  bool option_comes_ : 1 = false;   // the peer's reaches us
  bool option_zeroed_ : 1 = false;  // and is not to be believed
  bool untested_ : 1 = false;       // each segment carries it until our first text has left
  bool answered_ : 1 = false;       // a SYN-ACK has left
  bool fed_back_ : 1 = false;       // the peer's first feedback has come
  bool deaf_ : 1 = false;           // to the peer's feedback
  bool old_ : 1 = false;            // text that was acknowledged with the option came again
  bool answers_ack_ : 1 = false;

  seq hold_;  // marks of what was sent before are answered for
  std::unique_ptr<accurate> accurate_;
};

}  // namespace tunic::tcp
