#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "stack/base/address.hpp"
#include "stack/base/time.hpp"
#include "stack/tcp/congestion_control.hpp"
#include "stack/tcp/ecn.hpp"
#include "stack/tcp/state.hpp"

namespace tunic::tcp {

/// What holds a sender that has something to send.
enum class send_limit_kind : std::uint8_t {
  nothing_to_send,
  network,      ///< the congestion window, pacing, or the path itself
  peer_window,  ///< the peer's receive window
  send_buffer,  ///< the user would write more, but the buffer is full of what is unacknowledged
};

/// What holds the sender now.
struct send_limit {
  send_limit_kind kind = send_limit_kind::nothing_to_send;
  instant since{};
};

/// How long each held a connection so far, but for the want of something to send.
class send_limits {
 public:
  void enter(send_limit& l, send_limit_kind next, instant now) {
    if (next == l.kind) return;
    if (l.kind != send_limit_kind::nothing_to_send) times_[index(l.kind)] += now - l.since;
    l = {next, now};
  }
  /// As of `now`, where `l` holds it; not asked of nothing_to_send.
  [[nodiscard]] duration time(const send_limit& l, send_limit_kind k, instant now) const {
    return times_[index(k)] + (k == l.kind ? now - l.since : duration{});
  }

 private:
  static constexpr std::size_t index(send_limit_kind k) { return static_cast<std::size_t>(k) - 1; }
  std::array<duration, 3> times_{};
};

/// What STATUS answers (RFC 9293 §3.10.6), in the spirit of Linux's tcp_info.
struct status {
  tcp::state state = tcp::state::closed;
  four_tuple ends;
  bool timestamps = false;
  bool sack = false;
  bool window_scale = false;
  ecn_feedback ecn = ecn_feedback::none;
  bool ect = false;                 ///< new text leaves with ECT(0)
  std::uint32_t syn_text_sent = 0;  ///< octets that left with our SYN and that the SYN-ACK acknowledged, all of them
  std::uint32_t syn_text_received = 0;  ///< octets taken with the peer's SYN (RFC 7413)

  // The path.
  std::optional<duration> srtt;     ///< nothing before the first sample
  std::optional<duration> min_rtt;  ///< the least of the last five minutes
  duration rttvar{};
  duration rto{};
  unsigned backoff = 0;             ///< doublings of the timeout or of the probes' interval
  unsigned unanswered = 0;          ///< timeouts in a row without an answer
  std::uint32_t mss = 0;            ///< octets of text a segment sent now carries at most
  std::uint32_t receive_mss = 0;    ///< octets of text the peer may put into a segment: what we announced
  std::uint64_t delivery_rate = 0;  ///< octets a second, by the last sample
  bool app_limited = false;         ///< and that sample speaks of the user rather than of the path

  // The sender.
  congestion_algorithm algorithm = congestion_algorithm::cubic;
  recovery_phase phase = recovery_phase::open;
  std::uint32_t cwnd = 0;             ///< octets
  std::uint32_t ssthresh = 0;         ///< octets
  std::uint64_t pacing_rate = 0;      ///< octets a second; 0: not paced
  std::uint32_t snd_wnd = 0;          ///< octets the peer offers
  std::uint32_t in_flight = 0;        ///< octets between SND.UNA and SND.NXT
  std::uint32_t sacked = 0;           ///< octets of those that arrived ahead of a gap
  std::uint32_t lost = 0;             ///< octets of those taken for lost
  std::uint32_t resent = 0;           ///< octets of those on their way again
  std::uint16_t reordering = 3;       ///< segments that may overtake one another before it is loss
  std::uint32_t reordering_seen = 0;  ///< how often something sent later arrived earlier
  std::uint64_t send_queued = 0;      ///< octets not acknowledged, sent or not
  std::uint64_t send_buffer = 0;      ///< octets that may be queued so
  std::uint64_t retransmits = 0;      ///< segments sent again
  std::uint64_t delivered = 0;        ///< octets that the peer has received
  std::uint64_t lost_in_all = 0;      ///< octets that were taken for lost, whenever
  ecn_counters marks_reported;        ///< what the peer says has arrived there, where its feedback is accurate
  duration busy{};                    ///< how long there was something to send
  duration peer_window_limited{};     ///< and the peer's window held it
  duration send_buffer_limited{};     ///< and the send buffer held the user
  duration since_sent{};              ///< since text left last

  // The receiver.
  std::uint32_t rcv_wnd = 0;           ///< octets we offer
  std::uint64_t receive_queued = 0;    ///< octets that wait for receive()
  std::uint64_t receive_buffer = 0;    ///< octets that may wait so
  std::uint64_t received = 0;          ///< octets received in order
  duration since_received{};           ///< since a segment was taken last
  std::optional<duration> since_text;  ///< since one with text was; nothing where none came yet
  ecn_counters marks_received;         ///< what we feed back, where our feedback is accurate
};

}  // namespace tunic::tcp
