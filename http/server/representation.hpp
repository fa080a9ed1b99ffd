#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "http/core/fields.hpp"
#include "http/server/request.hpp"
#include "http/server/response.hpp"

namespace tunic::http {

// A representation (RFC 9110 §3.2) that is there as a whole: a file, or octets in memory.
struct representation {
  fields header;  // Content-Type, ETag, Last-Modified, …
  std::variant<shared_octets, file_part> content;
  std::optional<std::int64_t> modified;  // what Last-Modified says, in seconds since 1970

  std::uint64_t size() const;
  // `length` octets from `offset` on.
  std::variant<shared_octets, file_part> part(std::uint64_t offset, std::uint64_t length) const;
};

// Answers a GET or HEAD by it: whole, in parts (RFC 9110 §14), or by what its conditions come to (§13): 200, 206, 304,
// 412 or 416.
void answer_with(const request& in, const representation& one, response& out);

}  // namespace tunic::http
