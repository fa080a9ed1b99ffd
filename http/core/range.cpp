#include "http/core/range.hpp"

#include <algorithm>
#include <optional>

#include "http/core/grammar.hpp"

namespace tunic::http {
namespace {

constexpr std::size_t most_specs = 100, most_parts = 16;
constexpr std::uint64_t part_head = 80;  // octets: about what the boundary and the fields of a part take

// int-range = first-pos "-" [ last-pos ] or suffix-range = "-" suffix-length; nothing if it is neither. A range that
// begins behind the end has first >= size.
std::optional<byte_range> parse_spec(std::string_view text, std::uint64_t size) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto before = text.substr(0, dash), after = text.substr(dash + 1);
  if (before.empty()) {
    const auto length = grammar::parse_length(after);
    if (!length) return std::nullopt;
    if (*length == 0) return byte_range{size, size};
    return byte_range{size - std::min(*length, size), size - 1};
  }
  const auto first = grammar::parse_length(before);
  const auto last = after.empty() ? std::optional<std::uint64_t>{UINT64_MAX} : grammar::parse_length(after);
  if (!first || !last || *last < *first) return std::nullopt;
  return byte_range{*first, std::min(*last, size - 1)};
}

// Makes one of every two that overlap or all but touch; the earlier asked for keeps its place.
void coalesce(std::vector<byte_range>& parts) {
  const auto joins = [](const byte_range& a, const byte_range& b) {
    return a.first <= b.last + part_head && b.first <= a.last + part_head;
  };
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (std::size_t j = i + 1; j < parts.size();) {
      if (!joins(parts[i], parts[j])) {
        ++j;
        continue;
      }
      parts[i] = {std::min(parts[i].first, parts[j].first), std::max(parts[i].last, parts[j].last)};
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(j));
      j = i + 1;  // it has grown: what it did not reach before it may reach now
    }
  }
}

}  // namespace

std::string byte_range::in_content(std::uint64_t size) const {
  return "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" + std::to_string(size);
}

range_set parse_range(std::string_view value, std::uint64_t size) {
  const auto equals = value.find('=');
  if (equals == std::string_view::npos || !grammar::same_token(value.substr(0, equals), "bytes")) return {};
  std::vector<byte_range> parts;
  std::size_t specs = 0;
  bool valid = true;
  grammar::for_each_element(value.substr(equals + 1), [&](std::string_view element) {
    if (element.empty() || !valid || ++specs > most_specs) return;
    const auto spec = parse_spec(element, size);
    valid = spec.has_value();
    if (spec && spec->first < size) parts.push_back(*spec);
  });
  if (!valid || specs == 0 || specs > most_specs) return {};
  if (parts.empty()) return {range_set::kind::unsatisfiable, {}};
  coalesce(parts);
  std::uint64_t octets = 0;
  for (const auto& part : parts) octets += part.size() + part_head;
  if (parts.size() > most_parts || (parts.size() > 1 && octets >= size)) return {};
  return {range_set::kind::parts, std::move(parts)};
}

}  // namespace tunic::http
