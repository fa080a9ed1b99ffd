#include "stack/wire/ipv6.hpp"

#include <cstring>

namespace tunic::wire {
namespace {

// RFC 8200 §4.1. Those that we do not read, such as the authentication header, are protocols nobody here speaks.
constexpr std::uint8_t hop_by_hop = 0;
constexpr std::uint8_t routing = 43;
constexpr std::uint8_t fragment = 44;
constexpr std::uint8_t destination_options = 60;

// RFC 8200 §4.1 foresees each header once, destination options twice: five of ours. More than this is an attack.
constexpr unsigned max_extension_headers = 8;

address load_address(const std::byte* p) {
  std::array<std::uint8_t, 16> o;
  std::memcpy(o.data(), p, o.size());
  return address::v6(o);
}

// RFC 8200 §4.2: the two highest bits of an option that is not known say whether it may be skipped.
bool may_skip(octets options) {
  for (std::size_t i = 0; i < options.size();) {
    const std::uint8_t type = load8(&options[i]);
    if (type == 0) {  // Pad1 has no length
      ++i;
      continue;
    }
    if (type >> 6 != 0 || i + 1 == options.size()) return false;
    i += 2u + load8(&options[i + 1]);
    if (i > options.size()) return false;
  }
  return true;
}

// Follows the chain behind the fixed header; `datagram` ends where its payload does.
std::optional<drop> read_extension_headers(octets datagram, ipv6_header& h) {
  for (unsigned count = 0;; ++count) {
    const std::uint8_t kind = h.protocol;
    const bool known =
        (kind == hop_by_hop && count == 0) || kind == routing || kind == fragment || kind == destination_options;
    if (!known) return std::nullopt;
    if (count == max_extension_headers) return drop::bad_option;
    const octets rest = datagram.subspan(h.header_length);
    if (rest.size() < 8) return drop::bad_header_length;
    const std::byte* p = rest.data();
    const std::size_t size = kind == fragment ? ipv6_fragment::size : (load8(p + 1) + 1u) * 8;
    if (size > rest.size()) return drop::bad_header_length;

    if (kind == fragment) {
      const std::uint16_t offset = load16(p + 2) & 0xfff8;
      const bool more = (load16(p + 2) & 1) != 0;
      // RFC 6946 §4: an atomic fragment is whole, and is never mixed with other fragments.
      if (offset != 0 || more) h.fragment = {.offset = offset, .more = more, .id = load32(p + 4)};
    } else if (kind == routing) {
      if (load8(p + 3) != 0) return drop::bad_option;  // RFC 8200 §4.4: segments left, and we are no router
    } else if (!may_skip(rest.subspan(2, size - 2))) {
      return drop::bad_option;
    }
    h.protocol = load8(p);
    h.next_header_offset = h.header_length;
    h.header_length = static_cast<std::uint16_t>(h.header_length + size);
    if (h.fragment) return std::nullopt;  // what follows is a piece of the fragmented text
  }
}

}  // namespace

result<ipv6_header, drop> parse_ipv6(octets datagram) {
  if (datagram.size() < ipv6_header::min_size) return drop::too_short;
  const std::byte* p = datagram.data();
  const std::uint32_t first = load32(p);
  if (first >> 28 != 6) return drop::bad_version;
  ipv6_header h;
  h.traffic_class = static_cast<std::uint8_t>(first >> 20);
  h.flow_label = first & 0xfffff;
  h.payload_length = load16(p + 4);
  if (h.payload_length > datagram.size() - ipv6_header::min_size) return drop::bad_length;
  h.protocol = load8(p + 6);
  h.hop_limit = load8(p + 7);
  h.source = load_address(p + 8);
  h.destination = load_address(p + 24);
  // Here these would pass for addresses of version 4, and with them for whatever is trusted there.
  if (h.source.is_v4()) return drop::bad_source;
  if (h.destination.is_v4()) return drop::not_for_us;
  if (const auto bad = read_extension_headers(datagram.first(ipv6_header::min_size + h.payload_length), h)) return *bad;
  return h;
}

void emit_ipv6(const ipv6_header& h, writable_octets to) {
  assert(to.size() >= ipv6_header::min_size + (h.fragment ? ipv6_fragment::size : 0));
  std::byte* p = to.data();
  store32(p, 6u << 28 | std::uint32_t{h.traffic_class} << 20 | (h.flow_label & 0xfffff));
  store16(p + 4, h.payload_length);
  store8(p + 6, h.fragment ? fragment : h.protocol);
  store8(p + 7, h.hop_limit);
  std::memcpy(p + 8, h.source.octets().data(), 16);
  std::memcpy(p + 24, h.destination.octets().data(), 16);
  if (!h.fragment) return;
  store8(p + 40, h.protocol);
  store8(p + 41, 0);
  store16(p + 42, static_cast<std::uint16_t>((h.fragment->offset & 0xfff8) | (h.fragment->more ? 1 : 0)));
  store32(p + 44, h.fragment->id);
}

}  // namespace tunic::wire
