#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "stack/base/seq.hpp"
#include "stack/base/time.hpp"
#include "stack/buffer/chain.hpp"
#include "stack/tcp/fast_open.hpp"
#include "stack/tcp/rack.hpp"
#include "stack/tcp/rate.hpp"
#include "stack/tcp/scoreboard.hpp"
#include "stack/tcp/status.hpp"
#include "stack/tcp/text_marks.hpp"

namespace tunic::tcp {

/// The deadlines of a connection: one small table, one node in the timer wheel. The first ones run only while something
/// of ours is queued or outstanding.
enum class timer : std::uint8_t { retransmit, pacing, user, cork, delayed_ack, keep_alive, released };
inline constexpr std::size_t flight_timers = 4;
inline constexpr std::size_t other_timers = 3;

/// What a connection has of its own to send or to see acknowledged: its SYN, text, its FIN. Most connections have
/// nothing of the kind most of the time; so this exists only as long as there is something, and is used again by the
/// next one that has.
struct flight {
  chain send_queue;    ///< from the first octet of text that is not acknowledged
  text_marks pushes;   ///< the user's PUSH, in text not yet sent (RFC 9293 §3.9.1.2)
  text_marks records;  ///< their ends, in text not yet acknowledged
  scoreboard board;
  rate_samples samples;
  rack_latest latest;
  send_limit limit;
  std::uint32_t most_in_flight = 0;    ///< octets outstanding at most in this round (RFC 7661's pipeACK)
  seq round_end;                       ///< where this round ends
  seq short_end;                       ///< behind the latest new segment that was not full
  instant waiting_since{};             ///< something has been due from the peer, or it has moved on (the user timeout)
  std::unique_ptr<fast_opening> fast;  ///< of a Fast Open, during the handshake
  std::array<instant, flight_timers> deadlines{never, never, never, never};

  /// One that is empty begins, with the next octet at `nxt`, once `delivered` octets of the connection were.
  void begin(seq nxt, std::uint64_t delivered) {
    samples = {};
    samples.round_end = delivered;
    latest = {};
    limit = {};
    most_in_flight = 0;
    round_end = short_end = nxt;
    deadlines.fill(never);
  }
  [[nodiscard]] bool over() const { return board.empty() && send_queue.empty(); }
  /// Nothing was ever begun in it.
  [[nodiscard]] bool untouched() const {
    return over() && !fast && limit.kind == send_limit_kind::nothing_to_send &&
           std::all_of(deadlines.begin(), deadlines.end(), [](instant t) { return t == never; });
  }
  /// Nothing is left of it, whatever became of it.
  void clear() {
    send_queue.clear();
    pushes.clear();
    records.clear();
    board.clear();
    fast.reset();
  }
  /// Whether it is worth keeping for the next one: it has not grown beyond what most need.
  [[nodiscard]] bool is_modest() const {
    constexpr std::size_t most = 256;  // slices, runs, marks
    return std::max({send_queue.capacity(), board.capacity(), pushes.capacity(), records.capacity()}) <= most;
  }
};

}  // namespace tunic::tcp
