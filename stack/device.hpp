#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

#include "stack/base/time.hpp"
#include "stack/buffer/frame.hpp"
#include "stack/buffer/packet.hpp"
#include "stack/buffer/pool.hpp"

namespace tunic {

/// What a device takes off the stack's hands.
struct device_capabilities {
  bool checksum = false;         ///< finishes TCP and UDP checksums (frame::partial_checksum)
  bool segmentation_v4 = false;  ///< cuts TCP super-segments over IPv4 (frame::segment_size)
  bool segmentation_v6 = false;  ///< the same over IPv6
};

/// Told by a device without a descriptor that receive() has something again.
class device_waker {
 public:
  virtual void wake() = 0;

 protected:
  ~device_waker() = default;
};

/// THE port: what a driver offers the stack. The port belongs to the stack; drivers implement it, and wrappers (pcap,
/// impairment) implement it around another device. All calls come from the stack's own strand.
class device {
 public:
  virtual ~device() = default;

  [[nodiscard]] virtual device_capabilities capabilities() const = 0;
  /// The largest IP datagram a frame may carry once it has been cut, in octets; 68 or more (1,280 for IPv6).
  [[nodiscard]] virtual std::size_t mtu() const = 0;

  /// The next datagram, in a buffer of `from`; an empty packet where there is none now. `error` is set where the device
  /// itself failed: it may recover, so the caller tries again at next_deadline() and, until a receive() ends without an
  /// error, does not watch descriptor(), which may poll ready for ever.
  virtual packet receive(pool& from, instant now, std::error_code& error) = 0;

  /// Takes the whole frame or refuses it with an error (would_block where it may succeed once descriptor() is
  /// writable). Octets are gathered during the call; a device that keeps them copies the frame, which shares its
  /// slices.
  virtual std::error_code transmit(const frame& f, instant now) = 0;

  /// When receive() wants to be called although the descriptor shows nothing: a wrapper that delays, a device that has
  /// more at hand (then not after the present) or that has failed. `never` by default.
  [[nodiscard]] virtual instant next_deadline() const { return never; }

  /// A descriptor that polls readable when receive() has something; -1 where the device calls the waker instead.
  [[nodiscard]] virtual int descriptor() const { return -1; }
  virtual void set_waker(device_waker*) {}
};

}  // namespace tunic
