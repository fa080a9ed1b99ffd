#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include "drivers/file_descriptor.hpp"
#include "drivers/log.hpp"
#include "drivers/segmentation.hpp"
#include "stack/device.hpp"

namespace tunic::drivers {

/// What can befall a TUN device while it runs.
enum class tun_errc {
  device_gone = 1,  ///< it was deleted; receive() looks for a new one of the same name
  device_down,      ///< it is not up, and the kernel took nothing
};

const std::error_category& tun_category();
inline std::error_code make_error_code(tun_errc e) {
  return {static_cast<int>(e), tun_category()};
}

struct tun_options {
  std::string name = "tun0";  ///< 1 to 15 characters; made if there is no such device, which needs CAP_NET_ADMIN
  bool multi_queue = false;   ///< one queue of a device that several tun objects, each with its own stack, attach to
  bool offload = true;        ///< checksums, TCP and UDP segmentation, as far as the kernel grants them
  std::size_t mtu = 0;        ///< octets, 68 to 65,535, set on the device where we may; 0: the device's own
  log_callback log = {};
};

/// One queue of a TUN device of Linux, with the virtio-net header for offload. The device may be there already (then an
/// owner needs no privilege) or is created, and goes again with this object.
///
/// When the device is deleted, receive() reports tun_errc::device_gone. descriptor() keeps its number but polls ready
/// for ever: it must not be watched again before a receive() without error. next_deadline() says when to ask next;
/// receive() then attaches to a device of the same name as soon as somebody has made one. It never makes one itself,
/// since that would have no address and would be in the way of the one who does.
///
/// On cache lines of its own, since its neighbour in memory may be another thread's queue.
class alignas(64) tun final : public device {
 public:
  /// Throws std::system_error, whose what() says what to do: there is no /dev/net/tun, no permission, the name is
  /// taken, is of another kind of device, or is no name.
  explicit tun(tun_options options);
  tun(const tun&) = delete;
  tun& operator=(const tun&) = delete;

  [[nodiscard]] const std::string& name() const { return options_.name; }
  /// Whether other tun objects may attach to the same device.
  [[nodiscard]] bool multi_queue() const { return multi_queue_; }

  [[nodiscard]] device_capabilities capabilities() const override { return capabilities_; }
  [[nodiscard]] std::size_t mtu() const override { return mtu_; }
  packet receive(pool& from, instant now, std::error_code& error) override;
  /// device_down, device_gone, or what writev says: bad_address where text lay in a mapping that has shrunk.
  std::error_code transmit(const frame& f, instant now) override;
  [[nodiscard]] instant next_deadline() const override;
  [[nodiscard]] int descriptor() const override { return fd_.get(); }

 private:
  // A datagram that stands for several (UDP segmentation offload), handed out one by one.
  struct super_datagram {
    slice octets;
    transport_layout layout;
    std::uint16_t segment_size;
    std::uint32_t index;
    instant received;
  };

  void attach();
  bool attach_again(instant now);
  std::error_code trouble(int number, instant now);
  void say(const std::string& sentence);
  slice take(std::size_t size);
  packet next_of_super(pool& from);

  tun_options options_;
  file_descriptor fd_;
  device_capabilities capabilities_;
  std::size_t mtu_ = 0;
  bool multi_queue_ = false;
  bool gone_ = false;
  bool down_ = false;
  instant retry_at_ = never;
  std::string said_;  // the last trouble, so that it is said once

  buffer_ref small_;  // of the next datagram; the large one takes what the small one cannot
  buffer_ref large_;
  std::optional<super_datagram> super_;
};

}  // namespace tunic::drivers

template <>
struct std::is_error_code_enum<tunic::drivers::tun_errc> : std::true_type {};
