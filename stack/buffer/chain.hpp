#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "stack/buffer/pool.hpp"
#include "stack/buffer/slice.hpp"

namespace tunic {

/// A queue of octets made of slices, addressed by their offset in the whole stream: begin() is the offset of the first
/// octet still held, end() that after the last. Looking an offset up costs O(log slices); nothing is copied but by
/// copy_in.
class chain {
 public:
  chain() = default;
  explicit chain(std::uint64_t begin) : begin_(begin), end_(begin) {}
  chain(chain&&) = delete;
  ~chain();

  [[nodiscard]] std::uint64_t begin() const { return begin_; }
  [[nodiscard]] std::uint64_t end() const { return end_; }
  [[nodiscard]] std::uint64_t size() const { return end_ - begin_; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  /// Slices that it can hold without more memory.
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  /// Memory that the held slices keep from other use: whole buffers, or the octets themselves where a caller shared
  /// them.
  [[nodiscard]] std::uint64_t charge() const { return charge_; }

  void push_back(slice s);
  /// Appends a copy of the octets: into the room left behind the last slice, then into new buffers.
  void copy_in(pool& from, std::span<const std::byte> octets);

  /// The octets at the front that lie in one piece; empty where the chain is.
  [[nodiscard]] std::span<const std::byte> front() const;
  void pop_front(std::uint64_t n);
  /// Copies from the front and removes what was copied; returns how many octets.
  std::size_t copy_out(std::span<std::byte> to);
  void clear();
  /// The next octet of one that is empty is at `offset`.
  void begin_at(std::uint64_t offset) {
    assert(empty());
    begin_ = end_ = offset;
  }

  /// Puts slices of [offset, offset + n) into `out`, at most `most` of them; returns how many octets they cover.
  /// offset must not lie before begin().
  template <class Out>
  std::uint32_t gather(std::uint64_t offset, std::uint32_t n, std::size_t most, Out& out) const {
    std::uint32_t got = 0;
    for (std::uint32_t i = find(offset); i != count_ && got < n && most > 0; ++i, --most) {
      const entry& e = at(i);
      const auto from = static_cast<std::uint32_t>(offset + got - e.begin);
      out.push_back(e.octets.sub(from, n - got));
      got += std::min(n - got, e.octets.size() - from);
    }
    return got;
  }

 private:
  struct entry {
    slice octets;
    std::uint64_t begin = 0;
  };
  static constexpr std::uint32_t inline_entries = 2;

  entry& at(std::uint32_t i) { return entries_[(head_ + i) & (capacity_ - 1)]; }
  [[nodiscard]] const entry& at(std::uint32_t i) const { return entries_[(head_ + i) & (capacity_ - 1)]; }
  [[nodiscard]] std::uint32_t find(std::uint64_t offset) const;
  [[nodiscard]] static std::uint64_t charge_of(const slice& s);
  void pop_entry();
  void grow();

  entry inline_[inline_entries];
  entry* entries_ = inline_;
  std::uint32_t capacity_ = inline_entries;  // a power of two
  std::uint32_t head_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t tail_room_ = 0;  // octets behind the last slice in a buffer that only this chain writes
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t charge_ = 0;
};

}  // namespace tunic
