#include "stack/buffer/pool.hpp"

#include <new>

namespace tunic {

// The free buffers of one size. It lives until its pool and all its buffers are gone.
struct buffer::shelf {
  explicit shelf(std::uint32_t s) : size(s) {}

  std::uint32_t size;
  bool orphaned = false;
  std::size_t in_use = 0;
  std::size_t free_count = 0;
  buffer* free = nullptr;

  buffer_ref take() {
    ++in_use;
    buffer* b = free;
    if (b) {
      free = b->next_free_;
      --free_count;
    } else {
      b = new (::operator new(sizeof(buffer) + size)) buffer{size, this};
    }
    return buffer_ref{b};
  }

  void put(buffer* b) {
    --in_use;
    if (orphaned || (free_count + 1) * size > pool::keep_octets) {
      discard(b);
      if (orphaned && in_use == 0) delete this;
      return;
    }
    b->next_free_ = free;
    free = b;
    ++free_count;
  }

  void orphan() {
    while (free) discard(std::exchange(free, free->next_free_));
    orphaned = true;
    if (in_use == 0) delete this;
  }

  static void discard(buffer* b) {
    b->~buffer();
    ::operator delete(b);
  }
};

void buffer::put_back(block* b) noexcept {
  auto* self = static_cast<buffer*>(b);
  self->home_->put(self);
}

pool::pool() : small_(new buffer::shelf{small_size}), large_(new buffer::shelf{large_size}) {}

pool::~pool() {
  small_->orphan();
  large_->orphan();
}

buffer_ref pool::small() {
  return small_->take();
}

buffer_ref pool::large() {
  return large_->take();
}

buffer_ref pool::fitting(std::size_t octets) {
  assert(octets <= large_size);
  return octets <= small_size ? small() : large();
}

std::size_t pool::in_use() const {
  return small_->in_use + large_->in_use;
}

}  // namespace tunic
