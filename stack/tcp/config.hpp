#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/base/time.hpp"
#include "stack/tcp/congestion_control.hpp"
#include "stack/tcp/ecn.hpp"
#include "stack/tcp/fast_open.hpp"
#include "stack/tcp/syn_cookie.hpp"

namespace tunic::tcp {

/// What all connections of a stack share. Every limit is a number with its reason; the defaults are safe on an open
/// network.
struct config {
  duration msl =
      std::chrono::seconds{30};  ///< TIME-WAIT lasts two of them: 60 s, as Linux; RFC 9293 §3.4.2 says 2 minutes
  duration rto_initial = std::chrono::seconds{1};  ///< RFC 6298 §2.1
  duration rto_min =
      std::chrono::milliseconds{200};  ///< for variance, on top of SRTT, as Linux; RFC 6298 §2.4 says 1 s in all
  duration rto_max = std::chrono::seconds{60};  ///< RFC 6298 §2.5
  unsigned syn_retries = 7;                     ///< 183 s of trying; RFC 9293 §3.8.3 MUST-23 asks for 3 minutes
  unsigned syn_ack_retries = 5;                 ///< a half-open connection is given up after 63 s
  duration user_timeout{};                      ///< zero: `retries` decides (RFC 9293 §3.8.3, RFC 5482)
  unsigned retries = 15;                        ///< of text and FIN; beyond RFC 9293 §3.8.3's R2 of 100 s
  duration delayed_ack =
      std::chrono::milliseconds{40};  ///< RFC 9293 §3.8.6.3 MUST-40 and RFC 5681 §4.2 allow up to 0.5 s
  duration fin_wait_2_timeout =
      std::chrono::seconds{60};                      ///< for a connection whose user is gone; Linux's tcp_fin_timeout
  duration keep_alive_idle = std::chrono::hours{2};  ///< RFC 9293 §3.8.4 MUST-28: no less by default
  duration keep_alive_interval = std::chrono::seconds{75};
  unsigned keep_alive_probes = 9;

  // Octets of text a connection holds for its user, and has of its user waiting or in flight. Where the user names no
  // size, a buffer grows with what the path carries, from the first to the second.
  std::uint32_t receive_buffer_initial = 256u << 10;
  std::uint32_t receive_buffer = 16u << 20;
  std::uint32_t send_buffer_initial = 1u << 20;
  std::uint32_t send_buffer = 16u << 20;
  std::uint64_t memory = 1u << 30;  ///< octets that all connections' buffers may keep; beyond half of it none grows
  unsigned quick_acks = 16;  ///< segments acknowledged at once when text begins to flow, for the sender's slow start
  congestion_algorithm congestion = congestion_algorithm::cubic;
  bool pacing = false;  ///< of Reno and CUBIC, which burst otherwise; BBR always paces
  duration pacing_quantum = std::chrono::milliseconds{1};  ///< a super-segment holds what leaves in so long
  unsigned burst_segments = 2;                             ///< and at least so many segments; Linux's tcp_min_tso_segs
  unsigned initial_window = 10;                            ///< segments (RFC 6928 §2)

  ecn_use ecn = ecn_use::passive;  ///< as Linux: a SYN that asks for ECN is still lost on some paths

  unsigned challenge_acks_per_second = 1000;  ///< of the whole stack, about (RFC 5961 §7)
  duration invalid_answer_interval = std::chrono::milliseconds{
      500};  ///< of a connection, to what lies outside its window; Linux's tcp_invalid_ratelimit

  // Fast Open (RFC 7413), for who asks for it.
  std::optional<tcp::fast_open_keys> fast_open_keys{};      ///< of all listeners; else made of the stack's secret
  duration fast_open_period = std::chrono::hours{24};       ///< a key so made is primary for one, backup for another
  std::size_t fast_open_cache = 1024;                       ///< servers remembered; 250 octets each
  duration fast_open_pause = std::chrono::minutes{4};       ///< of one that cannot, at first; Linux had 60 s times 2^2
  duration fast_open_reset_wait = std::chrono::minutes{1};  ///< a reset one counts as pending so long, as on Linux

  std::size_t time_wait_records = 1u << 20;     ///< beyond it a connection goes to CLOSED at once; 112 octets each
  std::size_t released_connections = 1u << 16;  ///< without a user and not yet CLOSED or in TIME-WAIT; beyond it a
                                                ///< connection is aborted when its user goes; Linux's tcp_max_orphans
  std::size_t orphan_segments = 256;            ///< RSTs and other answers of no connection waiting for the device

  syn_cookie_use syn_cookies = syn_cookie_use::when_full;  ///< RFC 4987 §3.6
  bool mtu_search = true;          ///< suspect a path that swallows large segments, and find out what passes (RFC 4821)
  bool window_scale = true;        ///< offer RFC 7323's window scale
  bool timestamps = true;          ///< offer RFC 7323's timestamps
  bool require_timestamps = true;  ///< on every segment once agreed (RFC 7323 §3.2); Linux takes those without
  bool sack = true;                ///< offer RFC 2018's selective acknowledgements
};

}  // namespace tunic::tcp
