#include "http/core/uri.hpp"

#include <algorithm>
#include <charconv>

#include "http/core/grammar.hpp"

namespace tunic::http {
namespace {

constexpr std::string_view scheme = "http://";

bool has_prefix(std::string_view text, std::string_view prefix) {
  return grammar::same_token(text.substr(0, prefix.size()), prefix);
}

std::string_view without_fragment(std::string_view text) {
  return text.substr(0, text.find('#'));
}

// Makes the target of a URI fit for a request line: octets that may not stand there are encoded, as browsers do.
std::string encode_target(std::string_view text) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (grammar::in(grammar::target_octet, c)) {
      out += c;
    } else {
      const auto octet = static_cast<unsigned char>(c);
      out.append({'%', hex[octet >> 4], hex[octet & 15]});
    }
  }
  return out;
}

// The target after an authority: "", "/path?query" or "?query".
std::string rooted(std::string_view rest) {
  std::string target = encode_target(rest);
  if (target.empty() || target.front() != '/') target.insert(0, 1, '/');
  return target;
}

// A path in which there is nothing to decode, to merge or to remove, as most are.
bool is_as_it_stands(std::string_view path) {
  static constexpr auto bare = (grammar::pchar | grammar::set_of("/")) - grammar::set_of("%");
  if (!path.starts_with('/')) return false;
  char before = '\0';
  for (const char c : path) {
    if (!grammar::in(bare, c) || (before == '/' && (c == '/' || c == '.'))) return false;
    before = c;
  }
  return true;
}

}  // namespace

std::string url::authority() const {
  std::string out;
  if (host.find(':') == std::string::npos)
    out = host;
  else
    out.append("[").append(host).append("]");
  if (port != 80) out.append(":").append(std::to_string(port));
  return out;
}

std::optional<url> parse_url(std::string_view text) {
  text = without_fragment(text);
  if (has_prefix(text, scheme))
    text.remove_prefix(scheme.size());
  else if (text.find("://") < text.find('?'))
    return std::nullopt;  // another scheme
  const auto authority = text.substr(0, text.find_first_of("/?"));
  if (!grammar::is_host(authority)) return std::nullopt;

  url out;
  out.target = rooted(text.substr(authority.size()));
  auto host = authority;
  if (const auto colon = host.rfind(':'); colon != std::string_view::npos && host.back() != ']') {
    const auto digits = host.substr(colon + 1);
    if (!digits.empty()) {
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
      if (error != std::errc{} || out.port == 0) return std::nullopt;
    }
    host = host.substr(0, colon);
  }
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  out.host = host;
  std::transform(out.host.begin(), out.host.end(), out.host.begin(), grammar::lower);
  return out;
}

std::optional<url> resolve(const url& base, std::string_view reference) {
  reference = without_fragment(reference);
  const auto colon = reference.find_first_of(":/?");
  if (colon != std::string_view::npos && reference[colon] == ':')  // it has a scheme
    return has_prefix(reference, scheme) ? parse_url(reference) : std::nullopt;
  if (has_prefix(reference, "//")) return parse_url("http:" + std::string(reference));

  url out = base;
  if (reference.empty()) return out;
  const auto base_path = std::string_view(base.target).substr(0, base.target.find('?'));
  const auto path = reference.substr(0, reference.find('?'));
  const auto query = reference.substr(path.size());
  std::string merged;
  if (path.empty())
    merged = base_path;
  else if (path.front() == '/')
    merged = path;
  else
    merged = std::string(base_path.substr(0, base_path.rfind('/') + 1)).append(path);
  out.target = rooted(remove_dot_segments(merged).append(query));
  return out;
}

std::string remove_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto end = path.find('/', 1);
    const auto segment = path.substr(0, end);  // with its leading "/"
    const bool last = end == std::string_view::npos;
    path = last ? std::string_view{} : path.substr(end);
    if (segment == "/..") out.resize(out.empty() ? 0 : out.rfind('/'));
    if (segment != "/.." && segment != "/.")
      out += segment;
    else if (last)
      out += '/';
  }
  return out;
}

bool decode_path(std::string_view target, std::string& path) {
  if (!target.empty() && target.front() != '/') {  // RFC 9112 §3.2.2: absolute-form
    const auto authority = target.find("://");
    if (authority == std::string_view::npos) return false;
    const auto rest = target.find_first_of("/?", authority + 3);
    target = rest == std::string_view::npos || target[rest] == '?' ? "/" : target.substr(rest);
  }
  target = target.substr(0, target.find('?'));
  if (is_as_it_stands(target)) {
    path = target;
    return true;
  }
  path.clear();
  bool plain = true;  // no segment that begins with a dot, no empty segment
  for (std::size_t i = 0; i < target.size(); ++i) {
    char c = target[i];
    if (c == '%') {
      const int high = i + 1 < target.size() ? grammar::hex_value(target[i + 1]) : -1;
      const int low = i + 2 < target.size() ? grammar::hex_value(target[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return false;
    const bool after_slash = !path.empty() && path.back() == '/';
    if (after_slash && c == '/') continue;  // merged before dots are looked at: "//evil" must not become a network path
    plain = plain && !(after_slash && c == '.');
    path += c;
  }
  if (path.empty() || path.front() != '/') return false;
  if (!plain) path = remove_dot_segments(path);
  return true;
}

std::string_view query_of(std::string_view target) {
  const auto mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

std::string encode_path(std::string_view path) {
  static constexpr auto bare = grammar::pchar | grammar::set_of("/");
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    if (grammar::in(bare, c)) {
      out += c;
    } else {
      const auto octet = static_cast<unsigned char>(c);
      out.append({'%', hex[octet >> 4], hex[octet & 15]});
    }
  }
  return out;
}

}  // namespace tunic::http
