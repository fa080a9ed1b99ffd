#include "drivers/impairment.hpp"

#include <algorithm>
#include <cstring>

#include "stack/buffer/flatten.hpp"

namespace tunic::drivers {

impairment::impairment(device& inner, const impairment_options& options)
    : inner_(inner), out_(options.out, options.seed), in_(options.in, ~options.seed), scratch_(pool::large_size) {}

void impairment::push(path& p, wire::octets datagram, std::uint16_t segment_size, bool partial_checksum, instant now) {
  cutter_.begin(datagram, segment_size, partial_checksum);
  for (auto piece = cutter_.next(); !piece.empty(); piece = cutter_.next()) p.push(piece, now);
}

packet impairment::receive(pool& from, instant now, std::error_code& error) {
  error.clear();
  hand_on(now);
  if (now == taken_ && in_.next_deadline() <= now) return {.octets = in_.pop(now)};
  more_ = false;
  for (unsigned n = 0;; ++n) {
    more_ = n == batch;
    if (more_) break;
    const packet p = inner_.receive(from, now, error);
    if (error) return {};
    if (!p) break;
    push(in_, p.octets.octets(), p.segment_size, p.checksum == checksum_state::partial, now);
  }
  taken_ = now;
  return {.octets = in_.pop(now)};
}

std::error_code impairment::transmit(const frame& f, instant now) {
  const std::size_t size = f.size();
  const std::size_t on_wire = f.segment_size > 0 ? std::min(size, f.header_size + f.segment_size) : size;
  if (on_wire > mtu() || size > scratch_.size()) return std::make_error_code(std::errc::message_size);
  std::byte* to = scratch_.data();
  std::memcpy(to, f.header_room.data(), f.header_size);
  to += f.header_size;
  for (const slice& s : f.text) {
    if (copy_(s, to) < s.size()) return std::make_error_code(std::errc::bad_address);
    to += s.size();
  }
  push(out_, std::span{scratch_}.first(size), f.segment_size, f.partial_checksum, now);
  hand_on(now);
  return {};
}

void impairment::hand_on(instant now) {
  for (slice d = out_.pop(now); !d.empty(); d = out_.pop(now)) {
    make_frame(frame_, std::move(d));
    inner_.transmit(frame_, now);
  }
  frame_.clear();
}

instant impairment::next_deadline() const {
  return std::min({more_ ? taken_ : never, out_.next_deadline(), in_.next_deadline(), inner_.next_deadline()});
}

}  // namespace tunic::drivers
