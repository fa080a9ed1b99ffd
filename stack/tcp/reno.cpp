#include "stack/tcp/reno.hpp"

namespace tunic::tcp {

// RFC 5681 §3.1; RFC 8511 §3: a queue that marks is shallow, so that a mark takes less than a loss.
double reno::beta(congestion_cause why) const {
  return why == congestion_cause::ecn ? 0.8 : 0.5;
}

/// RFC 5681 §3.1: a segment for each window of acknowledged octets.
void reno::in_avoidance(const ack_facts&, std::uint32_t octets) {
  avoided_ += octets;
  if (avoided_ < cwnd()) return;
  avoided_ %= cwnd();
  open(mss());
}

}  // namespace tunic::tcp
