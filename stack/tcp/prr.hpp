#pragma once

#include <algorithm>
#include <cstdint>

namespace tunic::tcp {

/// Proportional Rate Reduction (RFC 9937 §6.2): how much may be sent for each ACK of an episode, so that what is in
/// flight comes down to ssthresh within a round trip, and back up to it where losses took it below. All is octets.
class prr {
 public:
  /// An episode begins. `recover_fs`: RFC 9937's RecoverFS, the pipe before anything was taken for lost.
  void begin(std::uint32_t recover_fs);
  /// So much left during the episode, new or again.
  void on_send(std::uint32_t octets) { prr_out_ = sum(prr_out_, octets); }
  /// The window after an ACK of the episode. `safe_ack`: SND.UNA advanced and the ACK tells of no further congestion.
  std::uint32_t on_ack(std::uint32_t delivered_data, std::uint32_t in_flight, std::uint32_t ssthresh, std::uint32_t mss,
                       bool safe_ack);

 private:
  // An episode that moves four gigabytes is past all proportion: the counts just stay there.
  static constexpr std::uint32_t sum(std::uint32_t a, std::uint32_t b) { return a + std::min(b, ~a); }

  std::uint32_t prr_delivered_ = 0;
  std::uint32_t prr_out_ = 0;
  std::uint32_t recover_fs_ = 1;
};

}  // namespace tunic::tcp
