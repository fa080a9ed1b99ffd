#include "stack/tcp/layer.hpp"
#include "stack/wire/checksum.hpp"

// A segment becomes a frame: header octets in front, slices of the send queue behind, never a copy of text.

namespace tunic::tcp {
namespace {

constexpr std::uint16_t checksum_field = 16;  // in the TCP header

}  // namespace

wire::tcp_options layer::options_of(const tcb& t, instant now) const {
  wire::tcp_options o;
  // RFC 7323 §3.2, §5.2: on each segment, resets too, echoing TS.Recent.
  if (t.timestamps_on) o.timestamps = wire::tcp_timestamps{timestamp(t, now), t.ts.recent};
  if (t.sack_on && t.rcv.has_duplicate()) o.sack.push_back(t.rcv.duplicate);  // RFC 2883 §4: first of all
  if (t.sack_on && t.receive_queue.has_gap() && !t.ecn.answers_ack()) {       // RFC 2018 §4; RFC 9768 §3.2.2.5.1
    const auto blocks = t.receive_queue.blocks();
    for (std::size_t i = 0; i < blocks.count; ++i) {
      const auto [begin, end] = blocks.list[i];
      o.sack.push_back(
          {t.rcv.irs + 1 + static_cast<std::uint32_t>(begin), t.rcv.irs + 1 + static_cast<std::uint32_t>(end)});
    }
  }
  t.ecn.add_option(o);
  return o;
}

void layer::emit(tcb& t, frame& out, wire::tcp_header& h, std::uint32_t mss, instant now) {
  h.source_port = t.ends.local.port;
  h.destination_port = t.ends.remote.port;
  // Whatever leaves acknowledges all that has arrived: one for a batch (RFC 9293 §3.10.7.4, MUST-58, MUST-59; RFC 5681
  // §4.2).
  if (h.flags.ack) {
    h.ack_number = t.rcv.nxt;
    t.ts.last_ack_sent = t.rcv.nxt;
    t.ack_now = false;
    if (t.unacked > 0 && t.quick_acks > 0) --t.quick_acks;
    t.rcv.duplicate = {};
    t.unacked = 0;
    t.deadline(timer::delayed_ack) = never;
  }
  // RFC 7323 §2.2: a SYN's window is never scaled.
  h.window = h.flags.syn ? scale_down(t.receive_buffer, {}) : offer_window(t);
  const std::size_t text = out.text_size();
  const bool fresh = text > 0 && h.seq_number == t.snd.nxt;
  // No ECT on a SYN (RFC 3168 §6.1.1).
  const auto mark = h.flags.syn ? wire::ecn_codepoint::not_ect : t.ecn.mark(h, static_cast<std::uint32_t>(text), fresh);
  if (text > mss) {
    out.segment_size = static_cast<std::uint16_t>(mss);
    out.ipv6 = !t.ends.remote.address.is_v4();
  }
  seal(out, t.ends, h, wire::with_ecn(t.tos, mark), t.hop_limit);
  report(true, t.ends, h, static_cast<std::uint32_t>(text), now);
}

void layer::emit_orphan(const orphan& o, frame& out, instant now) {
  wire::tcp_header h = o.header;
  h.source_port = o.ends.local.port;
  h.destination_port = o.ends.remote.port;
  seal(out, o.ends, h, o.tos, o.hop_limit);
  if (o.header.flags.rst) ++counters_.resets_out;
  report(true, o.ends, o.header, 0, now);
}

void layer::seal(frame& out, const four_tuple& ends, const wire::tcp_header& h, std::uint8_t tos,
                 std::uint8_t hop_limit) {
  const address& source = ends.local.address;  // RFC 9293 §3.9.1.1, MUST-45
  const address& destination = ends.remote.address;
  const std::size_t ip_size = ip::layer::header_size(destination.family());
  const std::size_t tcp_size = wire::emit_tcp(h, std::span{out.header_room}.subspan(ip_size));
  const std::size_t length = tcp_size + out.text_size();
  // The user's class and time to live (RFC 9293 §3.9.1.9, MUST-48, SHLD-21, SHLD-22; §3.9.2, MUST-49).
  ip_.compose(out, source, destination, wire::protocol::tcp, tos, hop_limit, length);
  out.header_size = ip_size + tcp_size;

  wire::checksum sum;  // RFC 9293 §3.1, MUST-2
  sum.add_pseudo_header(source, destination, wire::number(wire::protocol::tcp), static_cast<std::uint32_t>(length));
  std::byte* field = out.header_room.data() + ip_size + checksum_field;
  if (device_.checksum) {  // the device adds the rest up (virtio's NEEDS_CSUM)
    wire::store16(field, sum.partial());
    out.partial_checksum = true;
    out.checksum_start = static_cast<std::uint16_t>(ip_size);
    out.checksum_offset = checksum_field;
  } else {
    sum.add(out.header().subspan(ip_size));
    for (const slice& s : out.text) sum.add(s.octets());
    wire::store16(field, sum.finish());
  }
  ++counters_.segments_out;  // RFC 4022 §3
}

}  // namespace tunic::tcp
