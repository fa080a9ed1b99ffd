#pragma once

#include <cstdint>
#include <vector>

#include "drivers/cutter.hpp"
#include "drivers/guarded_copy.hpp"
#include "drivers/path.hpp"
#include "stack/device.hpp"

namespace tunic::drivers {

struct impairment_options {
  path_options out = {};  ///< for what is transmitted
  path_options in = {};   ///< for what is received
  std::uint64_t seed = 1;
};

/// A device around another with a bad path in between. Super-segments of both directions are cut into wire segments
/// first, so that the path acts on those. Like a wire it never pushes back: what the other device does not take is
/// lost. Whoever uses it calls receive() at next_deadline() even where nothing is expected: what is transmitted leaves
/// then, too.
class impairment final : public device {
 public:
  static constexpr unsigned batch = 64;  ///< datagrams that one receive() takes from the other device at most

  /// `inner` must outlive this.
  impairment(device& inner, const impairment_options& options);
  impairment(const impairment&) = delete;
  impairment& operator=(const impairment&) = delete;

  [[nodiscard]] const path_counters& out() const { return out_.counters(); }
  [[nodiscard]] const path_counters& in() const { return in_.counters(); }

  /// All: super-segments are cut here, and checksums finished.
  [[nodiscard]] device_capabilities capabilities() const override { return {true, true, true}; }
  [[nodiscard]] std::size_t mtu() const override { return inner_.mtu(); }
  packet receive(pool& from, instant now, std::error_code& error) override;
  /// message_size for a frame beyond the MTU, bad_address where text lay in a mapping that has shrunk.
  std::error_code transmit(const frame& f, instant now) override;
  [[nodiscard]] instant next_deadline() const override;
  [[nodiscard]] int descriptor() const override { return inner_.descriptor(); }
  void set_waker(device_waker* waker) override { inner_.set_waker(waker); }

 private:
  void push(path& p, wire::octets datagram, std::uint16_t segment_size, bool partial_checksum, instant now);
  void hand_on(instant now);

  device& inner_;
  path out_;
  path in_;
  cutter cutter_;
  guarded_copy copy_;
  std::vector<std::byte> scratch_;
  frame frame_;
  instant taken_ = never;  // when the other device was last asked
  bool more_ = false;      // it had more than a batch then
};

}  // namespace tunic::drivers
