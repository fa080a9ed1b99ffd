#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "stack/buffer/slice.hpp"

namespace tunic {

/// A datagram to be sent: header octets of its own, then slices of text that stay where they are. It may be a
/// super-segment, which the device cuts. Reused from call to call.
struct frame {
  static constexpr std::size_t max_header = 128;  ///< IPv6 (40) or IPv4 (60) with TCP and all its options (60)
  static constexpr std::size_t max_slices = 24;

  /// A list of slices with no allocation.
  class slice_list {
   public:
    void push_back(slice s) {
      assert(count_ < max_slices);
      slices_[count_++] = std::move(s);
    }
    void clear() {
      while (count_ > 0) slices_[--count_] = slice{};
    }
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] const slice* begin() const { return slices_.data(); }
    [[nodiscard]] const slice* end() const { return slices_.data() + count_; }

   private:
    std::array<slice, max_slices> slices_;
    std::size_t count_ = 0;
  };

  std::array<std::byte, max_header> header_room;
  std::size_t header_size = 0;
  slice_list text;

  std::uint16_t segment_size = 0;     ///< the device cuts the text into segments of this many octets; 0: it does not
  bool ipv6 = false;                  ///< of the super-segment, so that a device need not look
  bool partial_checksum = false;      ///< the device finishes the sum from checksum_start on (virtio's NEEDS_CSUM)
  std::uint16_t checksum_start = 0;   ///< offset of the transport header
  std::uint16_t checksum_offset = 0;  ///< of the checksum field behind checksum_start

  void clear() {
    header_size = 0;
    text.clear();
    segment_size = checksum_start = checksum_offset = 0;
    ipv6 = partial_checksum = false;
  }
  [[nodiscard]] std::span<std::byte> header() { return std::span{header_room}.first(header_size); }
  [[nodiscard]] std::span<const std::byte> header() const { return std::span{header_room}.first(header_size); }
  [[nodiscard]] std::size_t text_size() const {
    std::size_t n = 0;
    for (const slice& s : text) n += s.size();
    return n;
  }
  [[nodiscard]] std::size_t size() const { return header_size + text_size(); }
};

}  // namespace tunic
