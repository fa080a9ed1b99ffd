#include "stack/wire/checksum.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "tests/support/script.hpp"

// A line of a script becomes octets.

namespace tunic::test {

std::vector<std::byte> script::datagram(std::string_view text) const {
  const line l = parse_line(text);
  wire::tcp_header h;
  h.source_port = peer_.port;
  h.destination_port = us_.port;
  h.seq_number = irs_ + l.begin;
  h.flags = l.flags;
  if (l.ack) h.ack_number = iss_ + *l.ack;
  h.window.value = static_cast<std::uint16_t>(l.win.value_or(options_.peer_window));
  if (l.options) {
    h.options = *l.options;
    if (h.options.timestamps && l.flags.ack) h.options.timestamps->ecr += first_timestamp_.value_or(0);
    h.options.sack = {};
    for (const auto& b : l.options->sack) h.options.sack.push_back({iss_ + b.left.value(), iss_ + b.right.value()});
  }
  std::vector<std::byte> octets(120);
  const std::size_t ip_size = ip::layer::header_size(us_.address.family());
  const std::size_t tcp_size = wire::emit_tcp(h, std::span{octets}.subspan(ip_size));
  octets.resize(ip_size + tcp_size + l.length);
  const std::uint32_t offset = l.flags.syn ? l.begin : l.begin - 1;  // of the stream: a SYN's text stands behind it
  for (std::uint32_t i = 0; i < l.length; ++i) octets[ip_size + tcp_size + i] = pattern(offset + i, false);
  const std::uint8_t tos = wire::with_ecn(0, l.ecn.value_or(wire::ecn_codepoint::not_ect));
  const auto length = static_cast<std::uint16_t>(tcp_size + l.length);
  if (options_.ipv6) {
    wire::ipv6_header ip;
    ip.traffic_class = tos;
    ip.source = peer_.address, ip.destination = us_.address, ip.protocol = 6, ip.payload_length = length;
    wire::emit_ipv6(ip, octets);
  } else {
    wire::ipv4_header ip;
    ip.tos = tos;
    ip.source = peer_.address, ip.destination = us_.address, ip.protocol = 6;
    ip.total_length = static_cast<std::uint16_t>(length + ip_size);
    wire::emit_ipv4(ip, octets);
  }
  repair_checksums(octets);
  return octets;
}

void script::datagram_arrives(std::span<const std::byte> octets) {
  const buffer_ref b = stack_->pool().fitting(octets.size());
  std::copy(octets.begin(), octets.end(), b->room().begin());
  stack_->on_packet({pool::view(b, octets.size()), 0, checksum_state::unknown}, now_);
}

void script::icmp_arrives(ip::icmp_error e, std::uint32_t about) {
  step("arrives  an ICMP error about " + std::to_string(about));
  const buffer_ref quoted = stack_->pool().small();
  wire::store16(quoted->room().data(), us_.port);
  wire::store16(quoted->room().data() + 2, peer_.port);
  wire::store32(quoted->room().data() + 4, (iss_ + about).value());
  e.transport = pool::view(quoted, 8);
  e.source = us_.address;
  e.destination = peer_.address;
  e.protocol = 6;
  stack_->tcp().on_icmp_error(e, now_);
}

void repair_checksums(std::span<std::byte> datagram) {
  const bool v6 = std::to_integer<unsigned>(datagram[0]) >> 4 == 6;
  const std::size_t ip_size = v6 ? 40 : (std::to_integer<std::size_t>(datagram[0]) & 15) * 4;
  if (!v6 && ip_size >= 20 && ip_size <= datagram.size()) {
    wire::store16(datagram.data() + 10, 0);
    wire::checksum header;
    header.add(datagram.first(ip_size));
    wire::store16(datagram.data() + 10, header.finish());
  }
  if (datagram.size() < ip_size + wire::tcp_header::min_size) return;
  const auto segment = datagram.subspan(ip_size);
  wire::store16(segment.data() + 16, 0);
  wire::checksum sum;
  sum.add(datagram.subspan(v6 ? 8 : 12, v6 ? 32 : 8));  // the pseudo-header
  sum.add16(6);
  sum.add16(static_cast<std::uint16_t>(segment.size()));
  sum.add(segment);
  wire::store16(segment.data() + 16, sum.finish());
}

}  // namespace tunic::test
