#include "apps/tunic/impair/units.hpp"

#include <charconv>
#include <cmath>
#include <initializer_list>
#include <utility>

#include <spdlog/fmt/fmt.h>

namespace tunic::app {
namespace {

struct unit {
  std::string_view name;  // in lower case
  double factor;
};

bool same(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool upper = text[i] >= 'A' && text[i] <= 'Z';
    if ((upper ? static_cast<char>(text[i] - 'A' + 'a') : text[i]) != lower[i]) return false;
  }
  return true;
}

/// A number without sign or exponent, and what is behind it.
std::optional<std::pair<double, std::string_view>> split(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return {};
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc{}) return {};
  return std::pair{number, text.substr(static_cast<std::size_t>(rest - text.data()))};
}

std::optional<double> parse(std::string_view text, std::initializer_list<unit> units, double most) {
  const auto parts = split(text);
  if (!parts) return {};
  for (const unit& u : units)
    if (same(parts->second, u.name) && parts->first * u.factor <= most) return parts->first * u.factor;
  return {};
}

}  // namespace

std::optional<double> parse_share(std::string_view text) {
  const auto percent = parse(text, {{"%", 1}}, 100);
  return percent ? std::optional{*percent / 100} : std::nullopt;
}

std::optional<std::uint64_t> parse_rate(std::string_view text) {
  if (text.ends_with("/s")) text.remove_suffix(2);
  const auto rate = parse(text, {{"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}}, 1e12);
  if (!rate || *rate < 1) return {};
  return static_cast<std::uint64_t>(std::llround(*rate));
}

std::optional<duration> parse_time(std::string_view text) {
  if (text == "0") return duration{};
  const auto time = parse(text, {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}, 3600e9);
  return time ? std::optional{duration{std::llround(*time)}} : std::nullopt;
}

std::optional<queue_size> parse_queue(std::string_view text) {
  constexpr double most = 1e12;
  if (same(text.substr(0, 4), "bdp:")) {
    const auto times = parse(text.substr(4), {{"", 1}}, most);
    return times ? std::optional{queue_size{{}, *times}} : std::nullopt;
  }
  const auto whole = [](double n) { return static_cast<std::uint64_t>(std::llround(n)); };
  if (const auto packets = parse(text, {{"p", 1}}, most)) return queue_size{{.packets = whole(*packets)}};
  const auto octets = parse(text, {{"b", 1}, {"kb", 1e3}, {"mb", 1e6}, {"kib", 1024}, {"mib", 1024.0 * 1024}}, most);
  if (octets) return queue_size{{.octets = whole(*octets)}};
  return {};
}

std::string print_share(double share) {
  return fmt::format("{:g} %", share * 100);
}

std::string print_rate(std::uint64_t rate) {
  return fmt::format("{:g} Mbit/s", static_cast<double>(rate) / 1e6);
}

std::string print_time(duration time) {
  return fmt::format("{:g} ms", static_cast<double>(time.count()) / 1e6);
}

std::string print_queue(const drivers::queue_length& length) {
  if (length.packets != UINT64_MAX) return fmt::format("{} packets", length.packets);
  return fmt::format("{} octets", length.octets);
}

}  // namespace tunic::app
