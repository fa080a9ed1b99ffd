#include "stack/ip/output.hpp"

#include <algorithm>
#include <cstring>

#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"

namespace tunic::ip {
namespace {

constexpr std::size_t header_room = frame::max_header - wire::ipv6_header::min_size - wire::ipv6_fragment::size;

std::size_t length_of(const outgoing& d) {
  std::size_t n = d.header.size();
  for (const slice& s : d.text) n += s.size();
  return n;
}

// One copy makes a datagram of many pieces one of a single piece, so that no fragment has more than a frame takes.
void flatten(outgoing& d, pool& buffers) {
  const std::size_t length = length_of(d);
  const buffer_ref b = buffers.fitting(length);
  std::byte* to = b->room().data();
  const auto append = [&to](std::span<const std::byte> octets) {
    if (!octets.empty()) std::memcpy(to, octets.data(), octets.size());
    to += octets.size();
  };
  append(d.header);
  for (const slice& s : d.text) append(s.octets());
  d.header.clear();
  d.text.assign(1, pool::view(b, length));
}

}  // namespace

std::uint32_t identifications::next(const address& source, const address& destination, std::uint8_t protocol) {
  std::array<std::uint8_t, 33> flow{};
  std::copy(source.octets().begin(), source.octets().end(), flow.begin());
  std::copy(destination.octets().begin(), destination.octets().end(), flow.begin() + 16);
  flow[32] = protocol;
  const std::uint64_t h = siphash(key_, flow);
  return static_cast<std::uint32_t>(h >> 32) + counters_[h % counters_.size()]++;
}

output::output(const config& c, const secret& key, pool& buffers)
    : config_(c), pool_(buffers), ids_(key), queue_(c.transmit_queue) {}

void output::push(outgoing d) {
  if (d.hop_limit == 0) d.hop_limit = config_.hop_limit;
  if (d.header.size() > header_room || d.text.size() > frame::max_slices) flatten(d, pool_);
  queue_[(head_ + count_++) % queue_.size()] = std::move(d);
}

void output::poll(frame& out, std::size_t mtu) {
  const outgoing& d = queue_[head_];
  out.clear();
  out.ipv6 = !d.source.is_v4();
  std::size_t header = out.ipv6 ? wire::ipv6_header::min_size : wire::ipv4_header::min_size;
  if (sent_ == 0) {
    length_ = length_of(d);
    mtu_ = mtu;
    cut_ = !d.dont_fragment && header + length_ > mtu_;
    // A router of version 4 may cut what is not marked; what is, needs no identification (RFC 6864 §4.1).
    if (cut_ || (!out.ipv6 && !d.dont_fragment)) id_ = ids_.next(d.source, d.destination, d.protocol);
  }
  std::size_t n = length_;
  if (cut_) {
    if (out.ipv6) header += wire::ipv6_fragment::size;
    // Every fragment but the last has a multiple of eight octets; the transport header counts among the first one's.
    const std::size_t most = mtu_ > header + 8 ? (mtu_ - header) & ~std::size_t{7} : 8;
    n = std::min(most, length_ - sent_);
  }
  out.header_size = header;
  out.ipv6 ? emit_v6(out, d, n) : emit_v4(out, d, n);
  gather(out, d, n);
  if (sent_ < length_) return;
  queue_[head_] = outgoing{};
  head_ = (head_ + 1) % queue_.size();
  --count_;
  sent_ = piece_ = piece_sent_ = 0;
}

void output::emit_v4(frame& out, const outgoing& d, std::size_t n) const {
  wire::ipv4_header h;
  h.tos = d.tos;
  h.total_length = static_cast<std::uint16_t>(out.header_size + n);
  h.id = d.dont_fragment ? std::uint16_t{0} : static_cast<std::uint16_t>(id_);
  h.dont_fragment = d.dont_fragment;
  h.more_fragments = sent_ + n < length_;
  h.fragment_offset = static_cast<std::uint16_t>(sent_);
  h.ttl = d.hop_limit;
  h.protocol = d.protocol;
  h.source = d.source;
  h.destination = d.destination;
  wire::emit_ipv4(h, out.header());
}

void output::emit_v6(frame& out, const outgoing& d, std::size_t n) const {
  wire::ipv6_header h;
  h.traffic_class = d.tos;
  h.payload_length = static_cast<std::uint16_t>(out.header_size - wire::ipv6_header::min_size + n);
  h.hop_limit = d.hop_limit;
  h.source = d.source;
  h.destination = d.destination;
  h.protocol = d.protocol;
  if (cut_) h.fragment = wire::ipv6_fragment{static_cast<std::uint16_t>(sent_), sent_ + n < length_, id_};
  wire::emit_ipv6(h, out.header());
}

// The next n octets of the datagram: its transport header goes behind IP's, its text is shared.
void output::gather(frame& out, const outgoing& d, std::size_t n) {
  const auto advance = [&](std::size_t octets) { sent_ += octets, n -= octets; };
  if (sent_ < d.header.size()) {
    const std::size_t m = std::min(n, d.header.size() - sent_);
    std::memcpy(out.header_room.data() + out.header_size, d.header.data() + sent_, m);
    out.header_size += m;
    advance(m);
  }
  while (n > 0) {
    const slice& s = d.text[piece_];
    const auto m = static_cast<std::uint32_t>(std::min<std::size_t>(n, s.size() - piece_sent_));
    if (m > 0) out.text.push_back(s.sub(piece_sent_, m));
    piece_sent_ += m;
    if (piece_sent_ == s.size()) ++piece_, piece_sent_ = 0;
    advance(m);
  }
}

}  // namespace tunic::ip
