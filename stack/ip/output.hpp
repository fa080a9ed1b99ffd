#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "stack/base/siphash.hpp"
#include "stack/buffer/frame.hpp"
#include "stack/buffer/pool.hpp"
#include "stack/ip/config.hpp"
#include "stack/ip/datagram.hpp"

namespace tunic::ip {

/// The identifications of fragmented datagrams: a counter for each hash of source, destination and protocol, which
/// starts where the secret says (RFC 7739 §5.3), so that they neither repeat soon nor tell others what we send
/// elsewhere.
class identifications {
 public:
  explicit identifications(const secret& key) : key_(key) {}
  std::uint32_t next(const address& source, const address& destination, std::uint8_t protocol);

 private:
  secret key_;
  std::array<std::uint32_t, 256> counters_{};
};

/// A bounded queue of datagrams, cut into fragments only as the device takes them.
class output {
 public:
  /// Keeps references to `c` and `buffers`.
  output(const config& c, const secret& key, pool& buffers);

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] bool full() const { return count_ == queue_.size(); }
  /// Queues a datagram that IP's length fields can state; the queue must not be full.
  void push(outgoing d);

  /// Where the next frame goes; the queue must not be empty.
  [[nodiscard]] const address& destination() const { return queue_[head_].destination; }
  /// The next datagram, or its next fragment of `mtu` octets at most. A datagram is cut for the MTU of its first
  /// fragment.
  void poll(frame& out, std::size_t mtu);

 private:
  void emit_v4(frame& out, const outgoing& d, std::size_t n) const;
  void emit_v6(frame& out, const outgoing& d, std::size_t n) const;
  void gather(frame& out, const outgoing& d, std::size_t n);

  const config& config_;
  pool& pool_;
  identifications ids_;
  std::vector<outgoing> queue_;  // a ring
  std::size_t head_ = 0;
  std::size_t count_ = 0;

  // The datagram at the head: the first four are set with its first frame.
  std::size_t length_ = 0;  // transport octets
  std::size_t mtu_ = 0;
  bool cut_ = false;
  std::uint32_t id_ = 0;
  std::size_t sent_ = 0;          // transport octets
  std::size_t piece_ = 0;         // of the text, that comes next
  std::uint32_t piece_sent_ = 0;  // octets of it
};

}  // namespace tunic::ip
