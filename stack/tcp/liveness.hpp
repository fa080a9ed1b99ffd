#pragma once

#include <chrono>
#include <cstdint>

#include "stack/tcp/config.hpp"

namespace tunic::tcp {

/// A wait of a connection: 49 days at most (RFC 5482 §3 wants a limit), in half the octets of a duration.
using patience = std::chrono::duration<std::uint32_t, std::milli>;

/// How a connection learns that its peer is gone, and how long it waits for one that says nothing. Zero stands for the
/// stack's own.
struct liveness {
  bool keep_alive = false;             ///< SO_KEEPALIVE (RFC 9293 §3.8.4)
  std::uint8_t keep_alive_probes = 0;  ///< TCP_KEEPCNT: unanswered ones that end it
  std::uint8_t syn_retries = 0;        ///< TCP_SYNCNT: SYNs sent again in vain that end an attempt to connect
  patience keep_alive_idle{};          ///< TCP_KEEPIDLE: silence before the first probe
  patience keep_alive_interval{};      ///< TCP_KEEPINTVL: between probes
  /// TCP_USER_TIMEOUT: text may stay unacknowledged, or wait before a shut window, for so long. It takes the place of
  /// the count of retransmissions and of that of probes.
  patience user_timeout{};
  patience fin_wait_2{};  ///< TCP_LINGER2: for the FIN of a peer that nobody listens to any more

  friend bool operator==(const liveness&, const liveness&) = default;
};

/// What the user left to the stack is filled in.
liveness filled_in(liveness l, const config& c);

}  // namespace tunic::tcp
