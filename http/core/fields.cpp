#include "http/core/fields.hpp"

#include <stdexcept>

#include "http/core/append.hpp"

namespace tunic::http {

bool fields::is_ours(std::string_view text) const {
  return text.data() >= text_.data() && text.data() < text_.data() + text_.size();
}

bool fields::try_add(std::string_view name, std::string_view value) {
  if (is_ours(name) || is_ours(value)) return try_add(std::string(name), std::string(value));
  value = grammar::trim_ows(value);
  if (!grammar::is_token(name) || !grammar::is_field_value(value)) return false;
  entries_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size()),
                      static_cast<std::uint32_t>(value.size())});
  marks_ |= mark_of(name);
  append(text_, name, ": ", value, "\r\n");
  return true;
}

void fields::add(std::string_view name, std::string_view value) {
  if (!try_add(name, value))
    throw std::invalid_argument("not an HTTP field: \"" + std::string(name) + "\" (a control octet, or no token)");
}

void fields::set(std::string_view name, std::string_view value) {
  if (is_ours(name) || is_ours(value)) return set(std::string(name), std::string(value));
  remove(name);
  add(name, value);
}

void fields::remove_all(std::string_view name) {
  if (count_all(name) == 0) return;
  fields kept;
  for (const auto [n, v] : *this)
    if (!grammar::same_token(n, name)) kept.try_add(n, v);
  *this = std::move(kept);
}

void fields::clear() {
  text_.clear();
  entries_.clear();
  marks_ = 0;
}

std::optional<std::string_view> fields::find_first(std::string_view name) const {
  for (const auto& e : entries_)
    if (grammar::same_token(name_of(e), name)) return value_of(e);
  return std::nullopt;
}

std::size_t fields::count_all(std::string_view name) const {
  std::size_t n = 0;
  for (const auto& e : entries_) n += grammar::same_token(name_of(e), name) ? 1 : 0;
  return n;
}

bool fields::find_element(std::string_view name, std::string_view element) const {
  bool found = false;
  for (const auto [n, v] : *this)
    if (grammar::same_token(n, name))
      grammar::for_each_element(v, [&](std::string_view e) { found = found || grammar::same_token(e, element); });
  return found;
}

}  // namespace tunic::http
