#include "stack/ip/icmp.hpp"

#include <algorithm>
#include <array>

#include "stack/wire/checksum.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"

namespace tunic::ip {
namespace {

using wire::load16;
using wire::load32;
using wire::load8;

constexpr std::size_t least_transport = 8;  // RFC 792: "64 bits of data"

address load_v6(const std::byte* from) {
  std::array<std::uint8_t, 16> octets{};
  std::transform(from, from + 16, octets.begin(), [](std::byte b) { return static_cast<std::uint8_t>(b); });
  return address::v6(octets);
}

// RFC 1191 §5 and §7: the next smaller of the MTUs that networks have.
std::uint32_t plateau_below(std::uint32_t length) {
  constexpr std::array<std::uint32_t, 10> plateaus{32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};
  const auto found = std::find_if(plateaus.begin(), plateaus.end(), [&](auto mtu) { return mtu < length; });
  return found == plateaus.end() ? plateaus.back() : *found;
}

std::optional<icmp_error> read_quoted_v4(const slice& quotation) {
  const std::byte* p = quotation.data();
  if (quotation.size() < wire::ipv4_header::min_size || load8(p) >> 4 != 4) return std::nullopt;
  const std::uint32_t header_length = 4u * (load8(p) & 0xf);
  if (header_length < wire::ipv4_header::min_size || quotation.size() < header_length + least_transport)
    return std::nullopt;
  if ((load16(p + 6) & 0x1fff) != 0) return std::nullopt;  // a later fragment has no transport header
  icmp_error e;
  e.source = address::v4(load32(p + 12));
  e.destination = address::v4(load32(p + 16));
  e.protocol = load8(p + 9);
  e.transport = quotation.sub(header_length);
  return e;
}

std::optional<icmp_error> read_quoted_v6(const slice& quotation) {
  const std::byte* p = quotation.data();
  std::uint32_t at = wire::ipv6_header::min_size;
  if (quotation.size() < at || load8(p) >> 4 != 6) return std::nullopt;
  icmp_error e;
  e.source = load_v6(p + 8);
  e.destination = load_v6(p + 24);
  if (e.source.is_v4() || e.destination.is_v4())
    return std::nullopt;  // mapped addresses do not travel (RFC 4291 §2.5.5.2)
  e.protocol = load8(p + 6);
  for (;;) {  // the extension headers of RFC 8200 §4
    if (quotation.size() < at + least_transport) return std::nullopt;
    const std::uint8_t next = load8(p + at);
    constexpr std::uint8_t hop_by_hop = 0, routing = 43, fragment = 44, destination_options = 60;
    switch (e.protocol) {
      case hop_by_hop:
      case routing:
      case destination_options: at += 8u * (load8(p + at + 1) + 1u); break;
      case fragment:
        if ((load16(p + at + 2) & 0xfff8) != 0) return std::nullopt;
        at += wire::ipv6_fragment::size;
        break;
      default: e.transport = quotation.sub(at); return e;
    }
    e.protocol = next;
  }
}

}  // namespace

outgoing compose_icmp(const wire::icmp_header& h, const address& source, const address& destination, slice text) {
  const family f = destination.family();
  outgoing d;
  d.source = source;
  d.destination = destination;
  d.protocol = number(f == family::v4 ? wire::protocol::icmp : wire::protocol::icmpv6);
  d.header.resize(wire::icmp_header::size);
  wire::emit_icmp(h, f, d.header);
  wire::checksum sum;
  if (f == family::v6)
    sum.add_pseudo_header(source, destination, d.protocol,
                          static_cast<std::uint32_t>(wire::icmp_header::size + text.size()));
  sum.add(d.header);
  sum.add(text.octets());
  wire::store16(d.header.data() + 2, sum.finish());
  if (!text.empty()) d.text.push_back(std::move(text));
  return d;
}

slice quote(const slice& datagram, family f) {
  const std::size_t limit = f == family::v4 ? 576 - wire::ipv4_header::min_size : 1280 - wire::ipv6_header::min_size;
  return datagram.sub(0, static_cast<std::uint32_t>(limit - wire::icmp_header::size));
}

bool is_icmp_error(std::uint8_t protocol, family f, const slice& transport) {
  if (protocol != number(f == family::v4 ? wire::protocol::icmp : wire::protocol::icmpv6)) return false;
  if (transport.empty()) return true;
  const std::uint8_t type = load8(transport.data());
  constexpr std::uint8_t redirect_v6 = 137;
  if (f == family::v6) return type < 128 || type == redirect_v6;
  constexpr std::array<std::uint8_t, 10> queries{0, 8, 9, 10, 13, 14, 15, 16, 17, 18};  // RFC 792, 950, 1256
  return std::find(queries.begin(), queries.end(), type) == queries.end();
}

std::optional<icmp_error> read_icmp_error(const wire::icmp_header& h, family f, const slice& quotation) {
  auto e = f == family::v4 ? read_quoted_v4(quotation) : read_quoted_v6(quotation);
  if (!e) return e;
  e->kind = h.kind;
  if (h.kind == wire::icmp_kind::destination_unreachable) e->unreachable = h.unreachable(f);
  if (h.kind == wire::icmp_kind::packet_too_big) {
    e->mtu = h.mtu(f);
    if (e->mtu == 0 && f == family::v4) e->mtu = plateau_below(load16(quotation.data() + 2));
  }
  return e;
}

}  // namespace tunic::ip
