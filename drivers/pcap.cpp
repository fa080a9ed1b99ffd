#include "drivers/pcap.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace tunic::drivers {

pcap::pcap(device& inner, pcap_options options)
    : inner_(inner),
      form_(options.form),
      epoch_(options.epoch),
      file_(options.file, options.interface, options.snap, std::move(options.log)),
      scratch_(pool::large_size) {}

packet pcap::receive(pool& from, instant now, std::error_code& error) {
  packet p = inner_.receive(from, now, error);
  if (!p) {
    file_.flush();
  } else if (!file_.stopped()) {
    const std::size_t size = p.octets.size();
    if (scratch_.size() < size) scratch_.resize(size);
    const std::size_t readable = copy_(p.octets, scratch_.data());
    write({pcapng::direction::in, epoch_ + now.time_since_epoch(), size, readable,
           p.checksum == checksum_state::partial, p.segment_size});
  }
  return p;
}

std::error_code pcap::transmit(const frame& f, instant now) {
  const std::error_code error = inner_.transmit(f, now);
  if (error || file_.stopped()) return error;
  const std::size_t size = f.size();
  if (scratch_.size() < size) scratch_.resize(size);
  std::memcpy(scratch_.data(), f.header_room.data(), f.header_size);
  std::size_t readable = f.header_size;
  for (const slice& s : f.text) {
    const std::size_t copied = copy_(s, scratch_.data() + readable);
    readable += copied;
    if (copied < s.size()) break;  // in a mapping that has shrunk
  }
  write({pcapng::direction::out, epoch_ + now.time_since_epoch(), size, readable, f.partial_checksum, f.segment_size});
  return {};
}

void pcap::write(const sight& s) {
  const auto datagram = std::span{scratch_}.first(s.size);
  std::fill(datagram.begin() + static_cast<std::ptrdiff_t>(s.readable), datagram.end(), std::byte{});
  const bool cut = form_ == pcap_form::wire && s.segment_size > 0;
  const bool finish = form_ != pcap_form::as_seen && s.partial_checksum;
  if (cut || finish) {
    if (const auto layout = layout_of(datagram)) {
      if (cut) return write_segments(s, *layout);
      finish_checksum(datagram.first(layout->text), *layout,
                      datagram.subspan(layout->text, layout->end - layout->text));
    }
  }
  file_.add(s.direction, s.time, datagram.first(s.readable), {}, s.size);
}

void pcap::write_segments(const sight& s, const transport_layout& layout) {
  const auto datagram = std::span{scratch_}.first(layout.end);
  for (std::uint32_t at = layout.text, index = 0; at < layout.end; at += s.segment_size, ++index) {
    const std::uint32_t size = std::min<std::uint32_t>(s.segment_size, layout.end - at);
    const auto text = datagram.subspan(at, size);
    header_.assign(datagram.begin(), datagram.begin() + layout.text);
    cut_header(header_, layout, index, s.segment_size, size, at + size == layout.end);
    finish_checksum(header_, layout, text);
    const std::size_t readable = s.readable > at ? std::min<std::size_t>(s.readable - at, size) : 0;
    file_.add(s.direction, s.time, header_, text.first(readable), header_.size() + size);
  }
}

}  // namespace tunic::drivers
