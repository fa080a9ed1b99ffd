#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

namespace tunic::http::test {

// Octets that end where a page begins that may not be touched: reading one too many ends the test.
class guarded {
 public:
  explicit guarded(std::string_view text) : size_(text.size()) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    body_ = (text.size() / page + 1) * page;
    at_ = static_cast<std::byte*>(
        ::mmap(nullptr, body_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (at_ == MAP_FAILED || ::mprotect(at_ + body_, page, PROT_NONE) != 0) throw std::runtime_error("mmap");
    whole_ = body_ + page;
    std::memcpy(at_ + body_ - size_, text.data(), size_);
  }
  ~guarded() { ::munmap(at_, whole_); }
  guarded(const guarded&) = delete;
  guarded& operator=(const guarded&) = delete;

  std::span<const std::byte> octets() const { return {at_ + body_ - size_, size_}; }

 private:
  std::byte* at_;
  std::size_t size_, body_ = 0, whole_ = 0;
};

}  // namespace tunic::http::test
