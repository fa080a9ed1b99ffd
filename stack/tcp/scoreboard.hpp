#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "stack/base/seq.hpp"
#include "stack/base/time.hpp"

namespace tunic::tcp {

/// What is noted when octets leave (RFC 8985 §6.1): RACK judges by the time, the delivery rate by the rest
/// (draft-ietf-ccwg-bbr-04 §4.1.2.2).
struct transmission {
  instant at{};
  std::uint64_t delivered = 0;  ///< octets of the connection delivered by then
  instant delivered_at{};       ///< when the last of them was
  instant first_sent_at{};      ///< when the flight that it belongs to began
  std::uint64_t lost = 0;       ///< octets of the connection lost by then
  std::uint32_t in_flight = 0;  ///< octets in flight with it
  bool app_limited = false;
};

/// What has become of the octets between SND.UNA and SND.NXT (RFC 6675 §3, RFC 8985 §3.1): a list of runs that were
/// sent at one moment, or as one super-segment, split only where a SACK block, a loss or a retransmission begins or
/// ends, so that a window of any size is few runs. Work for an ACK is a binary search and what the ACK changes.
class scoreboard {
 public:
  struct run {
    seq begin;
    seq end;
    bool sacked : 1 = false;
    bool lost : 1 = false;      ///< taken for lost; never together with sacked
    bool resent : 1 = false;    ///< a retransmission is on its way; never together with sacked
    bool again : 1 = false;     ///< it was ever retransmitted: Karn's algorithm wants to know (RFC 6298 §3)
    bool pushed : 1 = false;    ///< the user's PUSH stands at its end (RFC 9293 §3.9.1.2)
    bool whole : 1 = false;     ///< a super-segment, or part of one: it goes again as it went
    std::uint16_t segment = 0;  ///< octets of its segments; the last may be shorter
    seq sacked_to;              ///< of a sacked one: all up to here is sacked as well
    transmission sent;          ///< its last one

    [[nodiscard]] std::uint32_t size() const { return distance(begin, end); }
  };

  [[nodiscard]] bool empty() const { return head_ == runs_.size(); }
  /// Runs held; a limit on what a hostile peer can make of them is in sack().
  [[nodiscard]] std::size_t size() const { return runs_.size() - head_; }
  /// Runs, or retransmissions, that it can hold without more memory.
  [[nodiscard]] std::size_t capacity() const { return std::max(runs_.capacity(), resends_.capacity()); }
  [[nodiscard]] seq begin() const { return runs_[head_].begin; }  ///< of one that is not empty
  [[nodiscard]] const run& front() const { return runs_[head_]; }
  [[nodiscard]] const run& back() const { return runs_.back(); }
  [[nodiscard]] std::span<const run> runs() const { return std::span{runs_}.subspan(head_); }

  // Octets.
  [[nodiscard]] std::uint32_t outstanding() const { return outstanding_; }
  [[nodiscard]] std::uint32_t sacked() const { return sacked_; }
  [[nodiscard]] std::uint32_t lost() const { return lost_; }
  [[nodiscard]] std::uint32_t resent() const { return resent_; }
  /// RFC 6675 §4's pipe, RFC 9937 §6.2's inflight: what is believed to be in the network. `presumed` has left it by
  /// duplicate ACKs without SACK.
  [[nodiscard]] std::uint32_t in_flight() const {
    const std::uint32_t left = sacked_ + lost_ + presumed_;
    return (outstanding_ > left ? outstanding_ - left : 0) + resent_;
  }
  [[nodiscard]] std::uint32_t presumed() const { return presumed_; }
  void presume(std::uint32_t octets) { presumed_ = std::min(octets, outstanding_ - std::min(outstanding_, lost_)); }
  /// The end of the highest octets known to have arrived selectively; nothing where none are.
  [[nodiscard]] std::optional<seq> highest_sacked() const { return sacked_ > 0 ? std::optional{fack_} : std::nullopt; }

  /// [begin, end) leaves for the first time; begin is where the last run ends.
  void on_sent(seq begin, seq end, const transmission& t, std::uint32_t mss, bool pushed = false);
  /// [begin, end), which is held, leaves again.
  void on_sent_again(seq begin, seq end, const transmission& t, std::uint32_t mss);

  /// SND.UNA is `una` now. Calls f(run) for each stretch that leaves and was not sacked before.
  template <class F>
  void acknowledge(seq una, F f);
  /// A SACK block, clipped to what is held, and to whole segments: who keeps one keeps it whole, and a peer that names
  /// octets cannot make us remember each. Calls f(run) for each stretch that is newly sacked, as it was before.
  template <class F>
  void sack(seq begin, seq end, F f);

  /// Judges what is in flight, oldest transmission first: judge(run) says whether it is lost. The first one that is not
  /// ends the search, separately for first transmissions and for retransmissions: their times only grow. Returns the
  /// octets newly taken for lost.
  template <class J>
  std::uint32_t judge(J judge);
  /// [begin, end) is lost.
  std::uint32_t mark_lost(seq begin, seq end);
  /// All that is not sacked and for which spare(run) does not hold is lost, retransmissions too (RFC 6675 §5.1).
  template <class P>
  std::uint32_t mark_all_lost(P spare);
  /// Nothing was lost after all.
  void unmark_lost();
  /// The peer has broken its promise (RFC 2018 §8): nothing is sacked any more.
  void forget_sacks();
  void clear();

  /// Whether a PUSH ends within (begin, end].
  [[nodiscard]] bool pushed_within(seq begin, seq end) const;
  /// Octets of [begin, end) that are taken for lost.
  [[nodiscard]] std::uint32_t lost_within(seq begin, seq end) const;

  /// The lowest stretch that is lost and not on its way again (RFC 6675 §4, NextSeg (1)).
  struct stretch {
    seq begin;
    seq end;
  };
  [[nodiscard]] std::optional<stretch> next_lost();

 private:
  struct resend {
    seq begin;
    seq end;
    instant at;
  };
  // A peer that sacks every other octet could make as many runs; beyond this a block that splits one is not noted,
  // which SACK, being advice, allows.
  static constexpr std::size_t most_runs = 1u << 14;

  [[nodiscard]] std::size_t find(seq at) const;     // the run that holds `at`, or the end
  std::size_t split(std::size_t i, seq at);         // so that a run begins at `at`, which lies within run i; that run
  static seq whole_segments(const run& r, seq at);  // of those that end at `at` or before, the end
  std::uint32_t lose(run& r);
  template <class T>
  static void drop_first(std::vector<T>& all, std::size_t& head);
  void drop_front();
  void drop_resend();

  std::vector<run> runs_;  // in order, without gaps; the first head_ are gone
  std::size_t head_ = 0;
  std::vector<resend> resends_;  // in the order of time; the first resend_head_ are judged, or have arrived
  std::size_t resend_head_ = 0;
  std::uint32_t outstanding_ = 0;
  std::uint32_t sacked_ = 0;
  std::uint32_t lost_ = 0;
  std::uint32_t resent_ = 0;
  std::uint32_t presumed_ = 0;
  seq fack_;
  seq judged_to_;  // first transmissions before it are sacked, lost or sent again
  seq lost_from_;  // nothing before it is lost and waits
};

template <class F>
void scoreboard::acknowledge(seq una, F f) {
  while (!empty() && begin() < una) {
    run& r = runs_[head_];
    const bool whole = r.end <= una;
    run gone = r;
    if (!whole) gone.end = una;
    const std::uint32_t n = gone.size();
    outstanding_ -= n;
    if (r.sacked) sacked_ -= n;
    if (r.lost) lost_ -= n;
    if (r.resent) resent_ -= n;
    if (whole) {
      drop_front();
    } else {
      r.begin = una;
    }
    if (!gone.sacked) f(gone);
  }
  presumed_ = std::min(presumed_, outstanding_ - std::min(outstanding_, lost_));
  while (resend_head_ < resends_.size() && resends_[resend_head_].end <= una) drop_resend();
  if (!empty()) {
    judged_to_ = max(judged_to_, begin());
    lost_from_ = max(lost_from_, begin());
  }
}

template <class F>
void scoreboard::sack(seq from, seq to, F f) {
  if (empty()) return;
  from = max(from, begin());
  to = min(to, back().end);
  if (from >= to) return;
  std::size_t i = find(from);
  const auto may_split = [&] { return size() < most_runs; };
  if (const run& r = runs_[i]; !r.sacked && r.begin < from) {
    const seq before = whole_segments(r, from);
    from = before == from ? from : min(before + r.segment, r.end);
    if (to < r.end) to = whole_segments(r, to);
    if (from >= to || (from < r.end && !may_split())) return;
    i = from < r.end ? split(i, from) : i + 1;
    if (i == runs_.size()) return;
  }
  seq at = max(from, runs_[i].begin);
  while (i < runs_.size() && at < to) {
    if (runs_[i].sacked) {
      at = runs_[i].sacked_to;
      i = at < back().end ? find(at) : runs_.size();
      continue;
    }
    if (runs_[i].end > to) {
      to = whole_segments(runs_[i], to);
      if (to == runs_[i].begin || !may_split()) break;
      split(i, to);
    }
    run& r = runs_[i];
    f(std::as_const(r));
    if (r.lost) lost_ -= r.size();
    if (r.resent) resent_ -= r.size();
    r.lost = r.resent = false;
    r.sacked = true;
    r.sacked_to = r.end;
    sacked_ += r.size();
    fack_ = sacked_ == r.size() ? r.end : max(fack_, r.end);
    at = r.end;
    ++i;
  }
  // The next block mostly begins where this one does: leave it a short cut over what is known.
  if (i < runs_.size() && runs_[i].sacked && runs_[i].begin == at) at = runs_[i].sacked_to;
  run& first = runs_[find(from)];
  if (first.sacked) first.sacked_to = max(first.sacked_to, at);
}

template <class J>
std::uint32_t scoreboard::judge(J is_lost) {
  std::uint32_t newly = 0;
  for (std::size_t i = empty() ? runs_.size() : find(judged_to_); i < runs_.size();) {
    run& r = runs_[i];
    if (r.sacked) {
      judged_to_ = r.sacked_to;
      i = judged_to_ < back().end ? find(judged_to_) : runs_.size();
      continue;
    }
    if (!r.lost && !r.again) {
      if (!is_lost(std::as_const(r))) break;
      newly += lose(r);
    }
    judged_to_ = r.end;
    ++i;
  }
  for (; resend_head_ < resends_.size(); drop_resend()) {
    resend& again = resends_[resend_head_];
    if (empty()) continue;
    again.begin = max(again.begin, begin());
    bool waits = false;
    for (std::size_t i = find(again.begin); i < runs_.size() && runs_[i].begin < again.end; ++i) {
      run& r = runs_[i];
      if (r.sacked || !r.resent || r.sent.at != again.at) continue;
      if (!is_lost(std::as_const(r))) {
        waits = true;
        break;
      }
      newly += lose(r);
    }
    if (waits) break;
  }
  return newly;
}

template <class P>
std::uint32_t scoreboard::mark_all_lost(P spare) {
  std::uint32_t newly = 0;
  for (std::size_t i = head_; i < runs_.size(); ++i) {
    run& r = runs_[i];
    if (!r.sacked && !(r.lost && !r.resent) && !spare(std::as_const(r))) newly += lose(r);
  }
  presumed_ = 0;
  return newly;
}

}  // namespace tunic::tcp
