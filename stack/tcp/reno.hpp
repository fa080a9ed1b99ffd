#pragma once

#include "stack/tcp/loss_based.hpp"

namespace tunic::tcp {

/// Reno (RFC 5681): the window grows by a segment a round trip.
class reno final : public loss_based {
 public:
  [[nodiscard]] congestion_algorithm algorithm() const override { return congestion_algorithm::reno; }

 protected:
  [[nodiscard]] double beta(congestion_cause why) const override;
  void in_avoidance(const ack_facts& f, std::uint32_t octets) override;
  void on_cut(congestion_cause, std::uint32_t) override { avoided_ = 0; }
  void on_collapse() override { avoided_ = 0; }
  void save() override {}
  void restore() override {}
  void on_unused(instant) override {}

 private:
  std::uint32_t avoided_ = 0;  // octets acknowledged since the window last grew
};

static_assert(sizeof(reno) <= 104);

}  // namespace tunic::tcp
