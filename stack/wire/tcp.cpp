#include "stack/wire/tcp.hpp"

#include <algorithm>

#include "stack/wire/checksum.hpp"
#include "stack/wire/ipv4.hpp"

namespace tunic::wire {
namespace {

// IANA's kinds and the lengths that their RFCs give them, both in one word where the length is fixed.
enum kind : std::uint8_t {
  eol = 0,
  nop = 1,
  mss = 2,
  window_scale = 3,
  sack_permitted = 4,
  sack = 5,
  timestamps = 8,
  fast_open_cookie = 34,  // RFC 7413 §9
  accecn0 = 172,
  accecn1 = 174,
  experiment = 254  // RFC 6994: what follows says which
};
constexpr std::size_t mss_length = 4;
constexpr std::size_t window_scale_length = 3;
constexpr std::size_t sack_permitted_length = 2;
constexpr std::size_t sack_block_length = 8;
constexpr std::size_t timestamps_length = 10;
constexpr std::size_t accecn_field_length = 3;
constexpr std::uint16_t fast_open_experiment = 0xf989;
constexpr std::uint8_t max_shift = 14;  // RFC 7323 §2.3

// The four octets that most segments' options begin with: nop, nop, timestamps, 10 (RFC 7323, appendix A).
constexpr std::uint32_t aligned_timestamps = nop << 24 | nop << 16 | timestamps << 8 | timestamps_length;
constexpr std::size_t aligned_timestamps_size = 12;
constexpr std::size_t max_options_size = tcp_header::max_size - tcp_header::min_size;

// From the octet that the header's length begins.
tcp_flags load_flags(const std::byte* p) {
  const std::uint16_t o = load16(p);
  return {.fin = (o & 0x01) != 0,
          .syn = (o & 0x02) != 0,
          .rst = (o & 0x04) != 0,
          .psh = (o & 0x08) != 0,
          .ack = (o & 0x10) != 0,
          .urg = (o & 0x20) != 0,
          .ece = (o & 0x40) != 0,
          .cwr = (o & 0x80) != 0,
          .ae = (o & 0x100) != 0};
}

std::uint8_t octet_of(const tcp_flags& f) {
  return static_cast<std::uint8_t>(f.fin | f.syn << 1 | f.rst << 2 | f.psh << 3 | f.ack << 4 | f.urg << 5 | f.ece << 6 |
                                   f.cwr << 7);
}

tcp_timestamps load_timestamps(const std::byte* p) {
  return {.val = load32(p), .ecr = load32(p + 4)};
}

// RFC 9768 §3.2.3: of any other length, the whole fields count.
accurate_ecn load_accurate_ecn(octets text, bool e1b_first) {
  accurate_ecn o{.e1b_first = e1b_first};
  o.fields = static_cast<std::uint8_t>(std::min(text.size() / accecn_field_length, o.field.size()));
  for (std::size_t i = 0; i < o.fields; ++i) {
    const std::byte* p = text.data() + i * accecn_field_length;
    o.field[i] = std::uint32_t{load16(p)} << 8 | load8(p + 2);
  }
  return o;
}

// RFC 7413 §4.1.1: of any other length it is ignored.
void load_fast_open(octets text, bool experimental, tcp_options& o) {
  const bool request = text.empty();
  if (!request && (text.size() < fast_open::min_cookie || text.size() > fast_open::max_cookie || text.size() % 2 != 0))
    return;
  fast_open& f = o.fast_open.emplace();
  f.experimental = experimental;
  f.size = static_cast<std::uint8_t>(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) f.cookie[i] = load8(text.data() + i);
}

// Reads one option's text; false where its length is not what its kind demands.
bool read_option(std::uint8_t kind_octet, octets text, tcp_options& o) {
  const std::size_t length = text.size() + 2;
  const std::byte* p = text.data();
  switch (kind_octet) {
    case mss:
      if (length != mss_length) return false;
      o.mss = load16(p);
      return true;
    case window_scale:
      if (length != window_scale_length) return false;
      o.window_scale = window_shift{std::min(load8(p), max_shift)};
      return true;
    case sack_permitted:
      if (length != sack_permitted_length) return false;
      o.sack_permitted = true;
      return true;
    case timestamps:
      if (length != timestamps_length) return false;
      o.timestamps = load_timestamps(p);
      return true;
    case sack:
      if (text.empty() || text.size() % sack_block_length != 0) return false;
      for (; !text.empty(); text = text.subspan(sack_block_length))
        o.sack.push_back({.left = seq{load32(text.data())}, .right = seq{load32(text.data() + 4)}});
      return true;
    case accecn0:
    case accecn1: o.accurate_ecn = load_accurate_ecn(text, kind_octet == accecn1); return true;
    case fast_open_cookie: load_fast_open(text, false, o); return true;
    case experiment:
      if (text.size() >= 2 && load16(p) == fast_open_experiment) load_fast_open(text.subspan(2), true, o);
      return true;
    default: return true;  // RFC 9293 §3.1, MUST-6; RFC 5482 §3's too
  }
}

// RFC 9293 §3.1, MUST-4, MUST-5, MUST-7, MUST-68, and §3.2, MUST-64: false where a length is illegal or runs out of the
// header.
bool read_options(octets rest, tcp_options& o) {
  if (rest.size() >= aligned_timestamps_size && load32(rest.data()) == aligned_timestamps) {
    o.timestamps = load_timestamps(rest.data() + 4);
    rest = rest.subspan(aligned_timestamps_size);
  }
  while (!rest.empty()) {
    const std::uint8_t k = load8(rest.data());
    if (k == eol) return true;
    if (k == nop) {
      rest = rest.subspan(1);
      continue;
    }
    if (rest.size() < 2) return false;
    const std::size_t length = load8(rest.data() + 1);
    if (length < 2 || length > rest.size()) return false;
    if (!read_option(k, rest.subspan(2, length - 2), o)) return false;
    rest = rest.subspan(length);
  }
  return true;
}

std::size_t sack_blocks_that_fit(const tcp_options& o) {
  const std::size_t room = max_options_size - (o.timestamps ? aligned_timestamps_size : 0) -
                           (o.accurate_ecn ? o.accurate_ecn->size() : 0) - 4;
  return std::min(o.sack.size(), room / sack_block_length);
}

std::byte* put(std::byte* p, std::uint32_t word) {
  store32(p, word);
  return p + 4;
}

std::byte* emit_accurate_ecn(const accurate_ecn& o, std::byte* p) {
  std::byte* const end = p + o.size();
  store8(p, o.e1b_first ? accecn1 : accecn0);
  store8(p + 1, static_cast<std::uint8_t>(2 + o.fields * accecn_field_length));
  p += 2;
  for (std::size_t i = 0; i < o.fields; ++i, p += accecn_field_length) {
    store16(p, static_cast<std::uint16_t>(o.field[i] >> 8));
    store8(p + 2, static_cast<std::uint8_t>(o.field[i]));
  }
  while (p != end) store8(p++, nop);
  return end;
}

std::byte* emit_fast_open(const fast_open& o, std::byte* p) {
  std::byte* const end = p + o.room();
  const std::size_t before = o.experimental ? 4 : 2;
  store8(p, o.experimental ? experiment : fast_open_cookie);
  store8(p + 1, static_cast<std::uint8_t>(before + o.size));
  if (o.experimental) store16(p + 2, fast_open_experiment);
  p += before;
  for (std::size_t i = 0; i < o.size; ++i) store8(p++, o.cookie[i]);
  while (p != end) store8(p++, nop);
  return end;
}

// Both write whole words, as Linux does: whatever does not fill one has nops before it, Fast Open and accurate ECN
// behind; no padding follows (RFC 9293 §3.1, MUST-69).
std::byte* emit_syn_options(const tcp_options& o, std::byte* p) {
  std::byte* const end = p + max_options_size;
  if (o.mss) p = put(p, std::uint32_t{mss << 24 | mss_length << 16} | *o.mss);
  const std::uint32_t permitted = sack_permitted << 8 | sack_permitted_length;
  if (o.timestamps) {
    p = put(p, o.sack_permitted ? permitted << 16 | (aligned_timestamps & 0xffff) : aligned_timestamps);
    p = put(p, o.timestamps->val);
    p = put(p, o.timestamps->ecr);
  } else if (o.sack_permitted) {
    p = put(p, nop << 24 | nop << 16 | permitted);
  }
  if (o.window_scale)
    p = put(p, std::uint32_t{nop << 24 | window_scale << 16 | window_scale_length << 8} | o.window_scale->value);
  if (o.fast_open) p = emit_fast_open(*o.fast_open, p);
  if (o.accurate_ecn && p + o.accurate_ecn->size() <= end) p = emit_accurate_ecn(*o.accurate_ecn, p);
  return p;
}

// Without a SYN: no MSS (RFC 9293 §3.7.1, MUST-65), no window scale, no SACK-permitted (RFC 2018 §2), no Fast Open (RFC
// 7413 §4.1.1).
std::byte* emit_other_options(const tcp_options& o, std::byte* p) {
  if (o.timestamps) {
    p = put(p, aligned_timestamps);
    p = put(p, o.timestamps->val);
    p = put(p, o.timestamps->ecr);
  }
  if (o.accurate_ecn) p = emit_accurate_ecn(*o.accurate_ecn, p);
  if (const auto blocks = static_cast<std::uint32_t>(sack_blocks_that_fit(o)); blocks > 0) {
    p = put(p, nop << 24 | nop << 16 | sack << 8 | (2 + blocks * std::uint32_t{sack_block_length}));
    for (const sack_block& b : std::span{o.sack.begin(), blocks}) {
      p = put(p, b.left.value());
      p = put(p, b.right.value());
    }
  }
  return p;
}

// Fills the header, or says what is wrong with the segment.
std::optional<drop> read(octets segment, const address& source, const address& destination, checksum_state state,
                         tcp_header& h) {
  if (segment.size() < tcp_header::min_size) return drop::too_short;
  const std::byte* p = segment.data();
  h.header_length = static_cast<std::uint8_t>((load8(p + 12) >> 4) * 4);
  if (h.header_length < tcp_header::min_size || h.header_length > segment.size()) return drop::bad_header_length;
  if (state == checksum_state::unknown) {  // RFC 9293 §3.1, MUST-3
    checksum sum;
    const auto length = static_cast<std::uint32_t>(segment.size());
    sum.add_pseudo_header(source, destination, number(protocol::tcp), length);
    sum.add(segment);
    if (sum.finish() != 0) return drop::bad_checksum;
  }
  h.source_port = load16(p);
  h.destination_port = load16(p + 2);
  h.seq_number = seq{load32(p + 4)};
  h.ack_number = seq{load32(p + 8)};
  h.flags = load_flags(p + 12);
  h.window.value = load16(p + 14);
  h.urgent_pointer = load16(p + 18);
  const octets options = segment.first(h.header_length).subspan(tcp_header::min_size);
  if (!read_options(options, h.options)) return drop::bad_option;
  return std::nullopt;
}

}  // namespace

result<tcp_header, drop> parse_tcp(octets segment, const address& source, const address& destination,
                                   checksum_state state) {
  // The header is filled where it is returned, for copying it takes longer than reading it.
  static constexpr tcp_header blank;
  result<tcp_header, drop> header{blank};
  if (const auto bad = read(segment, source, destination, state, *header)) header = *bad;
  return header;
}

std::size_t size_of(const tcp_options& o, const tcp_flags& flags) {
  std::size_t n = tcp_header::min_size + (o.timestamps ? aligned_timestamps_size : 0);
  if (flags.syn) {
    n += o.mss ? 4 : 0;
    n += o.sack_permitted && !o.timestamps ? 4 : 0;  // else it stands where the timestamps' nops do
    n += o.window_scale ? 4 : 0;
    n += o.fast_open ? o.fast_open->room() : 0;
  }
  if (o.accurate_ecn && n + o.accurate_ecn->size() <= tcp_header::max_size) n += o.accurate_ecn->size();
  if (!flags.syn && !o.sack.empty()) {
    n += 4 + sack_blocks_that_fit(o) * sack_block_length;
  }
  return n;
}

std::size_t emit_tcp(const tcp_header& h, writable_octets to) {
  assert(to.size() >= size_of(h.options, h.flags));
  std::byte* p = to.data();
  std::byte* const end = h.flags.syn ? emit_syn_options(h.options, p + tcp_header::min_size)
                                     : emit_other_options(h.options, p + tcp_header::min_size);
  const auto size = static_cast<std::size_t>(end - p);
  store16(p, h.source_port);
  store16(p + 2, h.destination_port);
  store32(p + 4, h.seq_number.value());
  store32(p + 8, h.ack_number.value());
  store8(p + 12, static_cast<std::uint8_t>(size / 4 << 4 | (h.flags.ae ? 1 : 0)));
  store8(p + 13, octet_of(h.flags));
  store16(p + 14, h.window.value);
  store16(p + 16, 0);
  store16(p + 18, h.urgent_pointer);
  return size;
}

}  // namespace tunic::wire
