#include "stack/tcp/cubic.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

namespace tunic::tcp {
namespace {

// RFC 9438 §4.1, §4.6 and §5.1 (RFC 9293 §3.8.2, MAY-18).
constexpr double beta_cubic = 0.7;
constexpr double c = 0.4;  // segments a second cubed
constexpr double alpha_cubic = 3 * (1 - beta_cubic) / (1 + beta_cubic);
constexpr double c_crowded = c / 2;  // where others are given room
// So many congestions show where the plateau is: a newcomer's first ones are of the queue that others hold.
constexpr std::uint8_t enough = 8;
constexpr double most_explored = 30;  // segments a second, once congestion was met

double seconds(duration d) {
  return std::chrono::duration<double>(d).count();
}

}  // namespace

double cubic::beta(congestion_cause why) const {
  return why == congestion_cause::ecn ? 0.85 : beta_cubic;
}  // RFC 8511 §3

void cubic::save() {
  if (!prior_) {
    prior_ = std::make_unique<stage>(stage_);
  } else {
    *prior_ = stage_;
  }
}

/// On a path that reorders most ACKs are duplicates: they tell of rounds and round-trip times as well.
void cubic::watch(const ack_facts& f) {
  // RFC 9406 §4.3: in the first slow start only (RFC 9438 §4.10). And a window that is not used fills no queue.
  if (ssthresh() != no_threshold || !f.window_limited) return;
  constexpr std::uint32_t least = 16;  // segments: less is no train
  stage_.first.hystart.on_ack(f.round_start, f.rtt);
  const bool full = stage_.first.train.on_ack(f.round_start, f.paced, f.min_rtt, f.now);
  if (stage_.first.hystart.over() || (full && cwnd() >= least * mss())) {
    end_slow_start();
    std::construct_at(&stage_.epoch);
  }
}

std::uint32_t cubic::in_slow_start(std::uint32_t octets) const {
  return ssthresh() == no_threshold ? stage_.first.hystart.growth(octets) : octets;
}

/// Where slow start ended early most of the path may be unused, and the cubic function begins flat. Until congestion
/// has shown where the plateau is, the window grows by 5 % a round trip, as on Linux, or by 2 % once the queue is
/// nearly as long as the path. Each congestion makes that less, and bounds it: what is added in a round trip the next
/// one loses. Not where the path reorders: an overflow there leads to the next (PAWS drops what a retransmission has
/// overtaken, RFC 7323 §5.3).
double cubic::exploring(const ack_facts& f, double acked) const {
  if (stage_.epoch.congestions >= enough || f.reordering_seen) return 0;
  if (stage_.epoch.congestions == 0) return acked / (srtt() > min_rtt() / 8 * 15 ? 50 : 20);
  return std::min(acked / (30 + 10 * stage_.epoch.congestions),
                  most_explored * seconds(srtt()) * mss() * acked / cwnd());
}

/// RFC 9438 §4.2. After a timeout, or where slow start ended without congestion, the window is a plateau (§4.8).
void cubic::begin_epoch(instant now) {
  stage_.epoch.running = true;
  stage_.epoch.start = now;
  stage_.epoch.w_est = cwnd();
  stage_.epoch.w_max = std::max(stage_.epoch.w_max, cwnd());
  stage_.epoch.k = static_cast<float>(std::cbrt(static_cast<double>(stage_.epoch.w_max - cwnd()) / mss() / growth()));
}

double cubic::growth() const {
  return stage_.epoch.crowded ? c_crowded : c;
}

/// Figure 1.
double cubic::w_cubic(double t) const {
  const double d = t - static_cast<double>(stage_.epoch.k);
  return growth() * d * d * d * mss() + stage_.epoch.w_max;
}

void cubic::in_avoidance(const ack_facts& f, std::uint32_t octets) {
  if (!stage_.epoch.running) begin_epoch(f.now);
  counted_ = f.now;
  const double t = seconds(f.now - stage_.epoch.start);
  const double window = cwnd();
  const double acked = octets;

  // §4.3, the Reno-friendly region; alpha is 1 where Reno would have been through with its recovery. But where a queue
  // overflowed at this window last, it will again: to hurry there would only lose more.
  const double beyond = stage_.epoch.overflowed ? alpha_cubic * 0.75 : 1.0;
  const double alpha = stage_.epoch.w_est >= stage_.epoch.cwnd_prior ? beyond : alpha_cubic;
  stage_.epoch.w_est += alpha * mss() * acked / window;
  const double least = exploring(f, acked);
  if (w_cubic(t) < stage_.epoch.w_est) {
    open(static_cast<std::uint32_t>(
        std::clamp(stage_.epoch.w_est - window, least, acked)));  // after a pause it is far off
    return;
  }
  // §4.4 and §4.5, the concave and the convex region: the target is the window a round trip from now (§4.2).
  const double target = std::clamp(w_cubic(t + seconds(srtt())), window, 1.5 * window);
  open(static_cast<std::uint32_t>(std::max((target - window) * std::min(acked / window, 1.0), least)));
}

void cubic::on_cut(congestion_cause why, std::uint32_t window) {
  if (ssthresh() == no_threshold) std::construct_at(&stage_.epoch);
  stage_.epoch.overflowed = queued();
  // §4.7, fast convergence: a window that met congestion below its last plateau makes room for others. Where it is
  // clearly smaller than the last one, others have taken that much of the queue: they are given time as well, until
  // they could have half.
  stage_.epoch.crowded = stage_.epoch.overflowed && window < 0.95 * stage_.epoch.cwnd_prior && window > largest_ / 2;
  largest_ = std::max(largest_, window);
  const double plateau = stage_.epoch.crowded          ? (1 + 2 * beta(why)) / 3
                         : window < stage_.epoch.w_max ? (1 + beta(why)) / 2
                                                       : 1;
  stage_.epoch.w_max = static_cast<std::uint32_t>(window * plateau);
  stage_.epoch.cwnd_prior = window;
  const bool first = stage_.epoch.congestions == 0;
  if (stage_.epoch.congestions < enough) ++stage_.epoch.congestions;
  const bool certain = why == congestion_cause::ecn || (first && stage_.epoch.overflowed);  // a queue of its own
  if (certain) stage_.epoch.congestions = enough;
  stage_.epoch.running = false;
}

void cubic::on_collapse() {
  stage_.epoch.w_max = 0;  // §4.8: K is 0 and W_max the window at which congestion avoidance begins
  stage_.epoch.crowded = false;
  stage_.epoch.running = false;
}

/// §5.8: time in which the window was not used is not time in which the path was explored.
void cubic::on_unused(instant now) {
  if (ssthresh() != no_threshold && stage_.epoch.running) stage_.epoch.start += now - counted_;
  counted_ = now;
}

}  // namespace tunic::tcp
