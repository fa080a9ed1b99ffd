#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "drivers/file_descriptor.hpp"
#include "drivers/log.hpp"

namespace tunic::drivers {

/// Writes a capture of raw IP datagrams in the format of Wireshark (draft-ietf-opsawg-pcapng): one section, one
/// interface of LINKTYPE_RAW, timestamps in nanoseconds. Into a file, or a FIFO or pipe that somebody reads live: that
/// is never waited for, and datagrams that its reader is too slow for are left out and counted in the next one's block.
/// Where writing fails, it says so once and writes no more.
class pcapng {
 public:
  enum class direction : std::uint8_t { in = 1, out = 2 };

  /// `path` "-" is the standard output. `snap` octets of each datagram are kept, 0: all. Throws std::system_error. A
  /// FIFO is waited for until somebody opens its other end.
  pcapng(const std::string& path, const std::string& interface, std::uint32_t snap, log_callback log);
  pcapng(const pcapng&) = delete;
  pcapng& operator=(const pcapng&) = delete;
  ~pcapng();

  /// Whether writing has failed.
  [[nodiscard]] bool stopped() const { return !fd_; }

  /// A datagram in two pieces, of `size` octets on the wire, of which the end may be missing; `time` is Unix time.
  void add(direction d, std::chrono::nanoseconds time, std::span<const std::byte> header,
           std::span<const std::byte> text, std::size_t size);
  /// Hands what is buffered to the kernel, as far as that takes it at once.
  void flush();

 private:
  void add_section_header();
  void add_interface(const std::string& name);
  void add32(std::uint32_t v);
  void add_octets(std::span<const std::byte> octets);
  void pad();
  void add_option(std::uint16_t code, std::span<const std::byte> value);
  std::size_t begin_block(std::uint32_t type);
  void end_block(std::size_t begin);
  [[nodiscard]] std::size_t waiting() const { return buffer_.size() - written_; }

  file_descriptor fd_;
  std::string path_;
  std::uint32_t snap_;
  log_callback log_;
  bool pipe_ = false;
  std::vector<std::byte> buffer_;
  std::size_t written_ = 0;  // octets of the buffer that the kernel has
  std::uint64_t lost_ = 0;   // datagrams left out since the last one written
};

}  // namespace tunic::drivers
