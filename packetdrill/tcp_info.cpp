#include "packetdrill/tcp_info.hpp"

#include <algorithm>
#include <netinet/tcp.h>

namespace tunic::packetdrill {
namespace {

constexpr std::uint32_t infinite = 0x7fffffff;  // Linux's threshold before any congestion

std::uint32_t microseconds(duration d) {
  return static_cast<std::uint32_t>(d / std::chrono::microseconds{1});
}

std::uint32_t milliseconds(duration d) {
  return static_cast<std::uint32_t>(d / std::chrono::milliseconds{1});
}

}  // namespace

std::uint8_t linux_state(tcp::state s) {
  switch (s) {
    case tcp::state::closed: return TCP_CLOSE;
    case tcp::state::listen: return TCP_LISTEN;
    case tcp::state::syn_sent: return TCP_SYN_SENT;
    case tcp::state::syn_received: return TCP_SYN_RECV;
    case tcp::state::established: return TCP_ESTABLISHED;
    case tcp::state::fin_wait_1: return TCP_FIN_WAIT1;
    case tcp::state::fin_wait_2: return TCP_FIN_WAIT2;
    case tcp::state::close_wait: return TCP_CLOSE_WAIT;
    case tcp::state::closing: return TCP_CLOSING;
    case tcp::state::last_ack: return TCP_LAST_ACK;
    case tcp::state::time_wait: return TCP_TIME_WAIT;
  }
  return TCP_CLOSE;
}

tcp_info tcp_info_of(const tcp::status& s, const tcp::tcb& t) {
  const auto segments = [&](std::uint64_t octets) {
    return static_cast<std::uint32_t>((octets + s.mss - 1) / std::max<std::uint32_t>(s.mss, 1));
  };
  tcp_info i{};
  i.state = linux_state(s.state);
  i.ca_state = static_cast<std::uint8_t>(s.phase);  // Linux counts them in the same order
  i.retransmits = static_cast<std::uint8_t>(s.unanswered);
  i.probes = static_cast<std::uint8_t>(s.in_flight == 0 ? s.unanswered : 0);
  i.backoff = static_cast<std::uint8_t>(s.backoff);
  i.options = static_cast<std::uint8_t>((s.timestamps ? TCPI_OPT_TIMESTAMPS : 0) | (s.sack ? TCPI_OPT_SACK : 0) |
                                        (s.window_scale ? TCPI_OPT_WSCALE : 0) |
                                        (s.ecn != tcp::ecn_feedback::none ? TCPI_OPT_ECN : 0) |
                                        (s.syn_text_sent + s.syn_text_received > 0 ? TCPI_OPT_SYN_DATA : 0));
  i.window_scales = static_cast<std::uint8_t>(t.snd_shift.value | t.rcv_shift.value << 4);
  i.app_limited = s.app_limited ? 1 : 0;
  i.rto = microseconds(s.rto);
  i.snd_mss = s.mss;
  i.rcv_mss = s.receive_mss;
  i.unacked = segments(s.in_flight);
  i.sacked = segments(s.sacked);
  i.lost = segments(s.lost);
  i.retrans = segments(s.resent);
  i.last_data_sent = milliseconds(s.since_sent);
  i.last_ack_recv = milliseconds(s.since_received);
  i.last_data_recv = milliseconds(s.since_text.value_or(s.since_received));
  i.rtt = s.srtt ? microseconds(*s.srtt) : 0;
  i.rttvar = microseconds(s.rttvar);
  i.snd_ssthresh = s.ssthresh >= infinite ? infinite : segments(s.ssthresh);
  i.snd_cwnd = s.cwnd / std::max<std::uint32_t>(s.mss, 1);
  i.advmss = s.receive_mss;
  i.reordering = s.reordering;
  i.total_retrans = static_cast<std::uint32_t>(s.retransmits);
  i.pacing_rate = s.pacing_rate;
  i.bytes_received = s.received;
  i.notsent_bytes = static_cast<std::uint32_t>(s.send_queued - std::min<std::uint64_t>(s.send_queued, s.in_flight));
  i.min_rtt = s.min_rtt ? microseconds(*s.min_rtt) : ~0u;
  i.delivery_rate = s.delivery_rate;
  i.busy_time = microseconds(s.busy);
  i.rwnd_limited = microseconds(s.peer_window_limited);
  i.sndbuf_limited = microseconds(s.send_buffer_limited);
  // A SYN counts, with or without text.
  i.delivered = segments(s.delivered - s.syn_text_sent) + (t.snd.una != t.snd.iss ? 1 : 0);
  i.reord_seen = s.reordering_seen;
  i.snd_wnd = s.snd_wnd;
  const tcp::ecn_counters none;  // the core's begin where RFC 9768 §3.2.1 says
  i.delivered_ce = s.marks_reported.cep - none.cep;
  i.delivered_ce_bytes = s.marks_reported.ceb - none.ceb;
  i.delivered_e0_bytes = s.marks_reported.e0b - none.e0b;
  i.delivered_e1_bytes = s.marks_reported.e1b - none.e1b;
  i.received_ce = s.marks_received.cep - none.cep;
  i.received_ce_bytes = s.marks_received.ceb - none.ceb;
  i.received_e0_bytes = s.marks_received.e0b - none.e0b;
  i.received_e1_bytes = s.marks_received.e1b - none.e1b;
  i.rcv_wnd = s.rcv_wnd;
  return i;
}

}  // namespace tunic::packetdrill
