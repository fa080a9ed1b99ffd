#include "apps/tunic/ladder/conversation.hpp"

#include <algorithm>
#include <string_view>

#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"

namespace tunic::ladder {
namespace {

struct ip_segment {
  address source, destination;
  wire::octets octets;
};

std::optional<ip_segment> segment_of(wire::octets datagram) {
  constexpr auto tcp = wire::number(wire::protocol::tcp);
  if (datagram.empty()) return {};
  if (wire::load8(datagram.data()) >> 4 == 4) {
    const auto h = wire::parse_ipv4(datagram);
    if (!h || h->protocol != tcp || h->is_fragment()) return {};
    return ip_segment{h->source, h->destination, datagram.first(h->total_length).subspan(h->header_length)};
  }
  const auto h = wire::parse_ipv6(datagram);
  if (!h || h->protocol != tcp || h->fragment) return {};
  return ip_segment{h->source, h->destination,
                    datagram.first(wire::ipv6_header::min_size + h->payload_length).subspan(h->header_length)};
}

/// The first line of an HTTP/1 message; empty where the text begins with none. Printable octets only.
std::string start_line_of(wire::octets text) {
  constexpr std::size_t most = 60;
  const std::string_view all{reinterpret_cast<const char*>(text.data()), std::min<std::size_t>(text.size(), 8192)};
  const std::string_view line = all.substr(0, all.find("\r\n"));
  if (line.size() == all.size()) return {};
  if (!line.starts_with("HTTP/1.") && !line.ends_with(" HTTP/1.1") && !line.ends_with(" HTTP/1.0")) return {};
  if (!std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; })) return {};
  return line.size() <= most ? std::string{line} : std::string{line.substr(0, most)} + "...";
}

}  // namespace

derived_state conversation::before_first(side s) const {
  const auto first = std::find_if(rows.begin(), rows.end(), [&](const row& r) { return r.from == s; });
  if (first == rows.end()) return {};
  return first->header.flags.syn && first->header.flags.ack ? tcp::state::listen : tcp::state::closed;
}

void conversations::on_datagram(const captured& c) {
  const auto segment = segment_of(c.octets);
  const auto header =
      segment ? wire::parse_tcp(segment->octets, segment->source, segment->destination, checksum_state::good)
              : drop::too_short;
  if (!header) {
    ++others_;
    return;
  }
  side from{};
  conversation& into = find({segment->source, header->source_port}, {segment->destination, header->destination_port},
                            c.direction, *header, from);
  const auto text = segment->octets.subspan(header->header_length);
  row& r = into.rows.emplace_back();
  r.time = c.time;
  r.from = from;
  r.header = *header;
  r.text = static_cast<std::uint32_t>(text.size());
  r.step = into.replay.on_segment(from, r.header, r.text);
  r.base = {into.replay.first(from).value_or(r.header.seq_number), into.replay.first(other(from)).value_or(seq{})};
  r.start_line = start_line_of(text);
}

conversation& conversations::find(const endpoint& source, const endpoint& destination, direction d,
                                  const wire::tcp_header& h, side& from) {
  auto at = open_.find({source.address, destination.address, source.port, destination.port});
  from = side::left;
  if (at == open_.end()) {
    at = open_.find({destination.address, source.address, destination.port, source.port});
    from = side::right;
  }
  if (at != open_.end()) {
    const replay& known = at->second->replay;
    const bool asks = h.flags.syn && !h.flags.ack;
    const bool unanswered = !known.state(other(from)) && known.first(from) != h.seq_number;
    if (!asks || (!known.over() && !unanswered)) return *at->second;
    open_.erase(at);
  }
  from = d == direction::in ? side::right : side::left;
  auto made = std::make_unique<conversation>();
  made->ends[from] = source;
  made->ends[other(from)] = destination;
  made->left_is_ours = d != direction::unknown;
  const auto& e = made->ends;
  open_[{e.left.address, e.right.address, e.left.port, e.right.port}] = made.get();
  return *all_.emplace_back(std::move(made));
}

}  // namespace tunic::ladder
