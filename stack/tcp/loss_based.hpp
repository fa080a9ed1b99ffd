#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "stack/tcp/congestion_control.hpp"
#include "stack/tcp/prr.hpp"

namespace tunic::tcp {

/// What Reno and CUBIC share: slow start, the answer to a loss, a mark and a timeout, its undoing, and a window that is
/// believed only as far as it was used. They differ in how the window grows in congestion avoidance, and in beta.
class loss_based : public congestion_control {
 public:
  void on_established(std::uint32_t window, std::uint32_t mss, std::optional<duration> rtt, instant now) override;
  void set_mss(std::uint32_t mss) override;
  void on_send(std::uint32_t octets, std::uint32_t in_flight, bool app_limited, instant now) override;
  void on_ack(const ack_facts& f) override;
  void on_congestion(congestion_cause why, std::uint32_t in_flight, instant now) override;
  void on_timeout(std::uint32_t in_flight, bool again, instant now) override;
  void on_recovered(std::uint32_t in_flight, instant now) override;
  void on_undo(instant now) override;
  void on_idle(std::uint32_t window, instant now) override;

  [[nodiscard]] std::uint32_t cwnd() const override { return cwnd_; }
  [[nodiscard]] std::uint32_t ssthresh() const override { return ssthresh_; }
  [[nodiscard]] std::uint64_t pacing_rate() const override;

 protected:
  /// ssthresh is so much of the window after a loss or a mark.
  [[nodiscard]] virtual double beta(congestion_cause why) const = 0;
  /// Every ACK outside of an episode, before the window grows by it, where it does.
  virtual void watch(const ack_facts& f);
  /// `octets` were acknowledged in slow start. Returns by how many the window opens.
  [[nodiscard]] virtual std::uint32_t in_slow_start(std::uint32_t octets) const;
  /// `octets` were acknowledged in congestion avoidance, and the window was what held the sender.
  virtual void in_avoidance(const ack_facts& f, std::uint32_t octets) = 0;
  /// Congestion met a window of so many octets, of which beta remains.
  virtual void on_cut(congestion_cause why, std::uint32_t window) = 0;
  /// The retransmission timer made the window one segment.
  virtual void on_collapse() = 0;
  /// What on_cut and on_collapse may change is to be remembered, and to come back: the congestion was none.
  virtual void save() = 0;
  virtual void restore() = 0;
  /// The user, not the window, held the sender until `now`.
  virtual void on_unused(instant now) = 0;

  void open(std::uint32_t octets);
  void end_slow_start() { ssthresh_ = cwnd_; }
  [[nodiscard]] std::uint32_t mss() const { return mss_; }
  [[nodiscard]] duration srtt() const { return srtt_; }
  [[nodiscard]] duration min_rtt() const { return min_rtt_; }
  /// No segment of the last round trip was faster than by a quarter of the least round trip above it.
  [[nodiscard]] bool queued() const { return round_min_rtt_[0] > min_rtt_ / 4 * 5; }

 private:
  /// How far the answer to what is in flight has gone.
  enum class answer : std::uint8_t { none, mark, loss, timeout };

  /// The answer under way, or the last one, and what it took.
  struct response {
    std::uint32_t prior_cwnd = 0;  // before it, for its undoing
    std::uint32_t prior_ssthresh = 0;
    std::uint32_t sent_since_timeout = 0;  // and not yet counted as acknowledged
    tcp::prr prr;
  };

  /// There is none before congestion was met.
  response& responding();
  void remember();
  void cut(congestion_cause why, std::uint32_t in_flight);
  void cut_rest();
  [[nodiscard]] std::uint32_t pipe_ack() const;
  [[nodiscard]] std::uint32_t proven(std::uint32_t in_flight) const;
  void validate(std::uint32_t in_flight, instant now);

  std::unique_ptr<response> response_;
  duration srtt_{};
  duration min_rtt_{};
  std::array<duration, 2> round_min_rtt_{};  // of the last round trip and of this one; zero: no sample
  instant validated_{};                      // when the window was last seen to be in use (RFC 7661)
  std::array<std::uint32_t, 3> rounds_{};    // octets delivered in each of the last round trips
  std::uint32_t this_round_ = 0;             // and in this one
  std::uint32_t mss_ = 536;
  std::uint32_t initial_ = 536;
  std::uint32_t cwnd_ = 536;
  std::uint32_t ssthresh_ = no_threshold;
  std::uint32_t earned_ = 0;  // octets delivered for which the window has not grown yet
  answer answer_ = answer::none;
};

}  // namespace tunic::tcp
