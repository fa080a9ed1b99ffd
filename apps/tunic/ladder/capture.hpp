#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

namespace tunic::ladder {

/// Why a file cannot be read as a capture: a sentence.
class capture_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Which way a datagram went, seen from whoever captured it.
enum class direction : std::uint8_t { unknown, in, out };

struct captured {
  std::chrono::nanoseconds time{};  ///< since the capture's epoch
  ladder::direction direction = direction::unknown;
  std::span<const std::byte>
      octets;  ///< from the IP header on, until the next call; zero where the capture cut them off
};

/// Reads a capture datagram by datagram: pcapng (draft-ietf-opsawg-pcapng) or classic pcap (draft-ietf-opsawg-pcap), in
/// either byte order, of raw IP or Ethernet. What is not IP is left out.
class capture {
 public:
  /// `in` must outlive this. Throws capture_error where it is neither format.
  explicit capture(std::istream& in);

  /// The next datagram; nothing at the end. Throws capture_error for lengths that cannot be and link types we do not
  /// read.
  std::optional<captured> next();
  /// Whether the capture ended in the middle of a datagram, as one does whose writer was killed.
  [[nodiscard]] bool cut() const { return cut_; }

 private:
  struct interface {
    std::uint32_t link_type = 0;
    std::uint32_t snap = 0;
    std::uint64_t ticks_a_second = 1'000'000;
  };
  /// A datagram with the link's header, as it stands in the file.
  struct record {
    std::uint32_t link_type;
    std::uint64_t ticks;
    std::uint64_t ticks_a_second;
    std::size_t begin, size;  ///< in block_
    std::uint32_t original;   ///< octets on the link
    ladder::direction direction;
  };

  bool read(std::size_t size);
  [[nodiscard]] std::uint16_t get16(std::size_t at) const;
  [[nodiscard]] std::uint32_t get32(std::size_t at) const;

  void read_file_header();
  std::optional<record> next_record();
  std::optional<std::uint32_t> next_block();
  void read_section_header();
  void read_interface();
  record read_enhanced_packet();
  record read_simple_packet();
  [[nodiscard]] const interface& find_interface(std::uint32_t id) const;
  template <class Visit>
  void for_each_option(std::size_t from, Visit visit) const;
  std::span<const std::byte> datagram_of(const record& r);

  std::istream& in_;
  bool classic_ = false;
  bool big_endian_ = false;
  bool cut_ = false;
  std::vector<interface> interfaces_;  // one only in a classic pcap
  std::vector<std::byte> block_;       // the body of the block or record at hand
  std::vector<std::byte> whole_;       // a datagram with what the capture cut off
};

}  // namespace tunic::ladder
