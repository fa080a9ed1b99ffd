#include "stack/udp/layer.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "stack/wire/udp.hpp"

namespace tunic::udp {

std::size_t layer::hash::operator()(const four_tuple& t) const {
  std::array<std::uint8_t, 36> octets{};
  auto* to = octets.data();
  for (const endpoint& e : {t.local, t.remote}) {
    to = std::copy(e.address.octets().begin(), e.address.octets().end(), to);
    *to++ = static_cast<std::uint8_t>(e.port >> 8);
    *to++ = static_cast<std::uint8_t>(e.port);
  }
  return static_cast<std::size_t>(siphash(key, octets));
}

layer::layer(ip::layer& below, pool& buffers, counters& count, const secret& key)
    : ip_(below), pool_(buffers), count_(count), key_(key), bound_(0, hash{key}) {}

binding* layer::open(user* u) {
  std::unique_ptr<binding> s{new binding{*this, u}};
  binding* handle = s.get();
  sockets_.emplace(handle, std::move(s));
  return handle;
}

void layer::close(binding* s) {
  forget(*s);
  sockets_.erase(s);
}

void layer::on_datagram(const ip::datagram& d, instant now) {
  const auto& transport = d.transport;
  const auto h = wire::parse_udp(transport.octets.octets(), d.source, d.destination, transport.checksum);
  if (!h) return count_.count(h.error());
  const endpoint local{d.destination, h->destination_port};
  const endpoint remote{d.source, h->source_port};
  binding* s = find(local, remote);
  if (!s) {
    count_.count(drop::no_listener);
    return ip_.send_unreachable(d, wire::unreachable_code::port, now);
  }
  slice text = transport.octets.sub(wire::udp_header::size, h->length - std::uint32_t{wire::udp_header::size});
  // A super-segment stands for several datagrams, all of the same size but the last.
  const std::uint32_t most = transport.segment_size != 0 ? transport.segment_size : text.size();
  bool readable = false;
  do {
    const std::uint32_t n = std::min(most, text.size());
    if (s->push({compact(text.sub(0, n)), remote, local, d.hop_limit, d.tos})) {
      readable = true;
    } else {
      count_.count(drop::receive_full);
    }
    text.remove_prefix(n);
  } while (!text.empty());
  if (readable && s->user_) s->user_->on_readable();
}

void layer::on_icmp_error(const ip::icmp_error& e, instant now) {
  const std::byte* quoted = e.transport.data();
  const endpoint local{e.source, wire::load16(quoted)};
  const endpoint remote{e.destination, wire::load16(quoted + 2)};
  binding* s = find(local, remote);
  if (!s) return count_.count(drop::icmp_unrelated);
  const bool too_big = e.kind == wire::icmp_kind::packet_too_big;
  if (too_big) ip_.lower_path_mtu(e.destination, e.mtu, now);
  if (!s->is_connected() || !s->user_) return;
  if (too_big && s->options_.dont_fragment) return s->user_->on_error(std::make_error_code(std::errc::message_size));
  if (e.kind == wire::icmp_kind::destination_unreachable && e.unreachable == wire::unreachable_code::port)
    s->user_->on_error(std::make_error_code(std::errc::connection_refused));
}

binding* layer::find(const endpoint& local, const endpoint& remote) const {
  const auto at = [&](const endpoint& l, const endpoint& r) {
    const auto found = bound_.find({l, r});
    return found == bound_.end() ? nullptr : found->second;
  };
  if (binding* s = at(local, remote)) return s;
  if (binding* s = at(local, {})) return s;
  if (binding* s = at({address::any(local.address.family()), local.port}, {})) return s;
  if (!local.address.is_v4()) return nullptr;
  binding* s = at({address::any(family::v6), local.port}, {});
  return s && s->speaks(family::v4) ? s : nullptr;
}

bool layer::rename(binding& s, const endpoint& local, const endpoint& remote) {
  if (!bound_.emplace(four_tuple{local, remote}, &s).second) return false;
  ++ports_[local.port];
  forget(s);
  s.local_ = local;
  s.remote_ = remote;
  return true;
}

void layer::forget(const binding& s) {
  if (!s.is_bound()) return;
  bound_.erase({s.local_, s.remote_});
  const auto users = ports_.find(s.local_.port);
  if (--users->second == 0) ports_.erase(users);
}

std::optional<std::uint16_t> layer::ephemeral_port() {
  constexpr std::uint32_t first = 49152, count = 65536 - first;  // RFC 6335 §6: the dynamic ports
  std::array<std::uint8_t, 8> draw{};
  std::memcpy(draw.data(), &++draws_, draw.size());
  const auto start = static_cast<std::uint32_t>(siphash(key_, draw) % count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto port = static_cast<std::uint16_t>(first + (start + i) % count);
    if (!ports_.contains(port)) return port;
  }
  return std::nullopt;
}

slice layer::compact(slice text) {
  if (text.empty()) return {};
  const bool large = text.owner() && text.owner()->capacity() > pool::small_size;
  if (!large || text.size() > pool::small_size) return text;
  const buffer_ref b = pool_.small();
  std::memcpy(b->room().data(), text.data(), text.size());
  return pool::view(b, text.size());
}

}  // namespace tunic::udp
