#pragma once

#include <cassert>
#include <cstring>
#include <utility>

#include "stack/buffer/frame.hpp"
#include "stack/buffer/packet.hpp"
#include "stack/buffer/pool.hpp"

namespace tunic {

/// The datagram of a frame in one buffer: what a stack receives when another one's frame is handed to it directly.
/// Super-segments and partial checksums pass as they are. The frame's octets are copied, so it must not lie in a
/// mapped file that may shrink; it must fit into pool::large_size.
inline packet flatten(const frame& f, pool& from) {
  const std::size_t size = f.size();
  assert(size <= pool::large_size);
  const buffer_ref b = from.fitting(size);
  std::byte* to = b->room().data();
  std::memcpy(to, f.header_room.data(), f.header_size);
  to += f.header_size;
  for (const slice& s : f.text) {
    std::memcpy(to, s.data(), s.size());
    to += s.size();
  }
  return {.octets = pool::view(b, size),
          .segment_size = f.segment_size,
          .checksum = f.partial_checksum ? checksum_state::partial : checksum_state::unknown};
}

/// The other way round: a frame of a whole datagram, which is in one buffer and needs nothing of the device.
inline void make_frame(frame& f, slice datagram) {
  assert(!datagram.empty());
  f.clear();
  f.ipv6 = static_cast<unsigned>(datagram.octets()[0]) >> 4 == 6;
  f.header_size = datagram.size() < frame::max_header ? datagram.size() : frame::max_header;
  std::memcpy(f.header_room.data(), datagram.data(), f.header_size);
  datagram.remove_prefix(static_cast<std::uint32_t>(f.header_size));
  if (!datagram.empty()) f.text.push_back(std::move(datagram));
}

}  // namespace tunic
