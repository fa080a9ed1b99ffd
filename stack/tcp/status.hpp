#pragma once

#include <cstdint>
#include <optional>
#include <system_error>

#include "stack/base/address.hpp"
#include "stack/base/time.hpp"
#include "stack/tcp/state.hpp"

namespace tunic::tcp {

/// What STATUS answers (RFC 9293 §3.10.6).
struct status {
  tcp::state state = tcp::state::closed;
  four_tuple ends;
  std::optional<duration> srtt;  ///< nothing before the first sample
  duration rto{};
  std::uint32_t mss = 0;             ///< octets of text a segment sent now carries at most
  std::uint32_t cwnd = 0;            ///< octets
  std::uint32_t ssthresh = 0;        ///< octets
  std::uint32_t snd_wnd = 0;         ///< octets the peer offers
  std::uint32_t rcv_wnd = 0;         ///< octets we offer
  std::uint32_t in_flight = 0;       ///< octets sent and not acknowledged
  std::uint64_t send_queued = 0;     ///< octets not acknowledged, sent or not
  std::uint64_t receive_queued = 0;  ///< octets that wait for receive()
  std::uint64_t retransmits = 0;     ///< segments sent again
  bool timestamps = false;
  bool sack = false;
  bool window_scale = false;
};

}  // namespace tunic::tcp
