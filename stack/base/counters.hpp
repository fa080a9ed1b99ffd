#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tunic {

/// Why a datagram, or a part of it, was not taken. Garbage from the network is a value: it is counted, never thrown.
enum class drop : std::uint8_t {
  too_short,             ///< shorter than its own header says, or than any header
  bad_version,           ///< neither IPv4 nor IPv6
  bad_header_length,     ///< a header length below the minimum or beyond the datagram
  bad_length,            ///< a total or payload length beyond the datagram
  bad_checksum,          ///< IP, ICMP, UDP or TCP
  bad_option,            ///< an option whose length runs out of its header
  bad_source,            ///< a source that cannot be answered: multicast, broadcast
  not_for_us,            ///< a destination that is none of our addresses
  no_protocol,           ///< a transport protocol that we do not speak
  no_route,              ///< an answer with nowhere to go
  fragment_overlap,      ///< overlapping fragments (RFC 5722 §4)
  fragment_bad,          ///< a fragment that ends beyond 65,535 octets or has a ragged length
  fragment_limit,        ///< reassembly is out of its memory or time
  fragment_unsteered,    ///< a segment of TCP in fragments, at one of several stacks (ip::config::tcp_fragments)
  no_listener,           ///< a segment or datagram for a port that nobody has open
  bad_flags,             ///< SYN with FIN or RST, or no flag at all
  unacceptable_segment,  ///< outside the receive window (RFC 9293 §3.10.7.4, first step)
  unacceptable_ack,      ///< acknowledges what was never sent
  syn_queue_full,        ///< a SYN beyond the half-open limit of its listener
  accept_queue_full,     ///< a handshake finished while nobody accepts
  receive_full,          ///< text or a datagram beyond the receive buffer
  rate_limited,          ///< an answer that its rate limit forbade
  transmit_full,         ///< an answer beyond the transmit queue
  device_error,          ///< the device refused a frame
  icmp_unrelated,        ///< an ICMP error about a packet that we did not send
};
inline constexpr std::size_t drop_count = static_cast<std::size_t>(drop::icmp_unrelated) + 1;

std::string_view name(drop reason);

/// What a stack counts. Plain numbers, read at any time between two calls. The TCP ones are RFC 4022's; mib() gives
/// them by its names.
struct counters {
  std::uint64_t datagrams_in = 0;
  std::uint64_t datagrams_out = 0;
  std::uint64_t octets_in = 0;
  std::uint64_t octets_out = 0;

  std::uint64_t active_opens = 0;        ///< tcpActiveOpens
  std::uint64_t passive_opens = 0;       ///< tcpPassiveOpens
  std::uint64_t attempt_fails = 0;       ///< tcpAttemptFails: CLOSED, or back to LISTEN, from SYN-SENT or SYN-RECEIVED
  std::uint64_t established_resets = 0;  ///< tcpEstabResets: CLOSED from ESTABLISHED or CLOSE-WAIT
  std::uint64_t established = 0;         ///< tcpCurrEstab: connections now in one of these two
  std::uint64_t segments_in = 0;         ///< tcpInSegs; a super-segment counts once
  std::uint64_t segments_out = 0;        ///< tcpOutSegs, without those that hold only what was sent before
  std::uint64_t retransmits = 0;         ///< tcpRetransSegs
  std::uint64_t segments_bad = 0;        ///< tcpInErrs
  std::uint64_t resets_out = 0;          ///< tcpOutRsts
  std::uint64_t challenge_acks = 0;      ///< RFC 5961
  std::uint64_t releases_aborted = 0;    ///< connections beyond the limit of those whose user is gone

  std::uint64_t syn_cookies_sent = 0;      ///< RFC 4987 §3.6
  std::uint64_t syn_cookies_received = 0;  ///< that were good
  std::uint64_t syn_cookies_failed = 0;    ///< ACKs without a good one, while cookies were about

  // How loss was found, and where it was none.
  std::uint64_t fast_recoveries = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t loss_probes = 0;          ///< RFC 8985 §7
  std::uint64_t undos = 0;                ///< episodes that proved spurious
  std::uint64_t duplicates_reported = 0;  ///< D-SACKs received (RFC 2883)

  // RFC 7413. A server's:
  std::uint64_t fast_opens_passive = 0;   ///< connections that could be accepted when their SYN had come
  std::uint64_t fast_open_requests = 0;   ///< SYNs that asked for a cookie
  std::uint64_t fast_open_refusals = 0;   ///< cookies that were not ours, or have expired
  std::uint64_t fast_open_overflows = 0;  ///< SYNs beyond the limit of those pending
  // A client's:
  std::uint64_t fast_opens_active = 0;  ///< connections whose SYN's text was acknowledged with the SYN
  std::uint64_t fast_open_fails = 0;    ///< and those where it was not, or where nobody answered
  std::array<std::uint64_t, drop_count> drops{};

  void count(drop reason) { ++drops[static_cast<std::size_t>(reason)]; }
  [[nodiscard]] std::uint64_t dropped(drop reason) const { return drops[static_cast<std::size_t>(reason)]; }
};

/// A counter by RFC 4022's name.
struct mib_entry {
  std::string_view name;
  std::uint64_t value;
};
std::array<mib_entry, 10> mib(const counters& c);

}  // namespace tunic
