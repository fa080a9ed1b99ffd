#include "apps/tunic/ladder/capture.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "stack/wire/bytes.hpp"

namespace tunic::ladder {
namespace {

enum block_type : std::uint32_t {
  section_header = 0x0a0d0d0a,
  interface_description = 1,
  simple_packet = 3,
  enhanced_packet = 6,
};
constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
constexpr std::uint16_t option_end = 0, option_resolution = 9, option_flags = 2;

// Classic pcap: the magic number as it reads in big endian, with microseconds and nanoseconds.
constexpr std::uint32_t magic_us = 0xa1b2c3d4, magic_us_swapped = 0xd4c3b2a1;
constexpr std::uint32_t magic_ns = 0xa1b23c4d, magic_ns_swapped = 0x4d3cb2a1;

enum link_type : std::uint32_t { ethernet = 1, raw_bsd = 12, raw_openbsd = 14, raw = 101, ipv4 = 228, ipv6 = 229 };

constexpr std::size_t most = 16u << 20;               // octets of a block: what Wireshark, too, believes
constexpr std::size_t largest_datagram = 40 + 65535;  // octets, of IPv6

std::size_t padded(std::size_t n) {
  return (n + 3) & ~std::size_t{3};
}

std::chrono::nanoseconds to_time(std::uint64_t ticks, std::uint64_t ticks_a_second) {
  constexpr std::uint64_t last = 1ull << 33;  // seconds; beyond, nanoseconds leave 64 bits
  const double part = static_cast<double>(ticks % ticks_a_second) / static_cast<double>(ticks_a_second);
  return std::chrono::seconds{std::min(ticks / ticks_a_second, last)} +
         std::chrono::nanoseconds{std::llround(part * 1e9)};
}

}  // namespace

capture::capture(std::istream& in) : in_(in) {
  read_file_header();
}

std::optional<captured> capture::next() {
  while (const auto r = next_record()) {
    const auto octets = datagram_of(*r);
    if (!octets.empty()) return captured{to_time(r->ticks, r->ticks_a_second), r->direction, octets};
  }
  return {};
}

/// Fills block_ with the next octets; false at the end of the file, with cut_ set where some were there.
bool capture::read(std::size_t size) {
  block_.clear();
  while (block_.size() < size) {  // a length that lies costs no more memory than the file has octets
    constexpr std::size_t step = 1 << 20;
    const std::size_t had = block_.size();
    block_.resize(std::min(size, had + step));
    in_.read(reinterpret_cast<char*>(block_.data() + had), static_cast<std::streamsize>(block_.size() - had));
    const auto got = static_cast<std::size_t>(in_.gcount());
    if (got < block_.size() - had) {
      block_.resize(had + got);
      cut_ = cut_ || !block_.empty();
      return false;
    }
  }
  return true;
}

std::uint16_t capture::get16(std::size_t at) const {
  if (at + 2 > block_.size()) throw capture_error{"the capture has a block that is too short for its type"};
  const std::uint16_t v = wire::load16(block_.data() + at);
  return big_endian_ ? v : static_cast<std::uint16_t>(v >> 8 | v << 8);
}

std::uint32_t capture::get32(std::size_t at) const {
  const std::uint32_t first = get16(at), second = get16(at + 2);
  return big_endian_ ? first << 16 | second : second << 16 | first;
}

void capture::read_file_header() {
  const char* const neither = "this is no capture: neither pcapng nor pcap";
  if (!read(4)) throw capture_error{block_.empty() ? "the capture is empty" : neither};
  const std::uint32_t magic = wire::load32(block_.data());
  if (magic == section_header) return read_section_header();

  classic_ = true;
  big_endian_ = magic == magic_us || magic == magic_ns;
  if (!big_endian_ && magic != magic_us_swapped && magic != magic_ns_swapped) throw capture_error{neither};
  if (!read(20)) throw capture_error{"the capture ends within its file header"};
  const bool ns = magic == magic_ns || magic == magic_ns_swapped;
  interfaces_.push_back({.link_type = get32(16) & 0xffff, .ticks_a_second = ns ? 1'000'000'000u : 1'000'000u});
}

std::optional<capture::record> capture::next_record() {
  if (classic_) {
    if (!read(16)) return {};
    const interface& i = interfaces_.front();
    const std::uint32_t size = get32(8), original = get32(12);
    const std::uint64_t ticks = get32(0) * i.ticks_a_second + get32(4);
    if (size > most) throw capture_error{"the capture has a datagram of " + std::to_string(size) + " octets"};
    if (!read(size)) return cut_ = true, std::nullopt;
    return record{i.link_type, ticks, i.ticks_a_second, 0, size, original, direction::unknown};
  }
  while (const auto type = next_block()) {
    switch (*type) {
      case interface_description: read_interface(); break;
      case enhanced_packet: return read_enhanced_packet();
      case simple_packet: return read_simple_packet();
      default: break;  // names, statistics and what others may add
    }
  }
  return {};
}

/// The body of the next block that is no section header in block_, and its type.
std::optional<std::uint32_t> capture::next_block() {
  for (;;) {
    if (!read(4)) return {};
    if (wire::load32(block_.data()) == section_header) {
      read_section_header();
      continue;
    }
    const std::uint32_t type = get32(0);
    if (!read(4)) return cut_ = true, std::nullopt;
    const std::uint32_t length = get32(0);
    if (length < 12 || length % 4 != 0 || length > most)
      throw capture_error{"the capture has a block of " + std::to_string(length) + " octets, which cannot be"};
    if (!read(length - 8)) return cut_ = true, std::nullopt;
    if (get32(length - 12) != length) throw capture_error{"the capture has a block whose two lengths differ"};
    block_.resize(length - 12);
    return type;
  }
}

/// The rest of a section header, whose type has been read. A section has a byte order and interfaces of its own.
void capture::read_section_header() {
  interfaces_.clear();
  if (!read(8)) throw capture_error{"the capture ends within a section header"};
  big_endian_ = true;
  if (get32(4) != byte_order_magic) big_endian_ = false;
  if (get32(4) != byte_order_magic) throw capture_error{"this is no capture: neither pcapng nor pcap"};
  const std::uint32_t length = get32(0);
  if (length < 28 || length % 4 != 0 || length > most)
    throw capture_error{"the capture has a section header of " + std::to_string(length) + " octets, which cannot be"};
  if (!read(length - 12)) throw capture_error{"the capture ends within a section header"};
}

template <class Visit>
void capture::for_each_option(std::size_t from, Visit visit) const {
  while (from + 4 <= block_.size()) {
    const std::uint16_t code = get16(from), size = get16(from + 2);
    if (code == option_end || from + 4 + size > block_.size()) return;
    visit(code, from + 4, size);
    from += 4 + padded(size);
  }
}

void capture::read_interface() {
  interface i {
    .link_type = get16(0), .snap = get32(4)
  };
  for_each_option(8, [&](std::uint16_t code, std::size_t at, std::uint16_t size) {
    if (code != option_resolution || size != 1) return;
    const auto resolution = wire::load8(block_.data() + at);
    const unsigned exponent = resolution & 0x7f;
    const bool binary = (resolution & 0x80) != 0;
    if (exponent > (binary ? 63 : 19)) throw capture_error{"the capture has a time resolution that cannot be"};
    i.ticks_a_second = binary ? std::uint64_t{1} << exponent : 1;
    for (unsigned n = 0; !binary && n < exponent; ++n) i.ticks_a_second *= 10;
  });
  interfaces_.push_back(i);
}

const capture::interface& capture::find_interface(std::uint32_t id) const {
  if (id >= interfaces_.size())
    throw capture_error{"the capture has a datagram of interface " + std::to_string(id) +
                        ", which it does not describe"};
  return interfaces_[id];
}

capture::record capture::read_enhanced_packet() {
  const interface& i = find_interface(get32(0));
  const std::uint64_t ticks = std::uint64_t{get32(4)} << 32 | get32(8);
  const std::size_t begin = 20, size = get32(12);
  if (begin + size > block_.size()) throw capture_error{"the capture has a datagram that leaves its block"};
  record r{i.link_type, ticks, i.ticks_a_second, begin, size, get32(16), direction::unknown};
  for_each_option(begin + padded(size), [&](std::uint16_t code, std::size_t at, std::uint16_t octets) {
    if (code != option_flags || octets != 4) return;
    const std::uint32_t way = get32(at) & 3;
    if (way == 1) r.direction = direction::in;
    if (way == 2) r.direction = direction::out;
  });
  return r;
}

/// A simple packet block is of the first interface and has no time.
capture::record capture::read_simple_packet() {
  const interface& i = find_interface(0);
  const std::uint32_t original = get32(0);
  std::size_t size = std::min<std::size_t>(block_.size() - 4, original);
  if (i.snap > 0) size = std::min<std::size_t>(size, i.snap);
  return {i.link_type, 0, i.ticks_a_second, 4, size, original, direction::unknown};
}

/// What follows the link's header, as long as it was on the link; empty where it is not IP.
std::span<const std::byte> capture::datagram_of(const record& r) {
  const auto octets = std::span<const std::byte>{block_}.subspan(r.begin, r.size);
  std::size_t header = 0;
  switch (r.link_type) {
    case raw:
    case raw_bsd:
    case raw_openbsd:
    case ipv4:
    case ipv6: break;
    case ethernet: {
      constexpr std::uint16_t vlan = 0x8100, for_ipv4 = 0x0800, for_ipv6 = 0x86dd;
      const auto ether_type = [&](std::size_t at) { return at + 2 <= r.size ? wire::load16(octets.data() + at) : 0; };
      header = ether_type(12) == vlan ? 18 : 14;
      const auto type = ether_type(header - 2);
      if (type != for_ipv4 && type != for_ipv6) return {};
      break;
    }
    default:
      throw capture_error{"the capture is of link type " + std::to_string(r.link_type) +
                          "; those read are raw IP (101) and Ethernet (1)"};
  }
  if (header >= octets.size()) return {};
  const auto kept = octets.subspan(header);
  const std::size_t size = std::min(std::max<std::size_t>(r.original, header) - header, largest_datagram);
  if (size <= kept.size()) return kept;
  whole_.assign(size, std::byte{0});
  std::copy(kept.begin(), kept.end(), whole_.begin());
  return whole_;
}

}  // namespace tunic::ladder
