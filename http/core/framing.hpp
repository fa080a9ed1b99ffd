#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "http/core/message.hpp"

namespace tunic::http {

// How the end of a message's content is found.
struct framing {
  enum class kind : std::uint8_t { none, length, chunked, until_close };

  kind by = kind::none;
  std::uint64_t length = 0;  // octets, for kind::length

  bool operator==(const framing&) const = default;
};

// RFC 9112 §6.3 for a request, or what is wrong with it.
std::variant<framing, problem> frame_request(const request_head& request);

// RFC 9112 §6.3 for the response to a request with `method`, or what is wrong with it.
std::variant<framing, problem> frame_response(const response_head& response, std::string_view method);

}  // namespace tunic::http
