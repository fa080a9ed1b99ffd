#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "drivers/guarded_copy.hpp"
#include "stack/device.hpp"

namespace tunic::drivers {

struct loopback_options {
  std::size_t mtu = 1500;   ///< octets
  bool offload = true;      ///< super-segments and partial checksums pass as they are
  std::size_t queue = 256;  ///< frames that wait at an end; one more is lost and counted
};

/// Two devices back to back: what one transmits, the other receives. For two stacks of one thread.
class loopback_pair {
 public:
  /// One of the two devices.
  class end final : public device {
   public:
    end(const end&) = delete;
    end& operator=(const end&) = delete;

    /// Frames for this end that were lost because its queue was full: like a wire, a loopback never pushes back.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

    [[nodiscard]] device_capabilities capabilities() const override;
    [[nodiscard]] std::size_t mtu() const override { return options_.mtu; }
    packet receive(pool& from, instant now, std::error_code& error) override;
    /// message_size for a frame beyond the MTU, not_supported for one that needs an offload which is off, bad_address
    /// where text lay in a mapping that has shrunk.
    std::error_code transmit(const frame& f, instant now) override;
    void set_waker(device_waker* waker) override;

   private:
    friend class loopback_pair;
    end(const loopback_options& options, end& peer) : options_(options), peer_(peer), queue_(options.queue) {}
    void arrive(packet p);

    loopback_options options_;
    end& peer_;
    pool pool_;  // of what this end sends
    guarded_copy copy_;
    std::vector<packet> queue_;  // a ring
    std::size_t head_ = 0;
    std::size_t count_ = 0;
    std::uint64_t dropped_ = 0;
    device_waker* waker_ = nullptr;
    bool told_empty_ = true;  // the next arrival wakes
  };

  explicit loopback_pair(loopback_options options = {}) : first_(options, second_), second_(options, first_) {}

  [[nodiscard]] end& first() { return first_; }
  [[nodiscard]] end& second() { return second_; }

 private:
  end first_;
  end second_;
};

}  // namespace tunic::drivers
