#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace tunic::drivers::test {

/// A datagram read back from a capture.
struct captured {
  std::uint64_t time = 0;  ///< in the interface's ticks
  std::uint32_t size = 0;  ///< on the wire
  std::uint32_t flags = 0;
  std::string octets;
};

/// A pcapng file read block by block as the format's draft has it, by other code than that which writes.
class capture_file {
 public:
  explicit capture_file(std::string octets) : octets_(std::move(octets)) {
    while (at_ < octets_.size()) read_block();
  }
  static capture_file open(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return capture_file{{std::istreambuf_iterator<char>{in}, {}}};
  }

  std::uint16_t linktype = 0;
  std::uint32_t snap = 0;
  std::uint8_t resolution = 6;
  std::string name;
  std::vector<captured> datagrams;

 private:
  template <class T>
  [[nodiscard]] T at(std::size_t offset) const {
    if (offset + sizeof(T) > octets_.size()) throw std::out_of_range{"the capture ends too early"};
    T v;
    std::memcpy(&v, octets_.data() + offset, sizeof v);
    return v;
  }
  static std::size_t padded(std::size_t n) { return (n + 3) & ~std::size_t{3}; }

  template <class Visit>
  void options(std::size_t from, std::size_t to, Visit visit) const {
    while (from < to) {
      const auto code = at<std::uint16_t>(from), length = at<std::uint16_t>(from + 2);
      if (code == 0) break;
      visit(code, from + 4, length);
      from += 4 + padded(length);
    }
  }

  void read_block() {
    const auto type = at<std::uint32_t>(at_), length = at<std::uint32_t>(at_ + 4);
    if (length % 4 != 0 || length < 12) throw std::runtime_error{"a block of a bad length"};
    if (at<std::uint32_t>(at_ + length - 4) != length) throw std::runtime_error{"a block whose lengths differ"};
    const std::size_t body = at_ + 8, end = at_ + length - 4;
    if (at_ == 0 && (type != 0x0a0d0d0a || at<std::uint32_t>(body) != 0x1a2b3c4d || at<std::uint16_t>(body + 4) != 1))
      throw std::runtime_error{"no section header"};
    if (type == 1) {
      linktype = at<std::uint16_t>(body);
      snap = at<std::uint32_t>(body + 4);
      options(body + 8, end, [&](std::uint16_t code, std::size_t value, std::uint16_t size) {
        if (code == 2) name = octets_.substr(value, size);
        if (code == 9) resolution = at<std::uint8_t>(value);
      });
    }
    if (type == 6) {
      captured c;
      c.time = std::uint64_t{at<std::uint32_t>(body + 4)} << 32 | at<std::uint32_t>(body + 8);
      const auto kept = at<std::uint32_t>(body + 12);
      c.size = at<std::uint32_t>(body + 16);
      c.octets = octets_.substr(body + 20, kept);
      options(body + 20 + padded(kept), end, [&](std::uint16_t code, std::size_t value, std::uint16_t) {
        if (code == 2) c.flags = at<std::uint32_t>(value);
      });
      datagrams.push_back(std::move(c));
    }
    at_ += length;
  }

  std::string octets_;
  std::size_t at_ = 0;
};

}  // namespace tunic::drivers::test
