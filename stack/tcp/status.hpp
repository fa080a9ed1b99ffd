#pragma once

#include <cstdint>
#include <optional>
#include <system_error>

#include "stack/base/address.hpp"
#include "stack/base/time.hpp"
#include "stack/tcp/congestion_control.hpp"
#include "stack/tcp/state.hpp"

namespace tunic::tcp {

/// What STATUS answers (RFC 9293 §3.10.6).
struct status {
  tcp::state state = tcp::state::closed;
  four_tuple ends;
  std::optional<duration> srtt;  ///< nothing before the first sample
  std::optional<duration> min_rtt;
  duration rttvar{};
  duration rto{};
  std::uint32_t mss = 0;             ///< octets of text a segment sent now carries at most
  std::uint32_t cwnd = 0;            ///< octets
  std::uint32_t ssthresh = 0;        ///< octets
  std::uint32_t snd_wnd = 0;         ///< octets the peer offers
  std::uint32_t rcv_wnd = 0;         ///< octets we offer
  std::uint32_t in_flight = 0;       ///< octets between SND.UNA and SND.NXT
  std::uint64_t send_queued = 0;     ///< octets not acknowledged, sent or not
  std::uint64_t receive_queued = 0;  ///< octets that wait for receive()
  std::uint64_t receive_buffer = 0;  ///< octets that may wait for receive()
  std::uint64_t send_buffer = 0;     ///< octets that may be queued to be sent
  recovery_phase phase = recovery_phase::open;
  std::uint32_t sacked = 0;       ///< octets of those that arrived ahead of a gap
  std::uint32_t lost = 0;         ///< octets of those taken for lost
  std::uint32_t resent = 0;       ///< octets of those on their way again
  std::uint16_t reordering = 3;   ///< segments that may overtake one another before it is loss
  std::uint64_t retransmits = 0;  ///< segments sent again
  bool timestamps = false;
  bool sack = false;
  bool window_scale = false;
};

}  // namespace tunic::tcp
