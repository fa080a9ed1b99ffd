#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/core/message.hpp"

namespace tunic::http {

// What tells the selected representation from its other states (RFC 9110 §8.8).
struct validators {
  bool exists = true;                              // there is a current representation
  std::string_view entity_tag = {};                // with its quotes, "W/" before a weak one; empty: none
  std::optional<std::int64_t> last_modified = {};  // seconds since 1970
};

enum class precondition : std::uint8_t { holds, not_modified, failed };  // go on; answer 304; answer 412

// RFC 9110 §13.2.2, steps 1 to 4. Not for CONNECT, OPTIONS and TRACE, nor where the answer without conditions is
// neither 2xx nor 412. `now`: seconds since 1970, for dates with a year of two digits.
precondition evaluate(const request_head& request, const validators& current, std::int64_t now);

// RFC 9110 §13.2.2, step 5: whether Range counts; If-Range may say that it does not.
bool range_counts(const request_head& request, const validators& current, std::int64_t now);

}  // namespace tunic::http
