#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace tunic {

/// The owner of octets, counted by the slices that view them. The count is not atomic: a block belongs to one stack,
/// and a stack to one strand.
class block {
 public:
  block(const block&) = delete;
  block& operator=(const block&) = delete;

  /// Room that this block itself holds: what memory accounting charges. 0 for octets that the caller shared with us.
  [[nodiscard]] std::uint32_t capacity() const { return capacity_; }
  [[nodiscard]] std::uint32_t references() const { return references_; }

  void acquire() { ++references_; }
  void release() {
    assert(references_ > 0);
    if (--references_ == 0) dispose_(this);
  }

 protected:
  using disposer = void (*)(block*) noexcept;
  block(std::uint32_t capacity, disposer dispose) : capacity_(capacity), dispose_(dispose) {}
  ~block() = default;

 private:
  std::uint32_t references_ = 0;
  std::uint32_t capacity_;
  disposer dispose_;
};

/// Counts itself among a block's references.
template <class Block>
class block_ref {
 public:
  block_ref() = default;
  explicit block_ref(Block* b) : block_(b) {
    if (block_) block_->acquire();
  }
  block_ref(const block_ref& other) : block_ref(other.block_) {}
  block_ref(block_ref&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  block_ref& operator=(block_ref other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~block_ref() {
    if (block_) block_->release();
  }

  [[nodiscard]] Block* get() const { return block_; }
  Block* operator->() const { return block_; }
  explicit operator bool() const { return block_ != nullptr; }

 private:
  Block* block_ = nullptr;
};

}  // namespace tunic
