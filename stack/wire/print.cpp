#include "stack/wire/print.hpp"

namespace tunic::wire {
namespace {

void append(std::string& line, const char* before, std::uint32_t value) {
  line.append(before).append(std::to_string(value));
}

void append(std::string& line, const char* before, seq value, seq base) {
  append(line, before, distance(base, value));
}

// "FO", or "FOEXP" for the experimental form, and the cookie.
void append_cookie(std::string& line, octets cookie) {
  static constexpr char digits[] = "0123456789abcdef";
  if (!cookie.empty()) line += ' ';
  for (std::size_t i = 0; i < cookie.size(); ++i) {
    const std::uint8_t o = load8(cookie.data() + i);
    line += digits[o >> 4];
    line += digits[o & 15];
  }
}

// One option as packetdrill writes it. SACK blocks are of the stream that is acknowledged.
void append_option(std::string& line, octets o, seq ack_base) {
  const std::byte* p = o.data() + 2;
  switch (load8(o.data())) {
    case 1: line += "nop"; break;
    case 2: append(line, "mss ", load16(p)); break;
    case 3: append(line, "wscale ", load8(p)); break;
    case 4: line += "sackOK"; break;
    case 5:
      line += "sack";
      for (; p != o.data() + o.size(); p += 8) {
        append(line, " ", seq{load32(p)}, ack_base);
        append(line, ":", seq{load32(p + 4)}, ack_base);
      }
      break;
    case 34:
      line += "FO";
      append_cookie(line, o.subspan(2));
      break;
    case 254:
      line += "FOEXP";
      append_cookie(line, o.subspan(4));
      break;
    case 172:
    case 174: {
      static constexpr const char* names[2][3] = {{" e0b ", " ceb ", " e1b "}, {" e1b ", " ceb ", " e0b "}};
      line += "ECN";
      for (std::size_t i = 0; 2 + 3 * i < o.size(); ++i)
        append(line, names[load8(o.data()) == 174][i], std::uint32_t{load16(p + 3 * i)} << 8 | load8(p + 3 * i + 2));
      break;
    }
    default: append(line, "TS val ", load32(p)); append(line, " ecr ", load32(p + 4));
  }
}

}  // namespace

std::string print(tcp_flags f) {
  std::string text;
  if (f.fin) text += 'F';
  if (f.syn) text += 'S';
  if (f.rst) text += 'R';
  if (f.psh) text += 'P';
  if (f.ack) text += '.';
  if (f.urg) text += 'U';
  if (f.ece) text += 'E';
  if (f.cwr) text += 'W';
  if (f.ae) text += 'A';
  return text.empty() ? "-" : text;
}

std::string print(const tcp_header& h, std::uint32_t text, print_base base) {
  std::string line = print(h.flags);
  append(line, " ", h.seq_number, base.seq_number);
  append(line, ":", h.seq_number + text, base.seq_number);
  append(line, "(", text);
  line += ')';
  if (h.flags.ack) append(line, " ack ", h.ack_number, base.ack_number);
  append(line, " win ", h.window.value);
  if (h.flags.urg) append(line, " urg ", h.urgent_pointer);

  // The options as they stand on the wire, so that their order and their nops are told in one place.
  std::array<std::byte, tcp_header::max_size> wire;
  octets rest = octets{wire}.subspan(tcp_header::min_size, emit_tcp(h, wire) - tcp_header::min_size);
  for (bool first = true; !rest.empty(); first = false) {
    const std::size_t length = load8(rest.data()) == 1 ? 1 : load8(rest.data() + 1);
    line += first ? " <" : ",";
    append_option(line, rest.first(length), base.ack_number);
    rest = rest.subspan(length);
    if (rest.empty()) line += '>';
  }
  return line;
}

}  // namespace tunic::wire
