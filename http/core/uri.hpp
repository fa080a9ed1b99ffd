#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tunic::http {

// An "http" URI (RFC 9110 §4.2.1) without its fragment.
struct url {
  std::string host;  // lower case; an IPv6 address without its brackets
  std::uint16_t port = 80;
  std::string target = "/";  // origin-form: path and query, beginning with "/"

  // What Host carries: brackets around an IPv6 address, the port unless it is 80.
  std::string authority() const;
  std::string text() const { return "http://" + authority() + target; }
  bool operator==(const url&) const = default;
};

// Nothing if the text is no "http" URI, has user information (RFC 9110 §4.2.4), an empty host or a port of 0 or above
// 65535. The scheme may be left out ("host:port/path"), as people type it.
std::optional<url> parse_url(std::string_view text);

// RFC 3986 §5.2.2: the URI that `reference` (a Location) names, seen from `base`.
std::optional<url> resolve(const url& base, std::string_view reference);

// RFC 3986 §5.2.4, on a path that begins with "/"; nothing gets above the root.
std::string remove_dot_segments(std::string_view path);

// The path that a request-target in origin-form or absolute-form names, for looking up a resource: percent-decoded
// first, then without dot segments, with repeated slashes merged. Always begins with "/". Says false for a malformed
// "%", an encoded NUL and the other two forms. `path` is written over; its memory is used again.
bool decode_path(std::string_view target, std::string& path);

// The part after the first "?", empty if there is none.
std::string_view query_of(std::string_view target);

// The path for a Location: everything that pchar and "/" do not cover is percent-encoded.
std::string encode_path(std::string_view path);

}  // namespace tunic::http
