#include "stack/wire/ipv4.hpp"

#include "stack/wire/checksum.hpp"

namespace tunic::wire {
namespace {

// RFC 791 §3.1: the word of the flags and the fragment offset. Its highest bit is reserved.
constexpr std::uint16_t dont_fragment_bit = 0x4000;
constexpr std::uint16_t more_fragments_bit = 0x2000;
constexpr std::uint16_t offset_mask = 0x1fff;

}  // namespace

result<ipv4_header, drop> parse_ipv4(octets datagram) {
  if (datagram.size() < ipv4_header::min_size) return drop::too_short;
  const std::byte* p = datagram.data();
  if (load8(p) >> 4 != 4) return drop::bad_version;
  ipv4_header h;
  h.header_length = static_cast<std::uint8_t>((load8(p) & 0xf) * 4);
  if (h.header_length < ipv4_header::min_size || h.header_length > datagram.size()) return drop::bad_header_length;
  // Options are skipped (RFC 9293 §3.9.2, MUST-50).
  h.total_length = load16(p + 2);
  if (h.total_length < h.header_length || h.total_length > datagram.size()) return drop::bad_length;
  checksum sum;
  sum.add(datagram.first(h.header_length));
  if (sum.finish() != 0) return drop::bad_checksum;  // RFC 1122 §3.2.1.2

  h.tos = load8(p + 1);
  h.id = load16(p + 4);
  const std::uint16_t fragment = load16(p + 6);
  h.dont_fragment = (fragment & dont_fragment_bit) != 0;
  h.more_fragments = (fragment & more_fragments_bit) != 0;
  h.fragment_offset = static_cast<std::uint16_t>((fragment & offset_mask) * 8);
  h.ttl = load8(p + 8);
  h.protocol = load8(p + 9);
  h.source = address::v4(load32(p + 12));
  h.destination = address::v4(load32(p + 16));
  return h;
}

void emit_ipv4(const ipv4_header& h, writable_octets to) {
  assert(to.size() >= ipv4_header::min_size);
  std::byte* p = to.data();
  store8(p, 0x45);
  store8(p + 1, h.tos);
  store16(p + 2, h.total_length);
  store16(p + 4, h.id);
  store16(p + 6, static_cast<std::uint16_t>((h.dont_fragment ? dont_fragment_bit : 0) |
                                            (h.more_fragments ? more_fragments_bit : 0) | h.fragment_offset / 8));
  store8(p + 8, h.ttl);
  store8(p + 9, h.protocol);
  store16(p + 10, 0);
  store32(p + 12, h.source.v4_value());
  store32(p + 16, h.destination.v4_value());
  checksum sum;
  sum.add(to.first(ipv4_header::min_size));
  store16(p + 10, sum.finish());
}

}  // namespace tunic::wire
