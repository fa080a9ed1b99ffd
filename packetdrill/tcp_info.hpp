#pragma once

#include <cstdint>

#include "stack/tcp/status.hpp"
#include "stack/tcp/tcb.hpp"

namespace tunic::packetdrill {

/// What getsockopt(TCP_INFO) gives: Linux 6.18's struct tcp_info under its own names, so that a script's tcpi_cwnd is
/// found here. Segments are counted where Linux counts them, times are microseconds but the last_… (milliseconds).
struct tcp_info {
  std::uint8_t state;  // tcpi_state, and so on
  std::uint8_t ca_state;
  std::uint8_t retransmits;
  std::uint8_t probes;
  std::uint8_t backoff;
  std::uint8_t options;
  std::uint8_t window_scales;  // ours in the upper half, the peer's in the lower one
  std::uint8_t app_limited;    // bit 0; then how Fast Open failed
  std::uint32_t rto;
  std::uint32_t ato;
  std::uint32_t snd_mss;
  std::uint32_t rcv_mss;
  std::uint32_t unacked;
  std::uint32_t sacked;
  std::uint32_t lost;
  std::uint32_t retrans;
  std::uint32_t fackets;
  std::uint32_t last_data_sent;
  std::uint32_t last_ack_sent;
  std::uint32_t last_data_recv;
  std::uint32_t last_ack_recv;
  std::uint32_t pmtu;
  std::uint32_t rcv_ssthresh;
  std::uint32_t rtt;
  std::uint32_t rttvar;
  std::uint32_t snd_ssthresh;
  std::uint32_t snd_cwnd;
  std::uint32_t advmss;
  std::uint32_t reordering;
  std::uint32_t rcv_rtt;
  std::uint32_t rcv_space;
  std::uint32_t total_retrans;
  std::uint64_t pacing_rate;
  std::uint64_t max_pacing_rate;
  std::uint64_t bytes_acked;
  std::uint64_t bytes_received;
  std::uint32_t segs_out;
  std::uint32_t segs_in;
  std::uint32_t notsent_bytes;
  std::uint32_t min_rtt;
  std::uint32_t data_segs_in;
  std::uint32_t data_segs_out;
  std::uint64_t delivery_rate;
  std::uint64_t busy_time;
  std::uint64_t rwnd_limited;
  std::uint64_t sndbuf_limited;
  std::uint32_t delivered;
  std::uint32_t delivered_ce;
  std::uint64_t bytes_sent;
  std::uint64_t bytes_retrans;
  std::uint32_t dsack_dups;
  std::uint32_t reord_seen;
  std::uint32_t rcv_ooopack;
  std::uint32_t snd_wnd;
  std::uint32_t rcv_wnd;
  std::uint32_t rehash;
  std::uint16_t total_rto;
  std::uint16_t total_rto_recoveries;
  std::uint32_t total_rto_time;
  std::uint32_t received_ce;
  std::uint32_t delivered_e1_bytes;
  std::uint32_t delivered_e0_bytes;
  std::uint32_t delivered_ce_bytes;
  std::uint32_t received_e1_bytes;
  std::uint32_t received_e0_bytes;
  std::uint32_t received_ce_bytes;
  std::uint32_t ecn_mode;  // two bits, AccECN's option seen two, its failures four
};
static_assert(sizeof(tcp_info) == 280);

/// What Linux calls a state.
std::uint8_t linux_state(tcp::state s);
/// STATUS as Linux tells it: a line for each fact. What the core does not know is 0.
tcp_info tcp_info_of(const tcp::status& s, const tcp::tcb& t);

}  // namespace tunic::packetdrill
