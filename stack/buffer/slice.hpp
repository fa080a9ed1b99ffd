#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include "stack/buffer/block.hpp"

namespace tunic {

/// A view of octets together with a share in their owner. Copying a slice copies no octet.
class slice {
 public:
  slice() = default;
  slice(block_ref<block> owner, std::span<const std::byte> octets)
      : owner_(std::move(owner)), data_(octets.data()), size_(static_cast<std::uint32_t>(octets.size())) {
    assert(octets.size() <= UINT32_MAX);
  }

  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::span<const std::byte> octets() const { return {data_, size_}; }
  [[nodiscard]] const block* owner() const { return owner_.get(); }

  /// The octets [from, from + n), cut to what there is.
  [[nodiscard]] slice sub(std::uint32_t from, std::uint32_t n = UINT32_MAX) const {
    assert(from <= size_);
    return slice{owner_, octets().subspan(from, std::min(n, size_ - from))};
  }
  void remove_prefix(std::uint32_t n) {
    assert(n <= size_);
    data_ += n;
    size_ -= n;
  }
  void remove_suffix(std::uint32_t n) {
    assert(n <= size_);
    size_ -= n;
  }

 private:
  friend class chain;  // extends its last slice into the room behind it
  block_ref<block> owner_;
  const std::byte* data_ = nullptr;
  std::uint32_t size_ = 0;
};

}  // namespace tunic
