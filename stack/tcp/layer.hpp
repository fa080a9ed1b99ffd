#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include "stack/base/counters.hpp"
#include "stack/base/result.hpp"
#include "stack/base/siphash.hpp"
#include "stack/base/stock.hpp"
#include "stack/base/timer_wheel.hpp"
#include "stack/buffer/frame.hpp"
#include "stack/buffer/pool.hpp"
#include "stack/device.hpp"
#include "stack/ip/layer.hpp"
#include "stack/tcp/challenge_limit.hpp"
#include "stack/tcp/config.hpp"
#include "stack/tcp/demux.hpp"
#include "stack/tcp/fast_open_cache.hpp"
#include "stack/tcp/flight.hpp"
#include "stack/tcp/isn.hpp"
#include "stack/tcp/listener.hpp"
#include "stack/tcp/news.hpp"
#include "stack/tcp/observer.hpp"
#include "stack/tcp/orphans.hpp"
#include "stack/tcp/segment.hpp"
#include "stack/tcp/status.hpp"
#include "stack/tcp/syn_cookie.hpp"
#include "stack/tcp/tcb.hpp"
#include "stack/tcp/time_wait.hpp"
#include "stack/tcp/user.hpp"

namespace tunic::tcp {

struct open_options {
  endpoint remote;
  std::optional<address> local_address;  ///< else chosen by the routes
  std::uint16_t local_port = 0;          ///< 0: an ephemeral one (RFC 6056 §3.3.3)
  bool no_delay = false;                 ///< true switches Nagle's algorithm off (RFC 9293 §3.7.4)
  std::uint8_t hop_limit = 0;            ///< 0: the stack's
  std::uint8_t tos = 0;                  ///< its six bits of DSCP; the two of ECN are the stack's
  std::optional<ecn_use> ecn = {};       ///< else the stack's
  std::uint16_t mss = 0;             ///< octets of text a segment carries at most, both ways; 0: as the device allows
  std::uint32_t receive_buffer = 0;  ///< octets; 0: the stack's
  std::uint32_t send_buffer = 0;     ///< octets; 0: the stack's
  /// What SEND has taken before the SYN leaves goes with it, where that may be.
  fast_open_use fast_open = fast_open_use::off;
  bool wait_for_text = false;  ///< so the SYN waits for the first SEND, be it of nothing, where text may go with it
};

/// What stands behind the octets of a SEND that were taken.
enum class ending : std::uint8_t {
  push,    ///< nothing yet: they leave as soon as they may (RFC 9293 §3.9.1.2's PUSH)
  more,    ///< text that follows soon, so a segment that is not full waits for it, or for an ACK, or an RTO at most
  record,  ///< another record: a segment ends where this one does, also when it is sent again
};

/// All TCP connections of a stack. A tcb& or tcb* given out stays valid until release(); a connection in TIME-WAIT, or
/// one whose user is gone, finishes alone.
class layer {
 public:
  layer(const config& c, ip::layer& network, const device_capabilities& device, pool& buffers, counters& count,
        const secret& key, observer* watcher);
  ~layer();
  layer(const layer&) = delete;
  layer& operator=(const layer&) = delete;

  // The network's facts.
  void on_datagram(const ip::datagram& d, instant now);
  void on_icmp_error(const ip::icmp_error& e, instant now);
  /// The text of a frame of ours that begins at `from` cannot be read any more (a mapped file has shrunk), so that it
  /// never left: its connection is aborted with io_error.
  void on_unreadable(const four_tuple& ends, seq from, instant now);

  // Work for the caller.
  bool poll_transmit(frame& out, instant now);
  [[nodiscard]] bool has_output() const { return ready_head_ != nullptr || !orphans_.empty(); }
  [[nodiscard]] instant next_deadline() { return wheel_.next_deadline(); }
  void on_deadline(instant now);

  // User calls (RFC 9293 §3.10.1-6).
  /// OPEN, active. Errors: address_in_use, address_not_available, network_unreachable, invalid_argument.
  result<tcb*, std::error_code> open(const open_options& o, user& u, instant now);
  /// OPEN, passive. Errors: address_in_use, address_not_available, invalid_argument. The listener stays until
  /// close(listener&).
  result<listener*, std::error_code> listen(const listen_options& o, listener_user& u);
  /// The next established connection of the listener, now held by `u`; null where none waits. One whose peer has reset
  /// it meanwhile is CLOSED already, and what had come before that can be received.
  tcb* accept(listener& l, user& u);
  /// Aborts what is half open or not yet accepted, and forgets the listener.
  void close(listener& l, instant now);

  /// SEND: takes as many octets as the send buffer has room for, which may be none; a copy is made. Before
  /// the connection is established it waits; 0 after CLOSE. When it took less than given, events::writable follows.
  std::size_t send(tcb& t, std::span<const std::byte> octets, ending e = ending::push);
  /// Octets that would go with the SYN, which has not left yet (RFC 7413): 0 where none may.
  [[nodiscard]] std::uint32_t syn_text_room(const tcb& t, instant now) const;
  /// Whether the SYN waits for SEND.
  [[nodiscard]] static bool waits_for_text(const tcb& t) { return t.flight->fast && t.flight->fast->waits_for_text; }
  /// SEND without a copy: takes a prefix of the slice and shares its owner.
  std::size_t send(tcb& t, const slice& octets);
  /// Room in the send buffer, in octets.
  [[nodiscard]] std::size_t send_room(const tcb& t) const;
  /// RECEIVE: copies out what is there; 0 where nothing is (at_end tells the end of the stream from "not yet").
  std::size_t receive(tcb& t, std::span<std::byte> to);
  /// RECEIVE without a copy: the first octets that lie in one piece; consume() gives them back.
  [[nodiscard]] std::span<const std::byte> peek(const tcb& t) const { return t.receive_queue.front(); }
  void consume(tcb& t, std::size_t n);
  [[nodiscard]] std::size_t available(const tcb& t) const { return t.receive_queue.size(); }
  /// Whether the peer's FIN has been reached: everything before it was received.
  [[nodiscard]] static bool at_end(const tcb& t) { return t.fin_received && t.receive_queue.empty(); }
  /// CLOSE: a FIN follows what was sent; receiving goes on (half-close).
  void close(tcb& t, instant now);
  /// What arrives from now on is acknowledged and dropped (shutdown of the receiving side; RFC 9293 has no such call).
  void shut_receive(tcb& t);
  /// ABORT: a RST, and CLOSED at once with connection_aborted.
  void abort(tcb& t, instant now);
  /// STATUS. The times are as of `now`.
  [[nodiscard]] tcp::status status(const tcb& t, instant now) const;
  /// Why it is CLOSED; no error while it is not, or after an orderly close.
  [[nodiscard]] static std::error_code error(const tcb& t) {
    return t.error == std::errc{} ? std::error_code{} : make_error_code(t.error);
  }
  /// The user lets go: CLOSE where that was not called, ABORT where text was left unread (RFC 2525 §2.17), or where
  /// more connections than config::released_connections are without a user already. `linger`: ABORT where the peer has
  /// not acknowledged all text and our FIN by then. The tcb is invalid then.
  void release(tcb& t, instant now, std::optional<duration> linger = std::nullopt);

  void set_no_delay(tcb& t, bool on);  ///< also ends a cork
  /// While corked, only full segments leave; a short rest after an RTO.
  void set_cork(tcb& t, bool on);
  /// send() takes no more than that beyond what has been sent: a user who wants to decide late. 0: no limit.
  void set_unsent_limit(tcb& t, std::uint32_t octets);
  /// Octets of memory that the buffers of all connections keep; config::memory bounds it.
  [[nodiscard]] std::uint64_t memory_used() const { return memory_used_; }
  /// Keep-alive, user timeout and the like; zeros stand for the stack's own. Counts from now, but the user timeout
  /// from when the peer last moved on.
  void set_liveness(tcb& t, const liveness& l, instant now);
  void set_receive_buffer(tcb& t, std::uint32_t octets);
  void set_send_buffer(tcb& t, std::uint32_t octets);  ///< 0: as the congestion window asks

  /// Connections in any state but CLOSED, TIME-WAIT's records included.
  [[nodiscard]] std::size_t connections() const { return demux_.size(); }
  /// Those of them in TIME-WAIT.
  [[nodiscard]] std::size_t in_time_wait() const { return time_waits_; }
  /// Those whose user is gone, without TIME-WAIT's.
  [[nodiscard]] std::size_t released() const { return released_; }
  [[nodiscard]] const config& settings() const { return config_; }
  /// Forgets what was learned of servers by Fast Open: cookies, sizes, refusals. For who has moved to another network.
  void forget_fast_opens() { fast_open_cache_.clear(); }
  /// Other settings, for connections to come; those that are there go on with what they have been given.
  void configure(const config& c) { config_ = c; }

 private:
  // segment_arrives.cpp: RFC 9293 §3.10.7, one function a step.
  void arrives_closed(const segment& s, instant now);
  void arrives_syn_sent(tcb& t, const segment& s, instant now);
  void arrives_synchronised(tcb& t, segment& s, instant now);
  void arrives_at(tcb& t, segment& s, instant now);
  [[nodiscard]] bool lacks_timestamps(const tcb& t, const segment& s) const;
  static bool check_timestamps(const tcb& t, const segment& s, instant now);
  void note_timestamp(tcb& t, const segment& s);
  bool check_sequence(tcb& t, segment& s);
  bool check_rst(tcb& t, const segment& s, instant now);
  bool check_syn(tcb& t, const segment& s, instant now);
  bool check_ack(tcb& t, const segment& s, instant now);
  void take_text(tcb& t, const segment& s, instant now);
  void check_fin(tcb& t, const segment& s, instant now);
  void offer_options(tcb& t);
  void take_options(tcb& t, const segment& s);
  void become_established(tcb& t, const segment& s, instant now);
  void begin_text(tcb& t, instant now);
  [[nodiscard]] bool echoes_our_syn(const tcb& t, const segment& s, instant now) const;
  void challenge(tcb& t, instant now);
  void challenge(time_wait& w, instant now);
  void reset_peer(const segment& s);
  void arrives_time_wait(time_wait& w, const segment& s, instant now);

  // listener.cpp: RFC 9293 §3.10.7.2, LISTEN.
  void arrives_listen(listener& l, const segment& s, instant now);
  [[nodiscard]] std::optional<drop> refuses_syn(const listener& l) const;
  void take_first_syn(tcb& t, const listener& l, const segment& s);

  // syn_cookie.cpp: LISTEN without remembering.
  [[nodiscard]] bool keeps_no_syn(const listener& l) const;
  void answer_with_cookie(listener& l, const segment& s, instant now);
  bool completes_by_cookie(listener& l, const segment& s, instant now);

  // fast_open.cpp: RFC 7413.
  [[nodiscard]] fast_open_keys fast_open_keys_of(const listener& l, instant now) const;
  void consider_fast_open(listener& l, tcb& t, const segment& s, instant now);
  void open_early(listener& l, tcb& t, const segment& s, instant now);
  std::uint32_t add_fast_open(tcb& t, wire::tcp_header& h, instant now);
  void learn_fast_open(tcb& t, const segment& s, instant now);
  void miss_fast_open(fast_open_experience& e, instant now) const;
  void settle_syn_text(tcb& t, seq ack, instant now);
  void let_syn_go(tcb& t);
  void leave_fast_open(tcb& t, bool reset, instant now);

  // acknowledgement.cpp: what an ACK tells.
  void take_ack(tcb& t, const segment& s, instant now);
  void take_sack(tcb& t, const segment& s, ack_news& n, instant now);
  void take_dsack(tcb& t, const wire::sack_block& b, ack_news& n);
  void take_delivered(tcb& t, const scoreboard::run& r, std::optional<seq> above, const segment& s, ack_news& n,
                      instant now);
  static void note_reordering(tcb& t, seq late, seq above, bool again);
  void take_cumulative(tcb& t, const segment& s, ack_news& n, instant now);
  void sample_rtt(tcb& t, const segment& s, const ack_news& n, instant now);
  static void tell_congestion_control(tcb& t, const ack_news& n, instant now);
  void update_window(tcb& t, const segment& s);

  // recovery.cpp: what it tells of loss.
  void judge(tcb& t, ack_news& n, instant now);
  bool judge_episode(tcb& t, ack_news& n, instant now);
  void judge_timeout(tcb& t, const ack_news& n, instant now);
  static void presume_segment(tcb& t, ack_news& n, instant now);
  bool find_losses(tcb& t, ack_news& n, instant now);
  bool rack_detect(tcb& t, std::uint32_t& newly_lost, instant now);
  void enter_recovery(tcb& t, std::uint32_t in_flight, instant now);
  void enter_cwr(tcb& t, std::uint32_t in_flight, instant now);
  void take_marks(tcb& t, const segment& s, ack_news& n, instant now);
  void enter_loss(tcb& t, bool again, instant now);
  static void reduce(tcb& t, congestion_cause why, std::uint32_t in_flight, instant now);
  static void answer_late(tcb& t, std::uint32_t in_flight, instant now);
  static void begin_undo(tcb& t);
  void finish_episode(tcb& t, instant now);
  static void hold_reno(tcb& t);
  static void try_open(tcb& t);
  static bool was_spurious(const tcb& t, const ack_news& n);
  void undo(tcb& t, instant now);
  bool undo_by_dsack(tcb& t, instant now);
  bool undo_partial(tcb& t, const ack_news& n, instant now);
  void take_probe_ack(tcb& t, seq ack, const ack_news& n, instant now);

  // sender.cpp: which segment goes next.
  bool send_next(tcb& t, frame& out, instant now);
  bool send_syn(tcb& t, frame& out, instant now);
  [[nodiscard]] wire::tcp_header syn_header(tcb& t, bool answer, instant now) const;
  bool send_head(tcb& t, frame& out, std::uint32_t mss, instant now);
  bool send_loss_probe(tcb& t, frame& out, std::uint32_t mss, instant now);
  bool send_again(tcb& t, frame& out, std::uint32_t mss, instant now);
  void send_again(tcb& t, frame& out, seq from, seq to, std::uint32_t mss, instant now);
  bool send_new(tcb& t, frame& out, std::uint32_t mss, instant now);
  void transmit_new(tcb& t, frame& out, seq to, std::uint32_t mss, instant now);
  bool send_empty(tcb& t, frame& out, seq at, instant now);
  seq send_text(tcb& t, frame& out, seq from, seq to, std::uint32_t mss, instant now);
  static bool pushes(const tcb& t, seq from, seq to);
  static seq within_record(const tcb& t, seq from, seq to);
  void check_idle(tcb& t, instant now);
  static void note_window_use(tcb& t, bool limited);
  static bool held_by_pace(tcb& t, instant now);
  void pace(tcb& t, std::uint32_t octets, instant now);
  [[nodiscard]] std::uint32_t most_text(const tcb& t, std::uint32_t mss) const;

  // emit.cpp: a segment becomes a frame.
  [[nodiscard]] wire::tcp_options options_of(const tcb& t, instant now) const;
  void emit(tcb& t, frame& out, wire::tcp_header& h, std::uint32_t mss, instant now);
  void emit_orphan(const orphan& o, frame& out, instant now);
  void seal(frame& out, const four_tuple& ends, const wire::tcp_header& h, std::uint8_t tos, std::uint8_t hop_limit);

  // windows.cpp: the receive window, the sizes of both buffers, and the memory of all.
  static wire::wire_window scale_down(std::uint32_t octets, wire::window_shift shift);
  [[nodiscard]] wire::wire_window offer_window(tcb& t);
  [[nodiscard]] seq wanted_edge(const tcb& t) const;
  [[nodiscard]] std::uint32_t worthwhile_gain(const tcb& t) const;
  void after_receive(tcb& t);
  static void take_buffers(tcb& t, std::uint32_t receive, std::uint32_t send);
  [[nodiscard]] std::uint64_t send_limit(const tcb& t) const;
  void grow_receive_buffer(tcb& t, const segment& s, instant now);
  [[nodiscard]] bool may_hold(const tcb& t, const segment& s) const;
  void expect_slow_start(tcb& t) const;
  void settle(tcb& t);
  [[nodiscard]] bool under_pressure() const { return memory_used_ > config_.memory / 2; }

  // mtu.cpp: how large a segment may be.
  [[nodiscard]] std::uint16_t mss_for(const tcb& t) const;
  [[nodiscard]] std::uint16_t mss_with(const tcb& t, std::uint16_t peer_mss) const;
  [[nodiscard]] std::uint16_t own_mss(const tcb& t) const;
  void take_mss(tcb& t);
  void on_packet_too_big(tcb& t, const ip::icmp_error& e, instant now);
  void resend_outstanding(tcb& t);
  [[nodiscard]] std::uint32_t base_text(const tcb& t) const;
  [[nodiscard]] bool is_large(const tcb& t, const scoreboard::run& r) const;
  [[nodiscard]] std::uint32_t probe_deficit(const tcb& t) const;
  bool suspect_black_hole(tcb& t, instant now);
  bool size_is_to_blame(tcb& t, instant now);
  [[nodiscard]] std::uint32_t mtu_probe(const tcb& t, std::uint64_t unsent, std::uint32_t usable, std::uint32_t room,
                                        instant now) const;
  static void on_mtu_probe_sent(tcb& t, seq from, seq to);
  static bool only_probe_lost(const tcb& t);
  void judge_mtu_probe(tcb& t, instant now);

  // status.cpp: what a connection has been doing.
  void note_limit(tcb& t, instant now) const;
  static std::uint64_t unsent_octets(const tcb& t);

  // timeouts.cpp: RFC 9293 §3.10.8.
  void on_timeout(tcb& t, instant now);
  void on_retransmit_deadline(tcb& t, instant now);
  void on_retransmit_timeout(tcb& t, instant now);
  void on_reordering_timeout(tcb& t, instant now);
  void rearm(tcb& t);
  [[nodiscard]] duration rto(const tcb& t) const;  // before any backoff
  void arm_retransmit(tcb& t, instant now);
  void arm_loss_timer(tcb& t, instant now, bool advancing);
  static bool may_probe(const tcb& t);
  [[nodiscard]] duration backed_off(const tcb& t) const;
  void arm_persist(tcb& t, instant now);

  // liveness.cpp: whether the peer is still there.
  void arm_keep_alive(tcb& t, instant now);
  void on_keep_alive_timeout(tcb& t, instant now);
  static bool waits_for_peer(const tcb& t);
  static void begin_waiting(tcb& t, instant now);
  void on_user_timeout(tcb& t, instant now);
  void on_released_timeout(tcb& t, instant now);
  bool out_of_patience(tcb& t, unsigned most, instant now);

  // layer.cpp
  struct sender_mind {
    recovery_phase phase;
    std::uint64_t lost;
    std::uint32_t cwnd;
  };
  static sender_mind mind_of(const tcb& t) { return {t.recovery.phase, t.rate.lost(), t.cc ? t.cc->cwnd() : 0}; }
  void observe(tcb& t, const sender_mind& before, instant now);
  tcb& make(const four_tuple& ends, instant now);
  void begin(tcb& t, instant now);
  static void number_from(tcb& t, seq iss);
  void enter(tcb& t, state next, instant now);
  void enter_time_wait(tcb& t, instant now);
  tcb* leave_time_wait(time_wait& w, instant now);  // the tcb, where its user still holds it
  [[nodiscard]] time_wait& record_of(const tcb& t) const;
  void acknowledge(const time_wait& w, instant now);
  [[nodiscard]] bool may_reopen(const time_wait& w, instant now) const;
  static void follow(tcb& t, seq used);
  listener* find_listener(const endpoint& local) const;
  void push_orphan(const orphan& o);
  void close_with(tcb& t, std::errc why, instant now);
  void abort_with(tcb& t, std::errc why, instant now);
  void abort_at(tcb& t, seq at, std::errc why, instant now);
  void notify(tcb& t);
  void make_ready(tcb& t);
  void uncork_once(tcb& t);
  static void take_ending(tcb& t, ending e);
  void unready(tcb& t);
  void leave_listener(tcb& t);
  void bury(tcb& t);
  void discard(tcb& t);
  void take_flight(tcb& t);
  void end_flight(tcb& t);
  void give_back_flight(tcb& t);
  void reap();
  [[nodiscard]] std::uint32_t timestamp(const tcb& t, instant now) const;
  bool may_challenge(instant now);
  bool may_answer_invalid(tcb& t, instant now);
  void report(bool sent, const four_tuple& ends, const wire::tcp_header& h, std::uint32_t text, instant now);

  config config_;
  ip::layer& ip_;
  device_capabilities device_;
  pool& pool_;
  counters& counters_;
  observer* observer_;
  secret secret_;
  isn_generator isn_;
  syn_cookies cookies_;
  ephemeral_ports ports_;
  demux demux_;
  stock<flight> flights_;
  receive_queue::rooms rooms_;  // of text that waits for its user
  flight nothing_;              // of whoever has nothing of the kind; it stays empty
  std::size_t time_waits_ = 0;
  std::size_t released_ = 0;
  std::uint64_t memory_used_ = 0;  // octets that the queues of all connections keep
  timer_wheel wheel_;
  std::vector<std::unique_ptr<listener>> listeners_;
  orphans orphans_;
  tcb* ready_head_ = nullptr;
  tcb* ready_tail_ = nullptr;
  unsigned ready_burst_ = 0;  // frames that the connection at the head has sent in a row
  tcb* dead_ = nullptr;
  challenge_limit challenges_;
  fast_open_cache fast_open_cache_;
};

}  // namespace tunic::tcp
