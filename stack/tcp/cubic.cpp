#include "stack/tcp/cubic.hpp"

#include <algorithm>
#include <cmath>

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

/// On a path that reorders most ACKs are duplicates: they tell of rounds and round-trip times as well.
void cubic::watch(const ack_facts& f) {
  // RFC 9406 §4.3: in the first slow start only (RFC 9438 §4.10). And a window that is not used fills no queue.
  if (ssthresh() != no_threshold || !f.window_limited) return;
  constexpr std::uint32_t least = 16;  // segments: less is no train
  hystart_.on_ack(f.round_start, f.rtt);
  const bool full = train_.on_ack(f.round_start, f.paced, f.min_rtt, f.now);
  if (hystart_.over() || (full && cwnd() >= least * mss())) end_slow_start();
}

std::uint32_t cubic::in_slow_start(std::uint32_t octets) const {
  return ssthresh() == no_threshold ? hystart_.growth(octets) : octets;
}

/// Where slow start ended early most of the path may be unused, and the cubic function begins flat. Until congestion
/// has shown where the plateau is, the window grows by 5 % a round trip, as on Linux, or by 2 % once the queue is
/// nearly as long as the path. Each congestion makes that less, and bounds it: what is added in a round trip the next
/// one loses. Not where the path reorders: an overflow there leads to the next (PAWS drops what a retransmission has
/// overtaken, RFC 7323 §5.3).
double cubic::exploring(const ack_facts& f, double acked) const {
  if (epoch_.congestions >= enough || f.reordering_seen) return 0;
  if (epoch_.congestions == 0) return acked / (srtt() > min_rtt() / 8 * 15 ? 50 : 20);
  return std::min(acked / (30 + 10 * epoch_.congestions), most_explored * seconds(srtt()) * mss() * acked / cwnd());
}

/// RFC 9438 §4.2. After a timeout, or where slow start ended without congestion, the window is a plateau (§4.8).
void cubic::begin_epoch(instant now) {
  epoch_.running = true;
  epoch_.start = now;
  epoch_.w_est = cwnd();
  epoch_.w_max = std::max(epoch_.w_max, cwnd());
  epoch_.k = static_cast<float>(std::cbrt(static_cast<double>(epoch_.w_max - cwnd()) / mss() / growth()));
}

double cubic::growth() const {
  return epoch_.crowded ? c_crowded : c;
}

/// Figure 1.
double cubic::w_cubic(double t) const {
  const double d = t - static_cast<double>(epoch_.k);
  return growth() * d * d * d * mss() + epoch_.w_max;
}

void cubic::in_avoidance(const ack_facts& f, std::uint32_t octets) {
  if (!epoch_.running) begin_epoch(f.now);
  counted_ = f.now;
  const double t = seconds(f.now - epoch_.start);
  const double window = cwnd();
  const double acked = octets;

  // §4.3, the Reno-friendly region; alpha is 1 where Reno would have been through with its recovery. But where a queue
  // overflowed at this window last, it will again: to hurry there would only lose more.
  const double beyond = epoch_.overflowed ? alpha_cubic * 0.75 : 1.0;
  const double alpha = epoch_.w_est >= epoch_.cwnd_prior ? beyond : alpha_cubic;
  epoch_.w_est += alpha * mss() * acked / window;
  const double least = exploring(f, acked);
  if (w_cubic(t) < epoch_.w_est) {
    open(static_cast<std::uint32_t>(std::clamp(epoch_.w_est - window, least, acked)));  // after a pause it is far off
    return;
  }
  // §4.4 and §4.5, the concave and the convex region: the target is the window a round trip from now (§4.2).
  const double target = std::clamp(w_cubic(t + seconds(srtt())), window, 1.5 * window);
  open(static_cast<std::uint32_t>(std::max((target - window) * std::min(acked / window, 1.0), least)));
}

void cubic::on_cut(congestion_cause why, std::uint32_t window) {
  epoch_.overflowed = queued();
  // §4.7, fast convergence: a window that met congestion below its last plateau makes room for others. Where it is
  // clearly smaller than the last one, others have taken that much of the queue: they are given time as well, until
  // they could have half.
  epoch_.crowded = epoch_.overflowed && window < 0.95 * epoch_.cwnd_prior && window > largest_ / 2;
  largest_ = std::max(largest_, window);
  const double plateau = epoch_.crowded ? (1 + 2 * beta(why)) / 3 : window < epoch_.w_max ? (1 + beta(why)) / 2 : 1;
  epoch_.w_max = static_cast<std::uint32_t>(window * plateau);
  epoch_.cwnd_prior = window;
  const bool first = epoch_.congestions == 0;
  if (epoch_.congestions < enough) ++epoch_.congestions;
  const bool certain = why == congestion_cause::ecn || (first && epoch_.overflowed);  // a queue of its own
  if (certain) epoch_.congestions = enough;
  epoch_.running = false;
}

void cubic::on_collapse() {
  epoch_.w_max = 0;  // §4.8: K is 0 and W_max the window at which congestion avoidance begins
  epoch_.crowded = false;
  epoch_.running = false;
}

/// §5.8: time in which the window was not used is not time in which the path was explored.
void cubic::on_unused(instant now) {
  if (epoch_.running) epoch_.start += now - counted_;
  counted_ = now;
}

}  // namespace tunic::tcp
