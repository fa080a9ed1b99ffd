#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/core/fields.hpp"

namespace tunic::http {

// RFC 9112 §2.3. A higher minor number of the same major one is spoken to as 1.1.
enum class protocol_version : std::uint8_t { http_1_0, http_1_1 };

// RFC 9110 §15. Any number from 100 to 999 may travel; these are the ones we give names.
enum class status_code : std::uint16_t {
  continue_ = 100,
  switching_protocols = 101,
  ok = 200,
  created = 201,
  accepted = 202,
  no_content = 204,
  partial_content = 206,
  moved_permanently = 301,
  found = 302,
  see_other = 303,
  not_modified = 304,
  temporary_redirect = 307,
  permanent_redirect = 308,
  bad_request = 400,
  forbidden = 403,
  not_found = 404,
  method_not_allowed = 405,
  not_acceptable = 406,
  request_timeout = 408,
  precondition_failed = 412,
  content_too_large = 413,
  uri_too_long = 414,
  unsupported_media_type = 415,
  range_not_satisfiable = 416,
  expectation_failed = 417,
  misdirected_request = 421,
  upgrade_required = 426,
  request_header_fields_too_large = 431,
  internal_server_error = 500,
  not_implemented = 501,
  service_unavailable = 503,
  http_version_not_supported = 505,
  insufficient_storage = 507,
};

constexpr unsigned number(status_code status) {
  return static_cast<unsigned>(status);
}

// The phrase of RFC 9110 §15, empty for a number it does not name.
std::string_view reason_phrase(status_code status);

// A method of RFC 9110 §9 or PATCH (RFC 5789): refused, it is 405; any other is 501. Methods are case-sensitive.
bool is_known_method(std::string_view method);

// A request before its content.
struct request_head {
  std::string method;
  std::string target;  // as it travelled, any of the four forms of RFC 9112 §3.2
  protocol_version version = protocol_version::http_1_1;
  fields header;

  // Methods are case-sensitive (RFC 9110 §9.1). Sizes are compared first, which std::string and a literal do not.
  bool method_is(std::string_view name) const { return name == method; }
};

// A response before its content.
struct response_head {
  status_code status = status_code::ok;
  std::string reason;  // as it travelled; empty in ours: reason_phrase(status) is sent
  protocol_version version = protocol_version::http_1_1;
  fields header;
};

// What is wrong with a message: whose fault, as the status a server answers with, and why, for a person.
struct problem {
  status_code status = status_code::bad_request;
  std::string_view why;  // static text

  bool operator==(const problem&) const = default;
};

// RFC 9112 §9.3: whether the connection may go on after a message with this version and these fields.
bool wants_keep_alive(protocol_version version, const fields& header);

}  // namespace tunic::http
