#include "stack/ip/layer.hpp"

#include "stack/ip/icmp.hpp"

namespace tunic::ip {
namespace {

constexpr std::uint8_t no_next_header = 59;  // RFC 8200 §4.7

// The codes that ICMP errors of ours carry besides those of "unreachable" (RFC 792, RFC 4443 §3.3 and §3.4).
constexpr std::uint8_t reassembly_time_exceeded = 1;
constexpr std::uint8_t erroneous_header_field = 0;
constexpr std::uint8_t unrecognized_next_header = 1;

// What an error about a fragment is about; of a later one, the transport header is not known.
datagram about(const fragment& f) {
  return {f.source, f.destination, f.protocol, f.tos, f.hop_limit, {f.offset == 0 ? f.text : slice{}, 0, {}}, f.whole};
}

}  // namespace

layer::layer(config c, const secret& key, pool& buffers, counters& count)
    : config_(std::move(c)),
      count_(count),
      routes_(config_),
      path_mtus_(config_, key),
      reassembly_(config_, buffers, count),
      output_(config_, key, buffers),
      errors_(key, config_.icmp_errors_per_second, config_.icmp_errors_burst) {}

delivery layer::on_packet(packet p, instant now) {
  if (p.octets.empty()) return refuse(drop::too_short);
  switch (wire::load8(p.octets.data()) >> 4) {
    case 4: return on_ipv4(std::move(p), now);
    case 6: return on_ipv6(std::move(p), false, now);
    default: return refuse(drop::bad_version);
  }
}

delivery layer::on_ipv4(packet p, instant now) {
  const auto h = wire::parse_ipv4(p.octets.octets());
  if (!h) return refuse(h.error());
  p.octets.remove_suffix(p.octets.size() - h->total_length);
  if (!acceptable(h->source, h->destination)) return {};
  if (h->is_fragment()) {
    return on_fragment({h->source, h->destination, h->id, h->protocol, h->tos, h->ttl, h->fragment_offset,
                        h->more_fragments, p.octets.sub(h->header_length), p.octets},
                       0, now);
  }
  // The time to live is for routers to judge: RFC 1122 §3.2.1.7.
  slice whole = p.octets;
  return on_whole({h->source, h->destination, h->protocol, h->tos, h->ttl, std::move(p), std::move(whole)},
                  h->header_length, 0, now);
}

// rebuilt: from fragments, of which it must not be one again.
delivery layer::on_ipv6(packet p, bool rebuilt, instant now) {
  const auto h = wire::parse_ipv6(p.octets.octets());
  if (!h) return refuse(h.error());
  p.octets.remove_suffix(p.octets.size() - static_cast<std::uint32_t>(wire::ipv6_header::min_size) - h->payload_length);
  if (!acceptable(h->source, h->destination)) return {};
  if (h->fragment) {
    if (rebuilt) return refuse(drop::fragment_bad);
    return on_fragment({h->source, h->destination, h->fragment->id, h->protocol, h->traffic_class, h->hop_limit,
                        h->fragment->offset, h->fragment->more, p.octets.sub(h->header_length), p.octets},
                       h->next_header_offset + 2u, now);
  }
  slice whole = p.octets;
  return on_whole(
      {h->source, h->destination, h->protocol, h->traffic_class, h->hop_limit, std::move(p), std::move(whole)},
      h->header_length, h->next_header_offset, now);
}

bool layer::acceptable(const address& source, const address& destination) {
  if (!routes_.is_ours(destination)) return count_.count(drop::not_for_us), false;
  if (!routes_.is_host(source)) return count_.count(drop::bad_source), false;
  return true;
}

// offset_field: where version 6's fragment offset stands in the packet.
delivery layer::on_fragment(fragment f, std::uint32_t offset_field, instant now) {
  const bool v6 = !f.source.is_v4();
  const std::size_t longest = v6 ? 65535 : 65535 - wire::ipv4_header::min_size;
  const bool ragged = f.text.empty() || (f.more && f.text.size() % 8 != 0);
  if (ragged || f.end() > longest) {
    if (v6 && !f.text.empty()) {  // RFC 8200 §4.5
      constexpr std::uint32_t payload_length_field = 4;
      const std::uint32_t pointer = ragged ? payload_length_field : offset_field;
      send_error(about(f), {wire::icmp_kind::parameter_problem, 0, erroneous_header_field, pointer}, now);
    }
    return refuse(drop::fragment_bad);
  }
  packet p = reassembly_.add(std::move(f), now);
  if (!p) return {};
  delivery d = v6 ? on_ipv6(std::move(p), true, now) : on_ipv4(std::move(p), now);
  if (const auto* const whole = std::get_if<datagram>(&d);
      whole && whole->protocol == number(wire::protocol::tcp) && !config_.tcp_fragments)
    return refuse(drop::fragment_unsteered);
  return d;
}

delivery layer::on_whole(datagram d, std::uint32_t header_length, std::uint32_t next_header_offset, instant now) {
  d.transport.octets.remove_prefix(header_length);
  const bool v4 = d.source.is_v4();
  switch (d.protocol) {
    case number(wire::protocol::tcp):
    case number(wire::protocol::udp): return d;
    case number(wire::protocol::icmp):
      if (v4) return on_icmp(d, now);
      break;
    case number(wire::protocol::icmpv6):
      if (!v4) return on_icmp(d, now);
      break;
    case no_next_header:
      if (!v4) return refuse(drop::no_protocol);
      break;
    default: break;
  }
  if (v4) {
    send_unreachable(d, wire::unreachable_code::protocol, now);
  } else {
    send_error(d, {wire::icmp_kind::parameter_problem, 0, unrecognized_next_header, next_header_offset}, now);
  }
  return refuse(drop::no_protocol);
}

delivery layer::on_icmp(const datagram& d, instant now) {
  const auto h = wire::parse_icmp(d.transport.octets.octets(), d.source, d.destination);
  if (!h) return refuse(h.error());
  slice text = d.transport.octets.sub(wire::icmp_header::size);
  switch (h->kind) {
    case wire::icmp_kind::echo_request: {
      auto answer =
          compose_icmp({wire::icmp_kind::echo_reply, 0, 0, h->rest}, d.destination, d.source, std::move(text));
      answer.tos = d.tos & 0xfc;  // the request's class (RFC 1122 §3.2.2.6); congestion marks are not ours to copy
      send_answer(std::move(answer));
      return {};
    }
    case wire::icmp_kind::echo_reply:
      return echo_reply{d.source, h->identifier(), h->sequence(), d.hop_limit, std::move(text)};
    case wire::icmp_kind::destination_unreachable:
    case wire::icmp_kind::packet_too_big:
    case wire::icmp_kind::time_exceeded:
    case wire::icmp_kind::parameter_problem: {
      auto e = read_icmp_error(*h, d.source.family(), text);
      if (!e) return refuse(drop::too_short);
      if (!is_ours(e->source)) return refuse(drop::icmp_unrelated);
      e->reporter = d.source;
      // Echoes have no state that could tell whether it is true; the floor under path MTUs bounds what a lie can do.
      if (e->kind == wire::icmp_kind::packet_too_big && e->protocol == d.protocol)
        lower_path_mtu(e->destination, e->mtu, now);
      return std::move(*e);
    }
    case wire::icmp_kind::other: return refuse(drop::no_protocol);
  }
  return {};
}

void layer::on_deadline(instant now) {
  path_mtus_.on_deadline(now);
  while (const auto first = reassembly_.expire(now))
    send_error(about(*first), {wire::icmp_kind::time_exceeded, 0, reassembly_time_exceeded, 0}, now);
}

instant layer::next_deadline() const {
  return std::min(reassembly_.next_deadline(), path_mtus_.next_deadline());
}

bool layer::poll_transmit(frame& out, instant) {
  if (output_.empty()) return false;
  output_.poll(out, path_mtu(output_.destination()));
  return true;
}

std::error_code layer::send(outgoing d, instant) {
  assert(d.source.is_v4() == d.destination.is_v4());
  if (!reachable(d.destination)) return std::make_error_code(std::errc::network_unreachable);
  std::size_t length = d.header.size();
  for (const slice& s : d.text) length += s.size();
  const std::size_t header = header_size(d.source.family());
  const std::size_t longest = d.source.is_v4() ? 65535 - header : 65535;
  if (length > longest || (d.dont_fragment && header + length > path_mtu(d.destination)))
    return std::make_error_code(std::errc::message_size);
  if (output_.full()) return std::make_error_code(std::errc::no_buffer_space);
  output_.push(std::move(d));
  return {};
}

std::error_code layer::send_echo(const address& destination, std::uint16_t identifier, std::uint16_t sequence,
                                 slice text, std::uint8_t hop_limit, instant now) {
  const auto source = source_for(destination);
  if (!source) return std::make_error_code(std::errc::network_unreachable);
  auto d = compose_icmp({wire::icmp_kind::echo_request, 0, 0, std::uint32_t{identifier} << 16 | sequence}, *source,
                        destination, std::move(text));
  d.hop_limit = hop_limit;
  return send(std::move(d), now);
}

void layer::send_unreachable(const datagram& subject, wire::unreachable_code reason, instant now) {
  const std::uint8_t code = wire::code_of(reason, subject.source.family());
  send_error(subject, {wire::icmp_kind::destination_unreachable, 0, code, 0}, now);
}

void layer::send_error(const datagram& subject, const wire::icmp_header& h, instant now) {
  const family f = subject.source.family();
  if (!routes_.is_host(subject.source) || !routes_.is_host(subject.destination)) return;
  if (is_icmp_error(subject.protocol, f, subject.transport.octets)) return;
  if (!errors_.take(now)) return count_.count(drop::rate_limited);
  send_answer(compose_icmp(h, subject.destination, subject.source, quote(subject.whole, f)));
}

// Nobody waits to hear of an answer's failure.
void layer::send_answer(outgoing d) {
  if (!reachable(d.destination)) return count_.count(drop::no_route);
  if (output_.full()) return count_.count(drop::transmit_full);
  output_.push(std::move(d));
}

delivery layer::refuse(drop reason) {
  count_.count(reason);
  return {};
}

}  // namespace tunic::ip
