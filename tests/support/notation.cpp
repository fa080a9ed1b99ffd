#include "tests/support/notation.hpp"

#include <charconv>
#include <sstream>
#include <stdexcept>

namespace tunic::test {
namespace {

class cursor {
 public:
  explicit cursor(std::string_view text) : whole_(text), rest_(text) {}

  bool take(std::string_view token) {
    skip_spaces();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) fail("expected '" + std::string{token} + "'");
  }
  std::uint32_t number() {
    skip_spaces();
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{}) fail("expected a number");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  std::string_view hexadecimal() {
    skip_spaces();
    const auto digits = rest_.substr(0, rest_.find_first_not_of("0123456789abcdef"));
    rest_.remove_prefix(digits.size());
    return digits;
  }
  std::string_view word() {
    skip_spaces();
    const auto end = rest_.find(' ');
    const auto w = rest_.substr(0, end);
    rest_.remove_prefix(w.size());
    return w;
  }
  bool done() {
    skip_spaces();
    return rest_.empty();
  }
  [[noreturn]] void fail(const std::string& why) {
    throw std::invalid_argument{"not in the notation: \"" + std::string{whole_} + "\": " + why + " at \"" +
                                std::string{rest_} + "\""};
  }

 private:
  void skip_spaces() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }
  std::string_view whole_;
  std::string_view rest_;
};

wire::tcp_flags parse_flags(cursor& at) {
  wire::tcp_flags f;
  for (const char c : at.word()) {
    switch (c) {
      case 'F': f.fin = true; break;
      case 'S': f.syn = true; break;
      case 'R': f.rst = true; break;
      case 'P': f.psh = true; break;
      case '.': f.ack = true; break;
      case 'U': f.urg = true; break;
      case 'E': f.ece = true; break;
      case 'W': f.cwr = true; break;
      case 'A': f.ae = true; break;
      case '-': break;
      default:
        if (c < '0' || c > '7') at.fail("unknown flag");
        f.ae = ((c - '0') & 4) != 0;
        f.cwr = ((c - '0') & 2) != 0;
        f.ece = ((c - '0') & 1) != 0;
    }
  }
  return f;
}

std::optional<wire::ecn_codepoint> parse_ecn(cursor& at) {
  using enum wire::ecn_codepoint;
  if (at.take("[noecn]")) return not_ect;
  if (at.take("[ect0]")) return ect0;
  if (at.take("[ect1]")) return ect1;
  if (at.take("[ce]")) return ce;
  return std::nullopt;
}

// The fields in the order in which they stand: "e0b 1 ceb 0 e1b 1".
wire::accurate_ecn parse_accurate_ecn(cursor& at) {
  wire::accurate_ecn o;
  for (; o.fields < 3; ++o.fields) {
    const char* const ends = o.fields == 1 ? "ceb" : (o.fields == 2) == o.e1b_first ? "e0b" : "e1b";
    if (o.fields == 0 && at.take("e1b")) {
      o.e1b_first = true;
    } else if (!at.take(o.fields == 0 ? "e0b" : ends)) {
      break;
    }
    o.field[o.fields] = at.number();
  }
  return o;
}

// "FO" or "FOEXP", then the cookie's digits, if any.
wire::fast_open parse_fast_open(cursor& at) {
  wire::fast_open o;
  o.experimental = at.take("EXP");
  const auto digits = at.hexadecimal();
  if (digits.size() % 2 != 0 || digits.size() / 2 > o.cookie.size()) at.fail("not a cookie");
  o.size = static_cast<std::uint8_t>(digits.size() / 2);
  for (std::size_t i = 0; i < o.size; ++i)
    o.cookie[i] = static_cast<std::uint8_t>(std::stoul(std::string{digits.substr(2 * i, 2)}, nullptr, 16));
  return o;
}

wire::tcp_options parse_options(cursor& at) {
  wire::tcp_options o;
  while (!at.take(">")) {
    if (at.take("mss")) {
      o.mss = static_cast<std::uint16_t>(at.number());
    } else if (at.take("sackOK")) {
      o.sack_permitted = true;
    } else if (at.take("wscale")) {
      o.window_scale = wire::window_shift{static_cast<std::uint8_t>(at.number())};
    } else if (at.take("TS")) {
      at.expect("val");
      const auto val = at.number();
      at.expect("ecr");
      o.timestamps = wire::tcp_timestamps{val, at.number()};
    } else if (at.take("sack")) {
      do {
        const auto left = at.number();
        at.expect(":");
        o.sack.push_back({seq{left}, seq{at.number()}});
      } while (!at.take(",") && !at.take(">") && !at.done());
      return o;  // SACK blocks stand last
    } else if (at.take("ECN")) {
      o.accurate_ecn = parse_accurate_ecn(at);
    } else if (at.take("FO")) {
      o.fast_open = parse_fast_open(at);
    } else if (!at.take("nop")) {
      at.fail("unknown option");
    }
    at.take(",");
  }
  return o;
}

}  // namespace

line parse_line(std::string_view text) {
  cursor at{text};
  line l;
  l.ecn = parse_ecn(at);
  l.flags = parse_flags(at);
  l.begin = at.number();
  at.expect(":");
  const auto end = at.number();
  at.expect("(");
  l.length = at.number();
  at.expect(")");
  if (l.begin + l.length != end) at.fail("the numbers do not add up");
  if (at.take("ack")) l.ack = at.number();
  if (at.take("win")) l.win = at.number();
  if (at.take("<")) l.options = parse_options(at);
  if (!at.done()) at.fail("more than expected");
  return l;
}

}  // namespace tunic::test
