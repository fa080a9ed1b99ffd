#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/core/fields.hpp"

namespace tunic::http {

// The cookies of a request (RFC 6265 §4.2) in their order; views of the fields. What has no "=" is no cookie, and
// passed over.
std::vector<std::pair<std::string_view, std::string_view>> cookies_of(const fields& header);

// A cookie that a response sets (RFC 6265 §4.1). The defaults are those that suit a session: gone with the browser, not
// for scripts, not sent along by other sites.
struct set_cookie {
  std::string name;         // a token
  std::string value;        // US-ASCII without controls, white space, DQUOTE, comma, semicolon and backslash
  std::string domain = {};  // empty: this host alone
  std::string path = "/";
  std::optional<std::chrono::seconds> max_age = {};  // zero deletes it
  bool secure = false;
  bool http_only = true;
  std::string same_site = "Lax";  // Strict, Lax or None; empty: left out

  // The value of Set-Cookie. Throws std::invalid_argument where a part would break out of its place.
  std::string text() const;
};

}  // namespace tunic::http
