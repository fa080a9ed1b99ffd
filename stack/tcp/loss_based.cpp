#include "stack/tcp/loss_based.hpp"

#include <algorithm>
#include <utility>

namespace tunic::tcp {
namespace {

constexpr std::uint32_t most = 1u << 30;  // the largest window that can be offered (RFC 7323 §2.3)
constexpr duration non_validated_period = std::chrono::minutes{5};  // RFC 7661 §4.4.3

}  // namespace

void loss_based::on_established(std::uint32_t window, std::uint32_t mss, std::optional<duration> rtt, instant now) {
  mss_ = mss;
  initial_ = cwnd_ = window;
  srtt_ = min_rtt_ = rtt.value_or(duration::zero());
  validated_ = now;
}

// RFC 4821 §4: the window's octets stay.
void loss_based::set_mss(std::uint32_t mss) {
  mss_ = mss;
  cwnd_ = std::max(cwnd_, mss);
}

void loss_based::on_send(std::uint32_t octets, std::uint32_t in_flight, bool, instant now) {
  if (in_flight == 0) {
    on_unused(now);
    validate(0, now);
  }
  if (answer_ == answer::mark || answer_ == answer::loss) responding().prr.on_send(octets);
  if (answer_ == answer::timeout) {
    std::uint32_t& sent = responding().sent_since_timeout;
    sent = std::min(most, sent + std::min(octets, most));
  }
}

void loss_based::on_ack(const ack_facts& f) {
  srtt_ = f.srtt;
  min_rtt_ = f.min_rtt;
  if (f.round_start) {
    rounds_ = {this_round_, rounds_[0], rounds_[1]};
    this_round_ = 0;
    if (round_min_rtt_[1] > duration::zero()) round_min_rtt_ = {round_min_rtt_[1], duration::zero()};
  }
  if (auto& least = round_min_rtt_[1]; f.rtt && (least == duration::zero() || *f.rtt < least)) least = *f.rtt;
  this_round_ = std::min(most, this_round_ + std::min(f.delivered, most));

  if (f.phase == recovery_phase::recovery || f.phase == recovery_phase::cwr) {
    earned_ = 0;
    if (f.delivered == 0 && f.lost == 0) return;
    const bool safe_ack = f.acked > 0 && f.lost == 0 && f.marked == 0;
    cwnd_ = std::min(most, responding().prr.on_ack(f.delivered, f.in_flight, ssthresh_, mss_, safe_ack));
    return;
  }

  watch(f);
  // The window grows only when SND.UNA moves (RFC 5681 §3.2, step 1). On a path that reorders, what was selectively
  // acknowledged until then counts, or its growth would suffer. What arrived during an episode does not.
  earned_ = std::min(most, (f.reordering_seen ? earned_ : 0) + std::min(f.delivered, most));
  if (f.acked == 0) return;
  std::uint32_t octets = std::exchange(earned_, 0);
  if (f.phase == recovery_phase::loss) {
    // After a timeout one ACK may cover a whole window that left before it, which says nothing of what the path carries
    // now: what was sent since is all that counts. Where nothing else arrives that is RFC 3465's limit of a segment.
    std::uint32_t& sent = responding().sent_since_timeout;
    octets = std::min(octets, sent);
    sent -= octets;
  }
  validate(f.prior_in_flight, f.now);
  if (!f.window_limited) {  // a window that was not used proves nothing about the path (RFC 7661 §4.3)
    on_unused(f.now);
    return;
  }
  if (cwnd_ < ssthresh_) {  // slow start, else congestion avoidance (RFC 9293 §3.8.2, MUST-19; RFC 9438 §4.10)
    const std::uint32_t opens = in_slow_start(octets);
    const std::uint32_t room = ssthresh_ - std::min(cwnd_, ssthresh_);
    open(std::min(opens, room));
    if (opens <= room) return;
    octets = opens - room;
  }
  in_avoidance(f, octets);
}

void loss_based::watch(const ack_facts&) {}

std::uint32_t loss_based::in_slow_start(std::uint32_t octets) const {
  return octets;
}

void loss_based::open(std::uint32_t octets) {
  cwnd_ = std::min(most, cwnd_ + std::min(octets, most));
}

/// The largest volume that the path is known to have delivered in a round trip lately (RFC 7661 §4.2).
std::uint32_t loss_based::pipe_ack() const {
  return std::max(this_round_, *std::max_element(rounds_.begin(), rounds_.end()));
}

/// The window as far as it was used lately (RFC 7661 §4.3, §4.4 and §4.4.1). An initial window needs no proof.
std::uint32_t loss_based::proven(std::uint32_t in_flight) const {
  const std::uint32_t used = std::max(pipe_ack(), in_flight);
  return cwnd_ / 2 <= used ? cwnd_ : std::min(cwnd_, std::max(used, initial_));
}

/// RFC 7661 §4.4.3: a window that nobody used for five minutes is halved, and ssthresh remembers it.
void loss_based::validate(std::uint32_t in_flight, instant now) {
  if (cwnd_ <= initial_ || cwnd_ / 2 <= std::max(pipe_ack(), in_flight)) {
    if (in_flight > 0) validated_ = now;
    return;
  }
  if (now - validated_ < non_validated_period) return;
  ssthresh_ = std::max(ssthresh_, cwnd_ / 4 * 3);
  cwnd_ = std::max(cwnd_ / 2, initial_);
  validated_ = now;
}

loss_based::response& loss_based::responding() {
  if (!response_) response_ = std::make_unique<response>();
  return *response_;
}

/// What an episode takes, for on_undo.
void loss_based::remember() {
  response& r = responding();
  r.prior_cwnd = cwnd_;
  r.prior_ssthresh = ssthresh_;
  save();
}

/// RFC 5681 §3.1 equation 4 and §4.3, RFC 2018 §5.1, RFC 3168 §5, RFC 9438 §4.6, RFC 8511 §3. It is the window that is
/// cut, not what is in flight: RFC 9438 allows it where a window grows only while it is used.
void loss_based::cut(congestion_cause why, std::uint32_t in_flight) {
  const std::uint32_t window = proven(in_flight);
  on_cut(why, window);
  ssthresh_ = std::max(static_cast<std::uint32_t>(beta(why) * window), 2 * mss_);
}

/// A loss among what was cut for a mark already takes the rest of what a loss takes (RFC 8511 §3). It may be undone,
/// the mark not.
void loss_based::cut_rest() {
  responding().prior_cwnd = responding().prior_ssthresh = ssthresh_;
  save();
  const double rest = beta(congestion_cause::loss) / beta(congestion_cause::ecn);
  ssthresh_ = std::max(static_cast<std::uint32_t>(rest * ssthresh_), 2 * mss_);
}

void loss_based::on_congestion(congestion_cause why, std::uint32_t in_flight, instant) {
  // Once a window of data (RFC 3168 §6.1.2, RFC 6582 §3.2 step 1).
  if (answer_ == answer::loss || (answer_ == answer::mark && why == congestion_cause::ecn)) return;
  if (answer_ == answer::mark) {
    cut_rest();
  } else {
    remember();
    cut(why, in_flight);
  }
  answer_ = why == congestion_cause::loss ? answer::loss : answer::mark;
  responding().prr.begin(in_flight);  // RFC 9937 §6.1, RFC 8985 §9.3
}

void loss_based::on_timeout(std::uint32_t in_flight, bool again, instant) {
  // RFC 5681 §3.1: once for the same octets. And an episode under way has answered for what is in flight already.
  if (answer_ == answer::none) remember();  // RFC 4015 §3.1: not again for a later one
  if (answer_ == answer::mark) cut_rest();
  if (answer_ == answer::none || (answer_ == answer::timeout && !again)) cut(congestion_cause::loss, in_flight);
  answer_ = answer::timeout;
  cwnd_ = mss_;
  earned_ = 0;
  responding().sent_since_timeout = 0;
  on_collapse();
}

void loss_based::on_recovered(std::uint32_t, instant) {
  if (answer_ == answer::mark || answer_ == answer::loss) cwnd_ = ssthresh_;  // RFC 9937 §6.4, RFC 5681 §3.2, §4.3
  answer_ = answer::none;
}

/// RFC 4015 §3.2, RFC 5682 §4, RFC 9438 §4.9.2: as if the episode had not been. But marks have been there: losses that
/// were none do not undo them (RFC 4015 §3.4).
void loss_based::on_undo(instant now) {
  if (answer_ == answer::mark) return on_recovered(0, now);
  response& r = responding();
  if (r.prior_cwnd > 0) restore();
  cwnd_ = std::max(cwnd_, r.prior_cwnd);
  ssthresh_ = std::max(ssthresh_, r.prior_ssthresh);
  r.prior_cwnd = r.prior_ssthresh = 0;
  answer_ = answer::none;
}

/// RFC 5681 §4.1, and RFC 7661 §4.4.3: ssthresh remembers where the window was.
void loss_based::on_idle(std::uint32_t window, instant now) {
  if (window >= cwnd_) return;
  ssthresh_ = std::max(ssthresh_, cwnd_ / 4 * 3);
  cwnd_ = window;
  validated_ = now;
}

std::uint64_t loss_based::pacing_rate() const {
  if (srtt_ <= duration::zero()) return 0;
  // In an episode the window is what is in flight and a little more: the rate is that of the window to come.
  const bool reducing = answer_ == answer::mark || answer_ == answer::loss;
  const double window = reducing ? std::max(cwnd_, ssthresh_) : cwnd_;
  // Twice the rate in slow start, where the window doubles a round trip; with little left of it to the threshold that
  // is more than the path can be hoped to take.
  const double gain = cwnd_ < ssthresh_ / 2 ? 2.0 : 1.2;
  return static_cast<std::uint64_t>(gain * window * 1e9 / static_cast<double>(srtt_.count()));
}

}  // namespace tunic::tcp
