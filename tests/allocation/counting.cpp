#include "tests/allocation/counting.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>

// The C library's own, under the names that it keeps for who replaces them.
extern "C" {
void* __libc_malloc(std::size_t);                 // NOLINT: its name
void* __libc_calloc(std::size_t, std::size_t);    // NOLINT
void* __libc_realloc(void*, std::size_t);         // NOLINT
void* __libc_memalign(std::size_t, std::size_t);  // NOLINT
}

namespace {

std::atomic<std::uint64_t> blocks{0};

void* count(void* p) {
  blocks.fetch_add(1, std::memory_order_relaxed);
  return p;
}

}  // namespace

extern "C" {

void* malloc(std::size_t n) noexcept {
  return count(__libc_malloc(n));
}
void* calloc(std::size_t n, std::size_t size) noexcept {
  return count(__libc_calloc(n, size));
}
void* realloc(void* p, std::size_t n) noexcept {
  return count(__libc_realloc(p, n));
}
void* memalign(std::size_t alignment, std::size_t n) noexcept {
  return count(__libc_memalign(alignment, n));
}
void* aligned_alloc(std::size_t alignment, std::size_t n) noexcept {
  return count(__libc_memalign(alignment, n));
}
int posix_memalign(void** to, std::size_t alignment, std::size_t n) noexcept {
  *to = count(__libc_memalign(alignment, n));
  return *to == nullptr ? ENOMEM : 0;
}
}

namespace tunic::test {

std::uint64_t blocks_by_now() {
  return blocks.load();
}

}  // namespace tunic::test
