#include "packetdrill/fast_open.hpp"

#include <algorithm>
#include <charconv>

namespace tunic::packetdrill {
namespace {

// Four words, each with its lowest octet first.
std::optional<secret> parse_key(std::string_view text) {
  secret key{};
  for (std::size_t word = 0; word < 4; ++word) {
    const auto digits = text.substr(0, text.find('-'));
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    for (std::size_t i = 0; i < 4; ++i) key[4 * word + i] = static_cast<std::uint8_t>(value >> 8 * i);
    text.remove_prefix(std::min(text.size(), digits.size() + 1));
  }
  return text.empty() ? std::optional{key} : std::nullopt;
}

}  // namespace

fast_open_settings::fast_open_settings(const sysctls& s) {
  const std::uint32_t bits = s.number("ipv4/tcp_fastopen", 1);
  client = (bits & 1) != 0;
  server = (bits & 2) != 0;
  client_without_cookie = (bits & 4) != 0;
  server_without_cookie = (bits & 0x200) != 0;
  server_unasked = (bits & 0x400) != 0;
}

tcp::fast_open_use client_use(const fast_open_wishes& w, const sysctls& s) {
  const fast_open_settings set{s};
  if (!set.client) return tcp::fast_open_use::off;
  return w.no_cookie || set.client_without_cookie ? tcp::fast_open_use::without_cookie : tcp::fast_open_use::on;
}

void fill_fast_open(tcp::listen_options& o, const fast_open_wishes& w, const sysctls& s) {
  const fast_open_settings set{s};
  const std::size_t most = s.number("core/somaxconn", 4096);
  o.fast_open_limit = std::min<std::size_t>(w.limit, most);
  if (o.fast_open_limit == 0 && set.server_unasked) o.fast_open_limit = std::min<std::size_t>(o.backlog, most);
  o.fast_open_keys = w.keys;
  if (!set.server || o.fast_open_limit == 0) {
    o.fast_open = tcp::fast_open_use::off;
  } else {
    o.fast_open =
        w.no_cookie || set.server_without_cookie ? tcp::fast_open_use::without_cookie : tcp::fast_open_use::on;
  }
}

std::optional<tcp::fast_open_keys> parse_keys(std::string_view text) {
  const auto comma = text.find(',');
  const auto primary = parse_key(text.substr(0, comma));
  if (!primary) return std::nullopt;
  tcp::fast_open_keys keys{*primary, std::nullopt};
  if (comma != std::string_view::npos) keys.backup = parse_key(text.substr(comma + 1));
  return keys;
}

std::optional<tcp::fast_open_keys> read_keys(std::span<const std::uint8_t> octets) {
  tcp::fast_open_keys keys;
  const std::size_t size = keys.primary.size();
  if (octets.size() != size && octets.size() != 2 * size) return std::nullopt;
  std::copy_n(octets.begin(), size, keys.primary.begin());
  if (octets.size() == 2 * size)
    std::copy_n(octets.begin() + static_cast<std::ptrdiff_t>(size), size, keys.backup.emplace().begin());
  return keys;
}

}  // namespace tunic::packetdrill
