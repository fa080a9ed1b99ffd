#pragma once

#include <system_error>

namespace tunic::http {

// What can go wrong with a fetch beyond what the stream itself reports.
enum class client_error {
  bad_url = 1,           // no http:// URL
  unsupported_redirect,  // a redirect that leads to no http:// URL
  too_many_redirects,
  bad_response,  // the server broke the rules of HTTP/1.1
  truncated,     // the connection closed before the response was complete
  no_response,   // the connection closed before the response began
  reset,         // the server reset the connection before the response was complete
};

const std::error_category& client_category();
std::error_code make_error_code(client_error error);

}  // namespace tunic::http

template <>
struct std::is_error_code_enum<tunic::http::client_error> : std::true_type {};
