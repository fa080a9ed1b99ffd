#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <ostream>
#include <stdexcept>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "stack/base/address.hpp"
#include "stack/base/counters.hpp"
#include "stack/wire/bytes.hpp"
#include "stack/wire/checksum.hpp"

namespace tunic {
inline void PrintTo(drop d, std::ostream* out) {
  *out << name(d);
}  // NOLINT: GoogleTest's name for it
}  // namespace tunic

namespace tunic::wire {

inline constexpr address kernel_v4 = address::v4(198, 51, 100, 1);
inline constexpr address peer_v4 = address::v4(198, 51, 100, 2);
inline const address kernel_v6 = *address::parse("2001:db8::1");
inline const address peer_v6 = *address::parse("2001:db8::2");

/// The octets written as "45 00 …".
inline std::vector<std::byte> octets_of(std::string_view hex) {
  std::vector<std::byte> o;
  while (!hex.empty()) {
    unsigned value = 0;
    const auto end = std::from_chars(hex.data(), hex.data() + std::min<std::size_t>(hex.size(), 2), value, 16).ptr;
    if (end != hex.data() + 2) throw std::invalid_argument{"octets are two digits each"};
    o.push_back(static_cast<std::byte>(value));
    hex.remove_prefix(std::min<std::size_t>(hex.size(), 3));
  }
  return o;
}

/// Holds octets right before a page that cannot be read, so that reading one octet too many ends the test.
class guarded {
 public:
  guarded() {
    if (room_ == MAP_FAILED) throw std::bad_alloc{};
    if (mprotect(end(), page_, PROT_NONE) != 0) throw std::runtime_error{"no guard page"};
  }
  guarded(const guarded&) = delete;
  guarded& operator=(const guarded&) = delete;
  ~guarded() { munmap(room_, size_ + page_); }

  octets hold(octets o) {
    if (o.size() > size_) throw std::length_error{"more octets than there is room for"};
    std::copy(o.begin(), o.end(), end() - o.size());
    return {end() - o.size(), o.size()};
  }

 private:
  [[nodiscard]] std::byte* end() { return static_cast<std::byte*>(room_) + size_; }

  std::size_t page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::size_t size_ = 32 * page_;
  void* room_ = mmap(nullptr, size_ + page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
};

/// Sets the checksum at `offset` of a transport's octets, with the pseudo-header.
inline void set_checksum(writable_octets transport, std::size_t offset, const address& source,
                         const address& destination, std::uint8_t protocol) {
  store16(&transport[offset], 0);
  checksum sum;
  sum.add_pseudo_header(source, destination, protocol, static_cast<std::uint32_t>(transport.size()));
  sum.add(transport);
  store16(&transport[offset], sum.finish());
}

/// Sets the checksum at `offset` over `part` alone.
inline void set_checksum(writable_octets part, std::size_t offset) {
  store16(&part[offset], 0);
  checksum sum;
  sum.add(part);
  store16(&part[offset], sum.finish());
}

}  // namespace tunic::wire
