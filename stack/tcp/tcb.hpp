#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>

#include "stack/base/seq.hpp"
#include "stack/base/time.hpp"
#include "stack/tcp/congestion_control.hpp"
#include "stack/tcp/demux.hpp"
#include "stack/tcp/ecn.hpp"
#include "stack/tcp/fast_open.hpp"
#include "stack/tcp/flight.hpp"
#include "stack/tcp/listener.hpp"
#include "stack/tcp/liveness.hpp"
#include "stack/tcp/mtu_search.hpp"
#include "stack/tcp/rack.hpp"
#include "stack/tcp/rate.hpp"
#include "stack/tcp/receive_queue.hpp"
#include "stack/tcp/recovery.hpp"
#include "stack/tcp/rtt.hpp"
#include "stack/tcp/state.hpp"
#include "stack/tcp/status.hpp"
#include "stack/tcp/user.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::tcp {

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
};

/// The receive sequence variables (RFC 9293 §3.3.1).
struct receive_variables {
  seq nxt;                       ///< next sequence number expected
  seq edge;                      ///< RCV.NXT+RCV.WND as it was last offered: it never moves left (RFC 7323 §2.4)
  seq irs;                       ///< initial receive sequence number
  seq fin;                       ///< where the peer's FIN stands, once it has arrived
  wire::sack_block duplicate{};  ///< arrived twice, to be reported (RFC 2883 §4); empty: nothing has

  [[nodiscard]] bool has_duplicate() const { return duplicate.left != duplicate.right; }
};

/// RFC 7323 §4.3's variables.
struct timestamp_variables {
  std::uint32_t offset = 0;  ///< added to our clock, so that it tells nobody our uptime (§7.1)
  std::uint32_t recent = 0;  ///< TS.Recent
  seq last_ack_sent;         ///< Last.ACK.sent
};

/// How fast the user takes text: the receive buffer grows to hold twice of what it takes in a round trip.
struct consumption {
  instant since{};
  duration rtt{};            ///< as the receiver sees it, by the peer's timestamps; zero: not known
  std::uint32_t octets = 0;  ///< taken in the best round trip so far
  std::uint32_t from = 0;    ///< octets that the user had taken at `since`, modulo 2^32
};

/// The transmission control block: data only. What happens to it is in segment_arrives, user_calls, timeouts and
/// sender.
struct tcb : demux_node {
  tcb(const four_tuple& e, tcp::flight* f) : demux_node(demux_kind::tcb, e), flight(f) {}

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
  bool fin_arrived : 1 = false;   ///< the peer's FIN has, maybe ahead of missing text
  bool fin_received : 1 = false;  ///< RCV.NXT is past it
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
  bool large_passed : 1 = false;      ///< a segment that may not pass everywhere has arrived
  bool window_probe_due : 1 = false;  ///< send what the window refuses: an octet at least (§3.8.6.1)
  bool keep_alive_due : 1 = false;    ///< send an empty segment before SND.NXT (§3.8.4)

  std::uint8_t hop_limit = 64;
  std::uint8_t tos = 0;
  std::uint8_t backoff = 0;      ///< doublings of the retransmission timeout, or of the probe interval
  std::uint8_t unanswered = 0;   ///< timeouts in a row with no acknowledgement
  std::uint8_t quick_acks = 0;   ///< acknowledgements that are not to be delayed
  std::uint8_t keep_alives = 0;  ///< keep-alive probes without an answer
  events pending;                ///< not yet told to the user
  wire::window_shift snd_shift;  ///< what the peer's window fields are shifted by (RFC 7323 §2.3)
  wire::window_shift rcv_shift;  ///< what ours are

  send_variables snd;
  receive_variables rcv;
  timestamp_variables ts;
  std::uint16_t peer_mss = 536;           ///< RFC 9293 §3.7.1 MUST-15; 1220 in version 6
  std::uint16_t mss = 536;                ///< octets of text a segment carries at most, options subtracted
  std::uint16_t user_mss = 0;             ///< what the user bounds it to; 0: nothing
  std::uint16_t syn_text = 0;             ///< octets with our SYN, all acknowledged, or with the peer's
  std::uint32_t unacked = 0;              ///< octets of text received and not yet acknowledged by us
  std::uint32_t receive_buffer = 0;       ///< octets
  std::uint32_t send_buffer = 0;          ///< octets; 0: as the congestion window asks
  std::uint32_t unsent_limit = 0;         ///< octets not yet sent beyond which SEND takes no more; 0: none
  std::uint32_t invalid_answer_from = 0;  ///< what is invalid may be answered from then on; ms, modulo 2^32
  std::uint32_t retransmits = 0;          ///< segments
  seq pushed;                             ///< behind the last octet that the user has pushed
  seq hold;                ///< without SACK: duplicates of an ACK before this begin no episode (RFC 6582 §3.2)
  std::errc error{};       ///< why it is CLOSED
  std::errc soft_error{};  ///< what ICMP said of the path: the reason given if the connection times out (RFC 5461)
  tcp::liveness live;
  std::uint64_t charge = 0;  ///< octets of memory that its queues keep, as last counted
  tcp::consumption consumption;
  send_limits limits;

  tcp::flight* flight;  ///< what is queued or outstanding; who has nothing of the kind shares an empty one
  tcp::receive_queue receive_queue;
  rtt_estimator rtt;
  tcp::rack rack;
  delivery_rate rate;
  tcp::recovery recovery;
  tcp::ecn ecn;
  std::unique_ptr<mtu_search> search;      ///< once the path is suspected to swallow large segments
  std::unique_ptr<congestion_control> cc;  ///< from when text may flow on
  instant pace_at{};                       ///< text may leave from then on, where the connection is paced

  instant last_received{};  ///< for keep-alive
  instant last_text{};      ///< when text came last; the epoch: never
  instant last_sent{};      ///< for the restart of an idle window (RFC 5681 §4.1)
  std::array<instant, other_timers> deadlines{never, never, never};

  tcp::user* user = nullptr;
  std::unique_ptr<tcp::incoming> incoming;  ///< until a user has accepted it

  tcb* ready_next = nullptr;  ///< or among the dead
  tcb* ready_previous = nullptr;

  [[nodiscard]] instant& deadline(timer t) {
    const auto i = static_cast<std::size_t>(t);
    return i < flight_timers ? flight->deadlines[i] : deadlines[i - flight_timers];
  }
  [[nodiscard]] instant deadline(timer t) const {
    const auto i = static_cast<std::size_t>(t);
    return i < flight_timers ? flight->deadlines[i] : deadlines[i - flight_timers];
  }
  [[nodiscard]] instant earliest_deadline() const {
    return std::min(std::ranges::min(flight->deadlines), std::ranges::min(deadlines));
  }
  void stop_timers() {
    flight->deadlines.fill(never);
    deadlines.fill(never);
  }
  /// Whose SYN or accept queue it is in.
  [[nodiscard]] tcp::listener* listener() const { return incoming ? incoming->listener : nullptr; }
  [[nodiscard]] bool synchronised() const { return state >= tcp::state::established; }
  /// Whether text may be sent.
  [[nodiscard]] bool text_flows() const { return synchronised() || early; }
  /// RCV.WND as it was last offered.
  [[nodiscard]] std::uint32_t rcv_wnd() const { return distance(rcv.nxt, rcv.edge); }
  /// Octets of text and FIN between SND.UNA and SND.NXT.
  [[nodiscard]] std::uint32_t outstanding() const { return flight->board.outstanding(); }
  /// The sequence number of the first octet of text that is not acknowledged, and of what follows the last that the
  /// user has given: of our FIN once CLOSE was called.
  [[nodiscard]] seq text_begin() const {
    if (!synchronised() && snd.una == snd.iss) return snd.iss + 1;
    return fin_acked() ? snd.una - 1 : snd.una;
  }
  [[nodiscard]] seq text_end() const { return text_begin() + static_cast<std::uint32_t>(flight->send_queue.size()); }
  /// The offset in the send queue of a sequence number between SND.UNA and SND.NXT.
  [[nodiscard]] std::uint64_t offset_of(seq s) const { return flight->send_queue.begin() + distance(text_begin(), s); }
  /// What a segment without text is numbered: SND.NXT, but not beyond the window, where the peer would not take it:
  /// what was sent before the peer shrank its window lies there (RFC 9293 §3.8.6, MUST-34; RFC 7323 §2.4).
  [[nodiscard]] seq acceptable_seq() const { return synchronised() ? min(snd.nxt, snd.una + snd.wnd) : snd.nxt; }
  [[nodiscard]] bool fin_acked() const { return fin_sent && snd.una == snd.nxt; }
};

static_assert(sizeof(tcb) <= 568);  // an idle connection's whole cost besides its place in the table

}  // namespace tunic::tcp
