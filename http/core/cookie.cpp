#include "http/core/cookie.hpp"

#include <stdexcept>

#include "http/core/grammar.hpp"

namespace tunic::http {
namespace {

// RFC 6265 §4.1.1: cookie-octet = %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E; av-octet: any CHAR but CTLs and ";"
constexpr auto cookie_octet = grammar::vchar - grammar::set_of("\",;\\");
constexpr auto av_octet = (grammar::vchar | grammar::set_of(" ")) - grammar::set_of(";");

void expect(bool valid, std::string_view what, std::string_view text) {
  if (!valid)
    throw std::invalid_argument("not the " + std::string(what) + " of a cookie: \"" + std::string(text) + "\"");
}

}  // namespace

std::vector<std::pair<std::string_view, std::string_view>> cookies_of(const fields& header) {
  std::vector<std::pair<std::string_view, std::string_view>> all;
  for (auto [name, rest] : header) {
    if (!grammar::same_token(name, "Cookie")) continue;
    while (!rest.empty()) {
      const auto end = rest.find(';');
      const auto pair = rest.substr(0, end);
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos) continue;
      const auto key = grammar::trim_ows(pair.substr(0, equals));
      if (!key.empty()) all.emplace_back(key, grammar::trim_ows(pair.substr(equals + 1)));
    }
  }
  return all;
}

std::string set_cookie::text() const {
  expect(grammar::is_token(name), "name", name);
  expect(grammar::all_in(cookie_octet, value), "value", value);
  expect(grammar::all_in(av_octet, domain), "Domain", domain);
  expect(grammar::all_in(av_octet, path), "Path", path);
  expect(same_site.empty() || same_site == "Strict" || same_site == "Lax" || same_site == "None", "SameSite",
         same_site);
  std::string out = name + "=" + value;
  if (!domain.empty()) out.append("; Domain=").append(domain);
  if (!path.empty()) out.append("; Path=").append(path);
  if (max_age) out.append("; Max-Age=").append(std::to_string(max_age->count()));
  if (secure) out.append("; Secure");
  if (http_only) out.append("; HttpOnly");
  if (!same_site.empty()) out.append("; SameSite=").append(same_site);
  return out;
}

}  // namespace tunic::http
