#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/counters.hpp"
#include "stack/base/time.hpp"
#include "stack/buffer/packet.hpp"
#include "stack/buffer/pool.hpp"
#include "stack/ip/config.hpp"

namespace tunic::ip {

/// One fragment of a datagram of either version. Its end is at most at 65,535 octets, and at a multiple of eight where
/// more follow.
struct fragment {
  address source;
  address destination;
  std::uint32_t id = 0;
  std::uint8_t protocol = 0;  ///< of the text; in version 6 what follows the fragment header
  std::uint8_t tos = 0;
  std::uint8_t hop_limit = 0;
  std::uint32_t offset = 0;  ///< octets
  bool more = false;
  slice text;
  slice whole;  ///< the fragment with its IP header

  [[nodiscard]] std::uint32_t end() const { return offset + text.size(); }
};

/// Puts datagrams together again (RFC 791 §3.2, RFC 8200 §4.5, RFC 5722), within the limits of the configuration: what
/// is held is charged by the size of its buffers, and the oldest unfinished datagram makes room.
class reassembly {
 public:
  /// Keeps references to all three.
  reassembly(const config& c, pool& buffers, counters& count) : config_(c), pool_(buffers), count_(count) {}

  /// The whole datagram under a header without options, where `f` was the last fragment missing; else an empty packet.
  packet add(fragment f, instant now);

  /// Gives up a datagram for its age: the first fragment of the next one that had got it; nothing where no more are
  /// due.
  std::optional<fragment> expire(instant now);
  [[nodiscard]] instant next_deadline() const { return unfinished_.empty() ? never : unfinished_.front().deadline; }
  /// Octets of memory that unfinished datagrams hold.
  [[nodiscard]] std::size_t charge() const { return charge_; }

 private:
  struct key {
    address source;
    address destination;
    std::uint32_t id = 0;
    std::uint8_t protocol = 0;  // of version 4 (RFC 791 §3.2); 0 in version 6 (RFC 8200 §4.5)
    friend bool operator==(const key&, const key&) = default;
  };
  struct piece {
    std::uint32_t begin = 0;
    slice text;
    [[nodiscard]] std::uint32_t end() const { return begin + text.size(); }
  };
  struct unfinished {
    ip::reassembly::key key;
    instant deadline;
    std::vector<piece> pieces;  // in order, without overlap
    std::size_t octets = 0;     // in the pieces
    std::size_t charge = 0;
    std::optional<std::uint32_t> length;  // known once the last fragment has come
    std::optional<fragment> first;
    bool congestion_experienced = false;  // by any fragment
    bool refused = false;                 // fragments overlapped: what still comes is dropped (RFC 5722 §4)
  };

  unfinished& find_or_begin(const key& k, instant now);
  void take(unfinished& u, std::vector<piece>::iterator at, fragment f);
  packet join(const unfinished& u);
  void release(unfinished& u);
  void give_up_oldest();

  const config& config_;
  pool& pool_;
  counters& count_;
  std::vector<unfinished> unfinished_;  // the oldest first, which is the first to expire
  std::size_t charge_ = 0;
};

}  // namespace tunic::ip
