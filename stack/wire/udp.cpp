#include "stack/wire/udp.hpp"

#include "stack/wire/checksum.hpp"
#include "stack/wire/ipv4.hpp"

namespace tunic::wire {

result<udp_header, drop> parse_udp(octets datagram, const address& source, const address& destination,
                                   checksum_state state) {
  if (datagram.size() < udp_header::size) return drop::too_short;
  const std::byte* p = datagram.data();
  udp_header h;
  h.source_port = load16(p);
  h.destination_port = load16(p + 2);
  h.length = load16(p + 4);
  if (h.length < udp_header::size || h.length > datagram.size()) return drop::bad_length;
  if (load16(p + 6) == 0) {
    if (!source.is_v4()) return drop::bad_checksum;
  } else if (state == checksum_state::unknown) {
    checksum sum;
    sum.add_pseudo_header(source, destination, number(protocol::udp), h.length);
    sum.add(datagram.first(h.length));
    if (sum.finish() != 0) return drop::bad_checksum;
  }
  return h;
}

void emit_udp(const udp_header& h, writable_octets to) {
  assert(to.size() >= udp_header::size);
  std::byte* p = to.data();
  store16(p, h.source_port);
  store16(p + 2, h.destination_port);
  store16(p + 4, h.length);
  store16(p + 6, 0);
}

}  // namespace tunic::wire
