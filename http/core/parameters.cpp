#include "http/core/parameters.hpp"

namespace tunic::http {

parameterized::parameterized(std::string_view text) {
  const auto semicolon = text.find(';');
  value_ = grammar::trim_ows(text.substr(0, semicolon));
  if (semicolon != std::string_view::npos) rest_ = text.substr(semicolon);
}

std::optional<parameterized::item> parameterized::take(std::string_view& rest) {
  rest = grammar::trim_ows(rest);
  if (!rest.starts_with(';')) return std::nullopt;
  rest = grammar::trim_ows(rest.substr(1));
  if (rest.empty() || rest.front() == ';') return item{};
  item one;
  one.name = grammar::take(rest, grammar::tchar);
  if (one.name.empty() || !rest.starts_with('=')) return std::nullopt;
  rest.remove_prefix(1);
  const auto before = rest;
  if (rest.starts_with('"') ? !grammar::take_quoted_string(rest) : grammar::take(rest, grammar::tchar).empty())
    return std::nullopt;
  one.value = before.substr(0, before.size() - rest.size());
  rest = grammar::trim_ows(rest);
  return one;
}

std::optional<std::string> parameterized::parameter(std::string_view name) const {
  std::optional<std::string> found;
  for_each([&](std::string_view n, std::string_view value) {
    if (!found && grammar::same_token(n, name)) found = unquoted(value);
  });
  return found;
}

std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && i + 2 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

}  // namespace tunic::http
