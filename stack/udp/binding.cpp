#include "stack/udp/binding.hpp"

#include <algorithm>
#include <cstring>

#include "stack/udp/layer.hpp"
#include "stack/wire/checksum.hpp"
#include "stack/wire/udp.hpp"

namespace tunic::udp {
namespace {

constexpr auto protocol = wire::number(wire::protocol::udp);

// What the length fields of IP leave to the text.
constexpr std::size_t longest_text(family f) {
  return 65535 - wire::udp_header::size - (f == family::v4 ? wire::ipv4_header::min_size : 0);
}

std::size_t charge_of(const received& r) {
  const std::size_t capacity = r.text.owner() ? r.text.owner()->capacity() : 0;
  return sizeof r + std::max<std::size_t>(capacity, r.text.size());
}

}  // namespace

std::error_code binding::bind(const endpoint& local, bool v6_only) {
  if (is_bound()) return std::make_error_code(std::errc::invalid_argument);
  if (!local.address.is_unspecified() && !layer_.ip_.is_ours(local.address))
    return std::make_error_code(std::errc::address_not_available);
  const auto port = local.port != 0 ? std::optional{local.port} : layer_.ephemeral_port();
  if (!port || !layer_.rename(*this, {local.address, *port}, {}))
    return std::make_error_code(std::errc::address_in_use);
  v6_only_ = v6_only;
  return {};
}

std::error_code binding::connect(const endpoint& remote) {
  if (remote.port == 0) return std::make_error_code(std::errc::invalid_argument);
  std::error_code e;
  if (!is_bound()) e = bind({address::any(remote.address.family()), 0});
  if (e) return e;
  const address source = source_for(remote.address, e);
  if (e) return e;
  if (remote == remote_) return {};
  return layer_.rename(*this, {source, local_.port}, remote) ? std::error_code{}
                                                             : std::make_error_code(std::errc::address_in_use);
}

std::error_code binding::send_to(std::span<const std::byte> text, const endpoint& to, instant now) {
  if (text.size() > longest_text(to.address.family())) return std::make_error_code(std::errc::message_size);
  if (text.empty()) return send_to(std::vector<slice>{}, to, now);
  const buffer_ref b = layer_.pool_.fitting(text.size());
  std::memcpy(b->room().data(), text.data(), text.size());
  return send_to(std::vector<slice>{pool::view(b, text.size())}, to, now);
}

std::error_code binding::send_to(std::vector<slice> text, const endpoint& to, instant now) {
  if (to.port == 0) return std::make_error_code(std::errc::invalid_argument);
  std::error_code e;
  if (!is_bound()) e = bind({address::any(to.address.family()), 0});
  if (e) return e;
  const address source = source_for(to.address, e);
  if (e) return e;
  std::size_t size = 0;
  for (const slice& s : text) size += s.size();
  if (size > longest_text(to.address.family())) return std::make_error_code(std::errc::message_size);

  wire::udp_header h;
  h.source_port = local_.port;
  h.destination_port = to.port;
  h.length = static_cast<std::uint16_t>(wire::udp_header::size + size);
  ip::outgoing d;
  d.source = source;
  d.destination = to.address;
  d.protocol = protocol;
  d.tos = options_.tos;
  d.hop_limit = options_.hop_limit;
  d.dont_fragment = options_.dont_fragment;
  d.header.resize(wire::udp_header::size);
  wire::emit_udp(h, d.header);
  wire::checksum sum;
  sum.add_pseudo_header(source, to.address, protocol, h.length);
  sum.add(d.header);
  for (const slice& s : text) sum.add(s.octets());
  const std::uint16_t field = sum.finish();
  wire::store16(d.header.data() + 6, field != 0 ? field : 0xffff);  // RFC 768: zero would mean that there is none
  d.text = std::move(text);
  return layer_.ip_.send(std::move(d), now);
}

std::optional<received> binding::receive() {
  if (!readable()) return std::nullopt;
  std::optional<received> r{std::move(queue_[head_++])};
  charge_ -= charge_of(*r);
  if (head_ == queue_.size()) {
    queue_.clear();
    head_ = 0;
  }
  return r;
}

bool binding::push(received r) {
  const std::size_t cost = charge_of(r);
  if (charge_ + cost > options_.receive_buffer) return false;
  if (head_ > 0 && head_ * 2 >= queue_.size()) {  // the room of what has been read
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  charge_ += cost;
  queue_.push_back(std::move(r));
  return true;
}

bool binding::speaks(family f) const {
  if (local_.address.is_v4()) return f == family::v4;
  return f == family::v6 || (local_.address.is_unspecified() && !v6_only_);
}

address binding::source_for(const address& destination, std::error_code& e) const {
  if (!speaks(destination.family())) {
    e = std::make_error_code(std::errc::address_family_not_supported);
    return {};
  }
  if (!local_.address.is_unspecified()) {
    if (!layer_.ip_.reachable(destination)) e = std::make_error_code(std::errc::network_unreachable);
    return local_.address;
  }
  const auto source = layer_.ip_.source_for(destination);
  if (!source) e = std::make_error_code(std::errc::network_unreachable);
  return source.value_or(address{});
}

}  // namespace tunic::udp
