#pragma once

#include <cstdint>

#include "stack/base/address.hpp"

namespace tunic::tcp {

/// What has become true of a connection. More than one may at once.
struct events {
  bool established : 1 = false;  ///< the handshake is complete
  bool readable : 1 = false;     ///< text, or the end of the stream, is there for receive()
  bool writable : 1 = false;     ///< send() takes octets again after it had taken less than asked
  bool closed : 1 = false;       ///< CLOSED: error() says why; nothing more will happen

  [[nodiscard]] bool any() const { return established || readable || writable || closed; }
};

/// Whoever holds a connection. It is told once a segment or a timeout has been dealt with whole, so it may call any
/// user call on the connection, release included.
class user {
 public:
  virtual void on_events(events e) = 0;

 protected:
  ~user() = default;
};

/// What a listener's owner says to a SYN.
enum class verdict : std::uint8_t { accept, refuse, drop };

/// Whoever holds a listener.
class listener_user {
 public:
  /// A connection is established and waits in the accept queue.
  virtual void on_acceptable() = 0;
  /// Asked before a SYN is answered; on a host that takes any address, `ends.local` is what the peer dialled.
  virtual verdict on_syn(const four_tuple&) { return verdict::accept; }

 protected:
  ~listener_user() = default;
};

}  // namespace tunic::tcp
