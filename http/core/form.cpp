#include "http/core/form.hpp"

#include "http/core/grammar.hpp"

namespace tunic::http {
namespace {

std::string decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = i + 2 < text.size() ? grammar::hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? grammar::hex_value(text[i + 2]) : -1;
    if (text[i] == '%' && high >= 0 && low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

form_fields parse_form(std::string_view text) {
  form_fields all;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto one = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (one.empty()) continue;
    const auto equals = one.find('=');
    const auto value = equals == std::string_view::npos ? std::string_view{} : one.substr(equals + 1);
    all.emplace_back(decoded(one.substr(0, equals)), decoded(value));
  }
  return all;
}

std::string_view value_of(const form_fields& fields, std::string_view name) {
  for (const auto& [n, value] : fields)
    if (n == name) return value;
  return {};
}

}  // namespace tunic::http
