#include "drivers/cutter.hpp"

#include <algorithm>
#include <utility>

namespace tunic::drivers {

void cutter::begin(wire::octets datagram, std::uint16_t segment_size, bool partial_checksum) {
  datagram_ = datagram;
  segment_size_ = segment_size > 0 ? segment_size : UINT16_MAX;
  layout_ = segment_size > 0 || partial_checksum ? layout_of(datagram) : std::nullopt;
  at_ = layout_ ? layout_->text : 0;
  index_ = 0;
}

wire::octets cutter::next() {
  if (!layout_ || datagram_.empty()) return std::exchange(datagram_, {});
  const std::uint32_t size = std::min<std::uint32_t>(segment_size_, layout_->end - at_);
  const bool last = at_ + size == layout_->end;
  const auto text = datagram_.subspan(at_, size);
  piece_.assign(datagram_.begin(), datagram_.begin() + layout_->text);
  cut_header(piece_, *layout_, index_, segment_size_, size, last);
  finish_checksum(piece_, *layout_, text);
  piece_.insert(piece_.end(), text.begin(), text.end());
  at_ += size;
  ++index_;
  if (last) datagram_ = {};
  return piece_;
}

}  // namespace tunic::drivers
