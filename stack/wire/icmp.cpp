#include "stack/wire/icmp.hpp"

#include "stack/wire/checksum.hpp"
#include "stack/wire/ipv4.hpp"

namespace tunic::wire {
namespace {

// RFC 1191 §4: version 4 has no message of its own for a packet that is too big, but a code of "unreachable".
constexpr std::uint8_t fragmentation_needed = 4;

// Source quench is none of these (RFC 9293 §3.9.2.2, MUST-55; RFC 5927 §6.2).
icmp_kind kind_v4(std::uint8_t type, std::uint8_t code) {
  switch (type) {
    case 0: return icmp_kind::echo_reply;
    case 3: return code == fragmentation_needed ? icmp_kind::packet_too_big : icmp_kind::destination_unreachable;
    case 8: return icmp_kind::echo_request;
    case 11: return icmp_kind::time_exceeded;
    case 12: return icmp_kind::parameter_problem;
    default: return icmp_kind::other;
  }
}

icmp_kind kind_v6(std::uint8_t type) {
  switch (type) {
    case 1: return icmp_kind::destination_unreachable;
    case 2: return icmp_kind::packet_too_big;
    case 3: return icmp_kind::time_exceeded;
    case 4: return icmp_kind::parameter_problem;
    case 128: return icmp_kind::echo_request;
    case 129: return icmp_kind::echo_reply;
    default: return icmp_kind::other;
  }
}

std::uint8_t type_of(const icmp_header& h, family f) {
  const bool v4 = f == family::v4;
  switch (h.kind) {
    case icmp_kind::echo_request: return v4 ? 8 : 128;
    case icmp_kind::echo_reply: return v4 ? 0 : 129;
    case icmp_kind::destination_unreachable: return v4 ? 3 : 1;
    case icmp_kind::packet_too_big: return v4 ? 3 : 2;
    case icmp_kind::time_exceeded: return v4 ? 11 : 3;
    case icmp_kind::parameter_problem: return v4 ? 12 : 4;
    case icmp_kind::other: return h.type;
  }
  return h.type;
}

}  // namespace

unreachable_code icmp_header::unreachable(family f) const {
  if (f == family::v4) {
    switch (code) {  // RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1
      case 0:
      case 6:
      case 11: return unreachable_code::network;
      case 1:
      case 7:
      case 8:
      case 12: return unreachable_code::host;
      case 2: return unreachable_code::protocol;
      case 3: return unreachable_code::port;
      case 9:
      case 10:
      case 13: return unreachable_code::prohibited;
      default: return unreachable_code::other;
    }
  }
  switch (code) {  // RFC 4443 §3.1
    case 0: return unreachable_code::network;
    case 1:
    case 5:
    case 6: return unreachable_code::prohibited;
    case 3: return unreachable_code::host;
    case 4: return unreachable_code::port;
    default: return unreachable_code::other;
  }
}

result<icmp_header, drop> parse_icmp(octets message, const address& source, const address& destination) {
  if (message.size() < icmp_header::size) return drop::too_short;
  const bool v4 = source.is_v4();
  checksum sum;
  if (!v4) {
    const auto length = static_cast<std::uint32_t>(message.size());
    sum.add_pseudo_header(source, destination, number(protocol::icmpv6), length);
  }
  sum.add(message);
  if (sum.finish() != 0) return drop::bad_checksum;
  const std::byte* p = message.data();
  icmp_header h;
  h.type = load8(p);
  h.code = load8(p + 1);
  h.kind = v4 ? kind_v4(h.type, h.code) : kind_v6(h.type);
  h.rest = load32(p + 4);
  return h;
}

void emit_icmp(const icmp_header& h, family f, writable_octets to) {
  assert(to.size() >= icmp_header::size);
  const bool too_big_v4 = h.kind == icmp_kind::packet_too_big && f == family::v4;
  store8(to.data(), type_of(h, f));
  store8(to.data() + 1, too_big_v4 ? fragmentation_needed : h.code);
  store16(to.data() + 2, 0);
  store32(to.data() + 4, h.rest);
}

std::uint8_t code_of(unreachable_code reason, family f) {
  const bool v4 = f == family::v4;
  switch (reason) {
    case unreachable_code::network: return 0;
    case unreachable_code::host: return v4 ? 1 : 3;
    case unreachable_code::protocol: return v4 ? 2 : 1;
    case unreachable_code::port: return v4 ? 3 : 4;
    case unreachable_code::prohibited: return v4 ? 13 : 1;
    case unreachable_code::other: return 0;
  }
  return 0;
}

}  // namespace tunic::wire
