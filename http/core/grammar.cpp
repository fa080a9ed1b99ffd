#include "http/core/grammar.hpp"

#include <algorithm>

namespace tunic::http::grammar {
namespace {

constexpr octet_set white_space = set_of(" \t");
constexpr octet_set reg_name = unreserved | sub_delims | set_of("%");
constexpr octet_set address_octet = hexdig | set_of(":.");

void skip_bws(std::string_view& text) {
  take(text, white_space);
}

bool is_chunk_extensions(std::string_view text) {
  while (!text.empty()) {
    skip_bws(text);
    if (text.empty() || text.front() != ';') return false;
    text.remove_prefix(1);
    skip_bws(text);
    if (take(text, tchar).empty()) return false;
    const auto after_name = text;
    skip_bws(text);
    if (text.empty() || text.front() != '=') {
      text = after_name;
      continue;
    }
    text.remove_prefix(1);
    skip_bws(text);
    if (take(text, tchar).empty() && !take_quoted_string(text)) return false;
  }
  return true;
}

// RFC 3986 §3.2.2: IP-literal = "[" ( IPv6address / IPvFuture ) "]". The shape only; a resolver judges the address.
bool is_ip_literal(std::string_view text) {
  return text.size() > 4 && text.front() == '[' && text.back() == ']' &&
         all_in(address_octet, text.substr(1, text.size() - 2)) && text.find(':') != std::string_view::npos;
}

}  // namespace

std::string_view take(std::string_view& text, const octet_set& set) {
  std::size_t n = 0;
  while (n < text.size() && in(set, text[n])) ++n;
  const auto taken = text.substr(0, n);
  text.remove_prefix(n);
  return taken;
}

bool take_quoted_string(std::string_view& text) {
  if (text.empty() || text.front() != '"') return false;
  text.remove_prefix(1);
  for (;;) {
    take(text, qdtext);
    if (text.empty()) return false;
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return true;
    if (c != '\\' || text.empty() || !in(field_octet, text.front())) return false;
    text.remove_prefix(1);
  }
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  if (text.empty() || !all_in(digit, text) || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (value > (INT64_MAX - 9) / 10) return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::optional<std::uint64_t> parse_chunk_line(std::string_view line) {
  const auto size = take(line, hexdig);
  if (size.empty() || !is_chunk_extensions(line)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : size) {
    if (value >> 59 != 0) return std::nullopt;  // one more digit would pass 2^63
    value = value * 16 + static_cast<std::uint64_t>(hex_value(c));
  }
  return value;
}

bool is_host(std::string_view text) {
  const bool is_literal = text.starts_with('[');
  // No name holds a colon; an address in brackets does.
  if (const auto colon = text.find(':', is_literal ? std::min(text.find(']'), text.size()) : 0);
      colon != std::string_view::npos) {
    const auto port = text.substr(colon + 1);  // RFC 3986 §3.2.3: port = *DIGIT
    if (!all_in(digit, port) || port.size() > 5) return false;
    text = text.substr(0, colon);
  }
  if (text.empty()) return false;
  if (is_literal) return is_ip_literal(text);
  // RFC 3986 §3.2.2: reg-name = *( unreserved / pct-encoded / sub-delims )
  return all_in(reg_name, text) && is_percent_encoded(text);
}

bool is_percent_encoded(std::string_view text) {
  for (std::size_t i = text.find('%'); i != std::string_view::npos; i = text.find('%', i + 1))
    if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return false;
  return true;
}

}  // namespace tunic::http::grammar
