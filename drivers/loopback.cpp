#include "drivers/loopback.hpp"

#include <cstring>
#include <utility>

namespace tunic::drivers {

device_capabilities loopback_pair::end::capabilities() const {
  return {options_.offload, options_.offload, options_.offload};
}

packet loopback_pair::end::receive(pool&, instant, std::error_code& error) {
  error.clear();
  if (count_ == 0) {
    told_empty_ = true;
    return {};
  }
  packet p = std::exchange(queue_[head_], {});
  head_ = (head_ + 1) % queue_.size();
  --count_;
  return p;
}

std::error_code loopback_pair::end::transmit(const frame& f, instant) {
  if (!options_.offload && (f.partial_checksum || f.segment_size > 0))
    return std::make_error_code(std::errc::not_supported);
  const std::size_t size = f.size();
  const std::size_t on_wire = f.segment_size > 0 ? f.header_size + f.segment_size : size;
  if (on_wire > options_.mtu || size > pool::large_size) return std::make_error_code(std::errc::message_size);

  const buffer_ref b = pool_.fitting(size);
  std::byte* to = b->room().data();
  std::memcpy(to, f.header_room.data(), f.header_size);
  to += f.header_size;
  for (const slice& s : f.text) {
    if (copy_(s, to) < s.size()) return std::make_error_code(std::errc::bad_address);
    to += s.size();
  }
  peer_.arrive({.octets = pool::view(b, size),
                .segment_size = f.segment_size,
                .checksum = f.partial_checksum ? checksum_state::partial : checksum_state::unknown});
  return {};
}

void loopback_pair::end::set_waker(device_waker* waker) {
  waker_ = waker;
  told_empty_ = true;
  if (waker_ && count_ > 0) {
    told_empty_ = false;
    waker_->wake();
  }
}

void loopback_pair::end::arrive(packet p) {
  if (count_ == queue_.size()) {
    ++dropped_;
    return;
  }
  queue_[(head_ + count_) % queue_.size()] = std::move(p);
  ++count_;
  if (waker_ && told_empty_) {
    told_empty_ = false;
    waker_->wake();
  }
}

}  // namespace tunic::drivers
