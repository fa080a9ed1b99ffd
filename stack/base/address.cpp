#include "stack/base/address.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace tunic {
namespace {

std::optional<unsigned> number(std::string_view text, int base, unsigned limit) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || value > limit) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> parse_v4(std::string_view text) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const auto dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos || dot > 3) return std::nullopt;
    const auto part = text.substr(0, dot);
    if (part.size() > 1 && part.front() == '0') return std::nullopt;  // 010 is eight to some and ten to others
    const auto octet = number(part, 10, 255);
    if (!octet) return std::nullopt;
    value = value << 8 | *octet;
    text.remove_prefix(std::min(text.size(), dot + 1));
  }
  return value;
}

// One side of "::": groups of hexadecimal digits. The last of them may be dotted decimal where the address ends with
// it.
bool parse_groups(std::string_view text, bool ends_address, std::vector<std::uint16_t>& groups) {
  if (text.empty()) return true;
  for (;;) {
    const auto colon = text.find(':');
    const auto part = text.substr(0, colon);
    if (ends_address && colon == std::string_view::npos && part.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(part);
      if (!v4) return false;
      groups.push_back(static_cast<std::uint16_t>(*v4 >> 16));
      groups.push_back(static_cast<std::uint16_t>(*v4));
      return true;
    }
    const auto group = part.size() <= 4 ? number(part, 16, 0xffff) : std::nullopt;
    if (!group) return false;
    groups.push_back(static_cast<std::uint16_t>(*group));
    if (colon == std::string_view::npos) return true;
    text.remove_prefix(colon + 1);
  }
}

}  // namespace

std::optional<address> address::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto value = parse_v4(text);
    return value ? std::optional{v4(*value)} : std::nullopt;
  }
  std::vector<std::uint16_t> head;
  std::vector<std::uint16_t> tail;
  const auto gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (!parse_groups(text, true, head) || head.size() != 8) return std::nullopt;
  } else {
    if (!parse_groups(text.substr(0, gap), false, head)) return std::nullopt;
    if (!parse_groups(text.substr(gap + 2), true, tail)) return std::nullopt;
    if (head.size() + tail.size() > 7) return std::nullopt;
  }
  head.resize(8 - tail.size());
  head.insert(head.end(), tail.begin(), tail.end());
  std::array<std::uint8_t, 16> octets{};
  for (std::size_t i = 0; i < 8; ++i) {
    octets[2 * i] = static_cast<std::uint8_t>(head[i] >> 8);
    octets[2 * i + 1] = static_cast<std::uint8_t>(head[i]);
  }
  return v6(octets);
}

bool address::is_unspecified() const {
  return *this == address{} || *this == v4(0);
}

bool address::is_multicast() const {
  return is_v4() ? v4_value() >> 28 == 0xe : octets_[0] == 0xff;
}

bool address::is_loopback() const {
  if (is_v4()) return octets_[12] == 127;
  return std::all_of(octets_.begin(), octets_.end() - 1, [](auto o) { return o == 0; }) && octets_[15] == 1;
}

bool address::is_link_local() const {
  if (is_v4()) return octets_[12] == 169 && octets_[13] == 254;
  return octets_[0] == 0xfe && (octets_[1] & 0xc0) == 0x80;
}

std::string address::to_string() const {
  if (is_v4()) {
    std::string text = std::to_string(octets_[12]);
    for (std::size_t i = 13; i < 16; ++i) text.append(1, '.').append(std::to_string(octets_[i]));
    return text;
  }
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = static_cast<unsigned>(octets_[2 * i] << 8 | octets_[2 * i + 1]);
  std::size_t gap =
      8;  // RFC 5952 §4.2: "::" replaces the longest run of zeros, the first of equals, never a single one
  std::size_t gap_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t n = 0;
    while (i + n < 8 && groups[i + n] == 0) ++n;
    if (n > gap_length) gap = i, gap_length = n;
  }
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      text += "::";
      i += gap_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    std::array<char, 4> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), groups[i], 16);
    text.append(digits.data(), error == std::errc{} ? end : digits.data());
  }
  return text;
}

std::optional<prefix> prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto a = tunic::address::parse(text.substr(0, slash));
  if (!a) return std::nullopt;
  if (slash == std::string_view::npos) return prefix{*a, a->bits()};
  const auto length = number(text.substr(slash + 1), 10, a->bits());
  return length ? std::optional{prefix{*a, *length}} : std::nullopt;
}

bool prefix::contains(const tunic::address& a) const {
  if (a.is_v4() != address.is_v4()) return false;
  const auto ours = address.wire_octets();
  const auto theirs = a.wire_octets();
  const std::size_t whole = length / 8;
  if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(whole), theirs.begin())) return false;
  const unsigned rest = length % 8;
  return rest == 0 || (ours[whole] ^ theirs[whole]) >> (8 - rest) == 0;
}

std::string prefix::to_string() const {
  return address.to_string() + "/" + std::to_string(length);
}

std::string endpoint::to_string() const {
  std::string text = address.to_string();
  if (!address.is_v4()) text.insert(0, 1, '[').append(1, ']');
  return text.append(1, ':').append(std::to_string(port));
}

}  // namespace tunic
