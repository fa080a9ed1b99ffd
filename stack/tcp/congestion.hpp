#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace tunic::tcp {

/// Reno's slow start and congestion avoidance (RFC 5681). It takes facts and gives back a window in octets; it knows
/// neither the connection nor the sender.
class congestion {
 public:
  /// The connection is established: IW segments of `mss` octets (RFC 6928 §2).
  void on_established(unsigned initial_window, std::uint32_t mss) {
    mss_ = mss;
    initial_ = cwnd_ = initial_window * mss;
  }

  /// New octets were acknowledged outside fast recovery, while `limited` says that the window was what held the sender.
  void on_ack(std::uint32_t acked, bool limited) {
    if (!limited) return;  // a window that was not used proves nothing about the path (RFC 7661 §3)
    if (cwnd_ < ssthresh_) {
      cwnd_ =
          saturating(cwnd_, std::min(acked, ssthresh_ - cwnd_));  // one super-segment's ACK covers many: no cap a call
      return;
    }
    avoided_ += acked;  // RFC 5681 §3.1: one segment a window of acknowledged octets
    if (avoided_ >= cwnd_) {
      avoided_ -= cwnd_;
      cwnd_ = saturating(cwnd_, mss_);
    }
  }

  /// The third duplicate ACK with `flight` octets outstanding (RFC 5681 §3.2, steps 2 and 3).
  void on_fast_retransmit(std::uint32_t flight) {
    ssthresh_ = std::max(flight / 2, 2 * mss_);
    cwnd_ = ssthresh_ + 3 * mss_;
  }
  /// One more duplicate ACK: a segment has left the network (step 4).
  void on_duplicate_ack() { cwnd_ = saturating(cwnd_, mss_); }
  /// A partial ACK deflates the window (RFC 6582 §3.2, step 3).
  void on_partial_ack(std::uint32_t acked) {
    cwnd_ -= std::min(cwnd_ - std::min(cwnd_, mss_), acked);
    if (acked >= mss_) cwnd_ = saturating(cwnd_, mss_);
  }
  /// Everything outstanding at the loss is acknowledged (RFC 6582 §3.2, step 3).
  void on_recovered(std::uint32_t flight) {
    cwnd_ = std::min(ssthresh_, std::max(flight, mss_) + mss_);
    avoided_ = 0;
  }
  /// The retransmission timer expired; `first` unless it did before for the same text (RFC 5681 §3.1, equation 4).
  void on_timeout(std::uint32_t flight, bool first) {
    if (first) ssthresh_ = std::max(flight / 2, 2 * mss_);
    cwnd_ = mss_;
    avoided_ = 0;
  }
  /// Nothing was sent for longer than an RTO (RFC 5681 §4.1).
  void on_idle() { cwnd_ = std::min(cwnd_, initial_); }
  /// The path's MTU has changed.
  void set_mss(std::uint32_t mss) { mss_ = mss; }

  [[nodiscard]] std::uint32_t cwnd() const { return cwnd_; }
  [[nodiscard]] std::uint32_t ssthresh() const { return ssthresh_; }

 private:
  static constexpr std::uint32_t most = 1u << 30;  // the largest window that can be offered (RFC 7323 §2.3)
  static std::uint32_t saturating(std::uint32_t a, std::uint32_t b) { return std::min(most, a + std::min(b, most)); }

  std::uint32_t mss_ = 536;
  std::uint32_t initial_ = 536;
  std::uint32_t cwnd_ = 536;
  std::uint32_t ssthresh_ = most;
  std::uint32_t avoided_ = 0;  // octets acknowledged since the window last grew
};

}  // namespace tunic::tcp
