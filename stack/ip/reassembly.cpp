#include "stack/ip/reassembly.hpp"

#include <algorithm>
#include <cstring>

#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"

namespace tunic::ip {
namespace {

std::size_t charge_of(const slice& text) {
  const std::size_t capacity = text.owner() ? text.owner()->capacity() : 0;
  return std::max<std::size_t>(capacity, text.size());
}

constexpr std::uint8_t ecn_mask = 3;
constexpr std::uint8_t ecn_congestion_experienced = 3;

}  // namespace

packet reassembly::add(fragment f, instant now) {
  const std::size_t cost = charge_of(f.text);
  while (!unfinished_.empty() && charge_ + cost > config_.reassembly_octets) give_up_oldest();
  if (cost > config_.reassembly_octets || config_.reassembly_datagrams == 0) {
    count_.count(drop::fragment_limit);
    return {};
  }
  unfinished& u = find_or_begin({f.source, f.destination, f.id, f.source.is_v4() ? f.protocol : std::uint8_t{0}}, now);
  const auto next = std::lower_bound(u.pieces.begin(), u.pieces.end(), f.offset,
                                     [](const piece& p, std::uint32_t offset) { return p.begin < offset; });
  // The network duplicates packets: a copy of a fragment is no overlap (RFC 8200 §4.5).
  if (next != u.pieces.end() && next->begin == f.offset && next->end() == f.end()) return {};

  const bool overlap = (next != u.pieces.begin() && std::prev(next)->end() > f.offset) ||
                       (next != u.pieces.end() && next->begin < f.end());
  const bool beyond = (u.length && f.end() > *u.length) ||
                      (!f.more && (u.length || (!u.pieces.empty() && u.pieces.back().end() > f.end())));
  if (u.refused || overlap || beyond) {
    release(u);
    u.refused = true;
    count_.count(drop::fragment_overlap);
    return {};
  }
  take(u, next, std::move(f));
  if (!u.length || u.octets != *u.length) return {};
  packet whole = join(u);
  release(u);
  unfinished_.erase(unfinished_.begin() + (&u - unfinished_.data()));
  return whole;
}

reassembly::unfinished& reassembly::find_or_begin(const key& k, instant now) {
  const auto found = std::find_if(unfinished_.begin(), unfinished_.end(), [&](const auto& u) { return u.key == k; });
  if (found != unfinished_.end()) return *found;
  while (unfinished_.size() >= config_.reassembly_datagrams) give_up_oldest();
  unfinished& u = unfinished_.emplace_back();
  u.key = k;
  u.deadline = now + config_.reassembly_timeout;
  return u;
}

void reassembly::take(unfinished& u, std::vector<piece>::iterator at, fragment f) {
  const std::size_t cost = charge_of(f.text);
  if (!f.more) u.length = f.end();
  // RFC 3168 §5.3: a mark on any fragment is a mark on the datagram.
  if ((f.tos & ecn_mask) == ecn_congestion_experienced) u.congestion_experienced = true;
  u.octets += f.text.size();
  u.charge += cost;
  charge_ += cost;
  u.pieces.insert(at, piece{f.offset, f.text});
  if (f.offset == 0) u.first = std::move(f);
}

packet reassembly::join(const unfinished& u) {
  const bool v4 = u.key.source.is_v4();
  const std::size_t header = v4 ? wire::ipv4_header::min_size : wire::ipv6_header::min_size;
  const buffer_ref b = pool_.fitting(header + u.octets);
  const auto tos =
      static_cast<std::uint8_t>(u.first->tos | (u.congestion_experienced ? ecn_congestion_experienced : 0));
  if (v4) {
    wire::ipv4_header h;
    h.tos = tos;
    h.total_length = static_cast<std::uint16_t>(header + u.octets);
    h.id = static_cast<std::uint16_t>(u.key.id);
    h.ttl = u.first->hop_limit;
    h.protocol = u.first->protocol;
    h.source = u.key.source;
    h.destination = u.key.destination;
    wire::emit_ipv4(h, b->room());
  } else {
    wire::ipv6_header h;
    h.traffic_class = tos;
    h.payload_length = static_cast<std::uint16_t>(u.octets);
    h.hop_limit = u.first->hop_limit;
    h.protocol = u.first->protocol;
    h.source = u.key.source;
    h.destination = u.key.destination;
    wire::emit_ipv6(h, b->room());
  }
  for (const piece& p : u.pieces) std::memcpy(b->room().data() + header + p.begin, p.text.data(), p.text.size());
  packet whole;
  whole.octets = pool::view(b, header + u.octets);
  return whole;
}

std::optional<fragment> reassembly::expire(instant now) {
  while (!unfinished_.empty() && unfinished_.front().deadline <= now) {
    auto first = std::move(unfinished_.front().first);
    give_up_oldest();
    if (first) return first;
  }
  return std::nullopt;
}

void reassembly::release(unfinished& u) {
  charge_ -= u.charge;
  u.charge = u.octets = 0;
  u.pieces.clear();
  u.pieces.shrink_to_fit();
  u.first.reset();
}

void reassembly::give_up_oldest() {
  unfinished& oldest = unfinished_.front();
  if (!oldest.refused) count_.count(drop::fragment_limit);
  release(oldest);
  unfinished_.erase(unfinished_.begin());
}

}  // namespace tunic::ip
