#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include "stack/base/address.hpp"
#include "stack/base/time.hpp"
#include "stack/buffer/slice.hpp"

namespace tunic::udp {

class layer;

/// Told what happens to a socket. Either call may close the socket.
class user {
 public:
  /// A datagram has been put into the receive queue.
  virtual void on_readable() = 0;
  /// The network reported an error about what a connected socket sent: connection_refused, or message_size where it
  /// exceeded a path MTU that was not known before.
  virtual void on_error(std::error_code e) = 0;

 protected:
  ~user() = default;
};

struct options {
  std::uint8_t hop_limit = 0;               ///< of what is sent; 0: the stack's
  std::uint8_t tos = 0;                     ///< DSCP and ECN of what is sent
  bool dont_fragment = false;               ///< what exceeds the path's MTU is refused instead of cut
  std::size_t receive_buffer = 256u << 10;  ///< octets of memory that queued datagrams may hold
};

struct received {
  slice text;
  endpoint source;
  endpoint destination;
  std::uint8_t hop_limit = 0;
  std::uint8_t tos = 0;
};

/// One end of UDP (RFC 768). Owned by its layer; every call returns at once.
class binding {
 public:
  /// Receives what is sent to `local`: one of our addresses, or the unspecified one for all of its version, and unless
  /// `v6_only` that of version 6 for both. Port 0 takes a free one. Errors: invalid_argument where bound already,
  /// address_not_available, address_in_use where another socket has the same address and port.
  std::error_code bind(const endpoint& local, bool v6_only = false);
  /// Receives only from `remote` from now on, and hears of errors; binds first where need be. It can be called again
  /// with another remote. Errors: invalid_argument, network_unreachable, address_family_not_supported, address_in_use.
  std::error_code connect(const endpoint& remote);

  /// Sends a copy of the text as one datagram; binds first where need be. Errors: invalid_argument (port 0),
  /// network_unreachable, address_family_not_supported, message_size (over 65,507 octets in version 4 and 65,527 in
  /// version 6, or over the path's MTU under dont_fragment), no_buffer_space while the device is behind.
  std::error_code send_to(std::span<const std::byte> text, const endpoint& to, instant now);
  /// The same without the copy.
  std::error_code send_to(std::vector<slice> text, const endpoint& to, instant now);

  /// The oldest datagram received; nothing where none waits.
  std::optional<received> receive();
  /// Octets of text in the oldest datagram received.
  [[nodiscard]] std::size_t available() const { return readable() ? queue_[head_].text.size() : 0; }
  [[nodiscard]] bool readable() const { return head_ < queue_.size(); }

  /// Port 0 where not bound.
  [[nodiscard]] const endpoint& local() const { return local_; }
  /// Port 0 where not connected.
  [[nodiscard]] const endpoint& remote() const { return remote_; }
  [[nodiscard]] bool is_bound() const { return local_.port != 0; }
  [[nodiscard]] bool is_connected() const { return remote_.port != 0; }
  [[nodiscard]] options& settings() { return options_; }

 private:
  friend class layer;
  binding(layer& home, user* u) : layer_(home), user_(u) {}

  /// Whether it takes from and sends to addresses of that version.
  [[nodiscard]] bool speaks(family f) const;
  /// The address to send from; `e` says why there is none.
  [[nodiscard]] address source_for(const address& destination, std::error_code& e) const;
  /// Queues a datagram; false where the receive buffer is full.
  bool push(received r);

  layer& layer_;
  user* user_;
  options options_;
  endpoint local_;
  endpoint remote_;
  bool v6_only_ = false;
  std::vector<received> queue_;  // from head_ on
  std::size_t head_ = 0;
  std::size_t charge_ = 0;
};

}  // namespace tunic::udp
