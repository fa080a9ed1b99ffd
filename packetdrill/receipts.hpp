#pragma once

#include <cstdint>
#include <sys/socket.h>

namespace tunic::packetdrill {

/// What MSG_ZEROCOPY promises: a receipt for every such send, once its octets may be changed. The plug-in copies them
/// at once and says so, as Linux does where it cannot spare the copy.
class receipts {
 public:
  void add() { ++sends_; }
  [[nodiscard]] bool pending() const { return told_ != sends_; }
  /// Writes one receipt for all that are pending, as recvmsg(MSG_ERRQUEUE) tells it on a socket of the domain. 0, or
  /// -EAGAIN where none is pending.
  long take(msghdr& message, int domain);

 private:
  std::uint32_t sends_ = 0;
  std::uint32_t told_ = 0;
};

}  // namespace tunic::packetdrill
