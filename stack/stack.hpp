#pragma once

#include "stack/base/counters.hpp"
#include "stack/base/siphash.hpp"
#include "stack/base/time.hpp"
#include "stack/buffer/frame.hpp"
#include "stack/buffer/packet.hpp"
#include "stack/buffer/pool.hpp"
#include "stack/device.hpp"
#include "stack/ip/layer.hpp"
#include "stack/tcp/layer.hpp"
#include "stack/tcp/observer.hpp"
#include "stack/udp/layer.hpp"

namespace tunic {

/// Everything a stack is told when it is made.
struct stack_config {
  ip::config ip;
  tcp::config tcp;
  device_capabilities device;  ///< what the device takes off our hands
};

/// Told of the answers to echoes that we sent.
class echo_user {
 public:
  virtual void on_echo_reply(const ip::echo_reply& r) = 0;
  virtual void on_echo_error(const ip::icmp_error& e) = 0;  ///< e.transport begins with the echo request's header

 protected:
  ~echo_user() = default;
};

/// One TCP/IP stack, sans I/O. Datagrams, the time and one secret are handed in; datagrams are pulled out. A stack
/// belongs to one strand: no call may run beside another.
///
///   stack.on_packet(packet, now);                       // facts, as they come; a batch at a time
///   while (stack.poll_transmit(frame, now)) send(frame);  // then everything it has to say
///   wait_until(stack.next_deadline());  stack.on_deadline(now);
class stack {
 public:
  /// `watcher` may be null; it must outlive the stack.
  stack(const stack_config& c, const secret& key, tcp::observer* watcher = nullptr);
  stack(const stack&) = delete;
  stack& operator=(const stack&) = delete;

  /// A datagram has arrived.
  void on_packet(packet p, instant now);
  /// The next frame to be sent; false where there is nothing to say. Build and hand to the device at once: the frame is
  /// made of the variables of this moment.
  bool poll_transmit(frame& out, instant now);
  /// The device could not read the text of a frame (bad_address): it lay in a mapping of the user's that has shrunk.
  /// The connection it belongs to is aborted, for the octets are gone.
  void on_unreadable(const frame& f, instant now);
  /// Whether poll_transmit may have something to say: a user call has made it so.
  [[nodiscard]] bool has_output() const;
  /// A moment no later than the next timeout; `never` where nothing is waited for.
  [[nodiscard]] instant next_deadline();
  void on_deadline(instant now);

  [[nodiscard]] ip::layer& ip() { return ip_; }
  [[nodiscard]] tcp::layer& tcp() { return tcp_; }
  [[nodiscard]] udp::layer& udp() { return udp_; }
  [[nodiscard]] tunic::pool& pool() { return pool_; }
  [[nodiscard]] const tunic::counters& counters() const { return counters_; }
  void set_echo_user(echo_user* u) { echo_user_ = u; }

 private:
  tunic::pool pool_;
  tunic::counters counters_;
  ip::layer ip_;
  tcp::layer tcp_;
  udp::layer udp_;
  echo_user* echo_user_ = nullptr;
};

}  // namespace tunic
