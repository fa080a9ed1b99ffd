#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>

#include "stack/base/seq.hpp"
#include "stack/base/time.hpp"
#include "stack/buffer/chain.hpp"
#include "stack/tcp/congestion_control.hpp"
#include "stack/tcp/demux.hpp"
#include "stack/tcp/ecn.hpp"
#include "stack/tcp/fast_open.hpp"
#include "stack/tcp/liveness.hpp"
#include "stack/tcp/mtu_search.hpp"
#include "stack/tcp/rack.hpp"
#include "stack/tcp/rate.hpp"
#include "stack/tcp/receive_queue.hpp"
#include "stack/tcp/recovery.hpp"
#include "stack/tcp/rtt.hpp"
#include "stack/tcp/scoreboard.hpp"
#include "stack/tcp/state.hpp"
#include "stack/tcp/status.hpp"
#include "stack/tcp/text_marks.hpp"
#include "stack/tcp/user.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::tcp {

class listener;
struct time_wait;

/// The send sequence variables (RFC 9293 §3.3.1).
struct send_variables {
  seq una;                ///< oldest sequence number not acknowledged
  seq nxt;                ///< next to be sent
  std::uint32_t wnd = 0;  ///< send window in octets, scaled
  seq wl1;                ///< segment sequence number used for the last window update
  seq wl2;                ///< segment acknowledgement number used for the last window update
  seq iss;                ///< initial send sequence number
  std::uint32_t max_wnd =
      0;  ///< the largest window seen: half of it is worth sending (§3.8.6.2.1), and RFC 5961 §5 uses it
  wire::window_shift shift;  ///< what the peer's window fields are shifted by
};

/// The receive sequence variables (RFC 9293 §3.3.1).
struct receive_variables {
  seq nxt;                   ///< next sequence number expected
  seq edge;                  ///< RCV.NXT+RCV.WND as it was last offered: it never moves left (RFC 7323 §2.4)
  seq irs;                   ///< initial receive sequence number
  wire::window_shift shift;  ///< what our window fields are shifted by
  std::optional<seq> fin;    ///< where a FIN that came ahead of missing text stands
  std::optional<wire::sack_block> duplicate;  ///< arrived twice, to be reported (RFC 2883 §4)
};

/// RFC 7323 §4.3's variables.
struct timestamp_variables {
  std::uint32_t offset = 0;  ///< added to our clock, so that it tells nobody our uptime (§7.1)
  std::uint32_t recent = 0;  ///< TS.Recent
  seq last_ack_sent;         ///< Last.ACK.sent
};

/// How fast the user takes text: the receive buffer grows to hold twice of what it takes in a round trip.
struct consumption {
  std::uint64_t from = 0;  ///< offset of what the user had taken at `since`
  instant since{};
  std::uint32_t octets = 0;  ///< taken in the best round trip so far
  duration rtt{};            ///< as the receiver sees it, by the peer's timestamps; zero: not known
};

/// The deadlines of a connection: one small table, one node in the timer wheel.
enum class timer : std::uint8_t { retransmit, delayed_ack, keep_alive, released, pacing, user, cork };
inline constexpr std::size_t timer_count = 7;

/// The transmission control block: data only. What happens to it is in segment_arrives, user_calls, timeouts and
/// sender.
struct tcb : demux_node {
  explicit tcb(const four_tuple& e) : demux_node(demux_kind::tcb, e) {}

  tcp::state state = tcp::state::closed;

  // What the options of the handshake settled (RFC 7323 §3.2).
  bool timestamps_on : 1 = false;
  bool sack_on : 1 = false;
  bool scale_on : 1 = false;

  // What the user asked for.
  bool no_delay : 1 = false;
  bool corked : 1 = false;                ///< short text waits, whatever is outstanding
  bool more_follows : 1 = false;          ///< the last SEND said so: short text waits for it
  bool closing : 1 = false;               ///< CLOSE was called: a FIN follows the last octet
  bool fixed_receive_buffer : 1 = false;  ///< the user has named its size
  bool interactive : 1 = false;           ///< we answer what arrives, so acknowledgements ride on text
  bool deaf : 1 = false;                  ///< the user reads no more: text is acknowledged and dropped
  bool released : 1 = false;              ///< the user is gone

  bool fin_sent : 1 = false;      ///< SND.NXT is past our FIN
  bool fin_received : 1 = false;  ///< RCV.NXT is past the peer's FIN
  bool ack_now : 1 = false;       ///< an acknowledgement is owed in this batch
  bool send_short : 1 = false;    ///< send() took less than asked: tell the user when there is room
  bool in_ready_list : 1 = false;
  bool passive : 1 = false;           ///< came from LISTEN (§3.10.7.4, fourth step)
  bool early : 1 = false;             ///< SYN-RECEIVED, and text flows already (RFC 7413)
  bool stateless : 1 = false;         ///< its SYN-ACK was a cookie: nobody knows when that left
  bool syn_timed_out : 1 = false;     ///< the RTO begins at 3 s then (RFC 6298 §5.7)
  bool syn_due : 1 = false;           ///< the SYN goes again
  bool fresh : 1 = false;             ///< text may go again: was the window idle too long (RFC 5681 §4.1)?
  bool paced : 1 = false;             ///< the pacing rate, not only the window, holds the sender
  bool window_limited : 1 = false;    ///< the congestion window held the sender in this round
  bool window_probe_due : 1 = false;  ///< send what the window refuses: an octet at least (§3.8.6.1)
  bool keep_alive_due : 1 = false;    ///< send an empty segment before SND.NXT (§3.8.4)

  std::uint8_t hop_limit = 64;
  std::uint8_t tos = 0;
  std::uint8_t backoff = 0;      ///< doublings of the retransmission timeout, or of the probe interval
  std::uint8_t unanswered = 0;   ///< timeouts in a row with no acknowledgement
  std::uint8_t quick_acks = 0;   ///< acknowledgements that are not to be delayed
  std::uint8_t keep_alives = 0;  ///< keep-alive probes without an answer

  send_variables snd;
  receive_variables rcv;
  timestamp_variables ts;
  std::uint16_t peer_mss = 536;      ///< RFC 9293 §3.7.1 MUST-15; 1220 in version 6
  std::uint16_t mss = 536;           ///< octets of text a segment carries at most, options subtracted
  std::uint16_t user_mss = 0;        ///< what the user bounds it to; 0: nothing
  std::uint16_t syn_text = 0;        ///< octets with our SYN, all acknowledged, or with the peer's
  std::uint32_t unacked = 0;         ///< octets of text received and not yet acknowledged by us
  std::uint32_t receive_buffer = 0;  ///< octets
  std::uint32_t send_buffer = 0;     ///< octets; 0: as the congestion window asks
  std::uint32_t unsent_limit = 0;    ///< octets not yet sent beyond which SEND takes no more; 0: none
  std::uint64_t charge = 0;          ///< octets of memory that its queues keep, as last counted
  tcp::consumption consumption;
  send_limits limits;

  chain send_queue;                     ///< offset 0 stands at ISS+1
  text_marks pushes;                    ///< the user's PUSH, in text not yet sent (RFC 9293 §3.9.1.2)
  std::unique_ptr<text_marks> records;  ///< their ends, in text not yet acknowledged, where the user has asked for any
  tcp::receive_queue receive_queue;
  rtt_estimator rtt;
  scoreboard board;
  tcp::rack rack;
  delivery_rate rate;
  tcp::recovery recovery;
  tcp::ecn ecn;
  mtu_search search;
  std::unique_ptr<fast_opening> fast;      ///< of a Fast Open, during the handshake
  std::unique_ptr<congestion_control> cc;  ///< from when text may flow on
  std::uint32_t most_in_flight = 0;        ///< octets outstanding at most in this round (RFC 7661's pipeACK)
  seq round_end;                           ///< where this round ends
  seq short_end;                           ///< behind the latest new segment that was not full
  instant pace_at{};                       ///< text may leave from then on, where the connection is paced

  tcp::liveness live;
  instant last_received{};        ///< for keep-alive
  instant last_text{};            ///< when text came last; the epoch: never
  instant invalid_answer_from{};  ///< an answer to what is outside the window may be given from then on
  instant waiting_since{};        ///< something has been due from the peer, or it has moved on (the user timeout)
  instant last_sent{};            ///< for the restart of an idle window (RFC 5681 §4.1)
  std::array<instant, timer_count> deadlines{never, never, never, never, never, never, never};

  tcp::user* user = nullptr;
  tcp::listener* listener = nullptr;  ///< whose SYN or accept queue it is in
  events pending;                     ///< not yet told to the user
  std::error_code error;              ///< why it is CLOSED
  std::error_code soft_error;  ///< what ICMP said of the path: the reason given if the connection times out (RFC 5461)
  std::uint64_t retransmits = 0;  ///< segments

  time_wait* remains = nullptr;  ///< its record, while it is in TIME-WAIT and held by its user
  tcb* ready_next = nullptr;
  tcb* ready_previous = nullptr;
  tcb* queue_next = nullptr;  ///< in the listener's queue, or among the dead
  tcb* queue_previous = nullptr;

  [[nodiscard]] instant& deadline(timer t) { return deadlines[static_cast<std::size_t>(t)]; }
  [[nodiscard]] instant deadline(timer t) const { return deadlines[static_cast<std::size_t>(t)]; }
  [[nodiscard]] bool synchronised() const { return state >= tcp::state::established; }
  /// Whether text may be sent.
  [[nodiscard]] bool text_flows() const { return synchronised() || early; }
  /// RCV.WND as it was last offered.
  [[nodiscard]] std::uint32_t rcv_wnd() const { return distance(rcv.nxt, rcv.edge); }
  /// Octets of text and FIN between SND.UNA and SND.NXT.
  [[nodiscard]] std::uint32_t outstanding() const { return board.outstanding(); }
  /// The sequence number of our FIN once CLOSE was called.
  [[nodiscard]] seq fin_seq() const { return seq_of(send_queue.end()); }
  [[nodiscard]] seq seq_of(std::uint64_t offset) const { return snd.iss + 1 + static_cast<std::uint32_t>(offset); }
  /// The offset in the send queue of a sequence number between SND.UNA and SND.NXT.
  [[nodiscard]] std::uint64_t offset_of(seq s) const {
    return send_queue.begin() + distance(seq_of(send_queue.begin()), s);
  }
  /// What a segment without text is numbered: SND.NXT, but not beyond the window, where the peer would not take it:
  /// what was sent before the peer shrank its window lies there (RFC 9293 §3.8.6, MUST-34; RFC 7323 §2.4).
  [[nodiscard]] seq acceptable_seq() const { return synchronised() ? min(snd.nxt, snd.una + snd.wnd) : snd.nxt; }
  [[nodiscard]] bool fin_acked() const { return fin_sent && snd.una == snd.nxt; }
};

static_assert(sizeof(tcb) <= 1400);  // an idle connection's whole cost besides its place in the table

}  // namespace tunic::tcp
