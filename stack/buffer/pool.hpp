#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "stack/buffer/block.hpp"
#include "stack/buffer/slice.hpp"

namespace tunic {

class pool;

/// A writable block from a pool. Whoever got it from the pool fills it, then hands out slices of it.
class buffer : public block {
 public:
  [[nodiscard]] std::span<std::byte> room() {
    return {reinterpret_cast<std::byte*>(this + 1), capacity()};  // NOLINT: the octets follow the header
  }

 private:
  friend class pool;
  struct shelf;
  buffer(std::uint32_t capacity, shelf* home) : block(capacity, &put_back), home_(home) {}
  static void put_back(block* b) noexcept;

  shelf* home_;
  buffer* next_free_ = nullptr;
};

using buffer_ref = block_ref<buffer>;

/// Buffers of two sizes, kept for reuse last in, first out, so that the warmest octets are used again first. Buffers
/// may outlive their pool.
class pool {
 public:
  static constexpr std::uint32_t small_size = 2048 - 64;    ///< a datagram of the usual 1,500 octets, headers and all
  static constexpr std::uint32_t large_size = 65536 + 512;  ///< a super-segment of 64 KiB with its headers
  static constexpr std::size_t keep_octets = 8u << 20;      ///< free octets kept for reuse, a size

  pool();
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;
  ~pool();

  buffer_ref small();
  buffer_ref large();
  /// A small buffer where `octets` fit into one, else a large one; `octets` must not exceed large_size.
  buffer_ref fitting(std::size_t octets);

  /// The first `n` octets of `b`, sharing its ownership.
  static slice view(const buffer_ref& b, std::size_t n) {
    return slice{block_ref<block>{b.get()}, std::span{b->room()}.first(n)};
  }

  /// Buffers now in use, of both sizes.
  [[nodiscard]] std::size_t in_use() const;

 private:
  buffer::shelf* small_;
  buffer::shelf* large_;
};

}  // namespace tunic
