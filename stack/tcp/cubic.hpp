#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "stack/tcp/ack_train.hpp"
#include "stack/tcp/hystart.hpp"
#include "stack/tcp/loss_based.hpp"

namespace tunic::tcp {

/// CUBIC (RFC 9438) with HyStart++ (RFC 9406) in the first slow start: the window grows by the time since the last
/// congestion, not by the round-trip time, and levels off where the last congestion was met.
class cubic final : public loss_based {
 public:
  [[nodiscard]] congestion_algorithm algorithm() const override { return congestion_algorithm::cubic; }

 protected:
  [[nodiscard]] double beta(congestion_cause why) const override;
  void watch(const ack_facts& f) override;
  [[nodiscard]] std::uint32_t in_slow_start(std::uint32_t octets) const override;
  void in_avoidance(const ack_facts& f, std::uint32_t octets) override;
  void on_cut(congestion_cause why, std::uint32_t window) override;
  void on_collapse() override;
  void save() override;
  void restore() override { stage_ = *prior_; }  // RFC 9438 §4.9
  void on_unused(instant now) override;

 private:
  /// The first slow start: until ssthresh has a value.
  struct first_slow_start {
    tcp::hystart hystart;
    ack_train train;
  };
  /// A stage of congestion avoidance (RFC 9438 §4.1). Windows are octets, real numbers where they grow by parts of one.
  struct epoch {
    instant start{};               // t_epoch, moved on by the time in which the window was not used
    double w_est = 0;              // W_est: what Reno's window would be
    float k = 0;                   // K, seconds
    std::uint32_t w_max = 0;       // W_max
    std::uint32_t cwnd_prior = 0;  // the window before the last congestion
    std::uint8_t congestions = 0;  // until they are enough to show the plateau
    bool running = false;
    bool overflowed = false;  // the last congestion was a queue that had filled
    bool crowded = false;     // and others had filled some of it
  };

  /// One follows the other, and comes back only when all that followed is undone.
  union stage {
    stage() : first{} {}
    first_slow_start first;  // as long as ssthresh is no_threshold
    cubic::epoch epoch;
  };
  static_assert(std::is_trivially_copyable_v<stage>);

  void begin_epoch(instant now);
  [[nodiscard]] double growth() const;  // C, segments a second cubed
  [[nodiscard]] double w_cubic(double t) const;
  [[nodiscard]] double exploring(const ack_facts& f, double acked) const;

  std::uint32_t largest_ = 0;  // window that congestion has met
  stage stage_;
  std::unique_ptr<stage> prior_;  // before the congestion that may yet prove to be none
  instant counted_{};             // the time up to which unused time was left out of the epoch
};

static_assert(sizeof(cubic) <= 152);

}  // namespace tunic::tcp
