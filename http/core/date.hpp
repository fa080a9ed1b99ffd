#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tunic::http {

// RFC 9110 §5.6.7: IMF-fixdate, e.g. "Sun, 06 Nov 1994 08:49:37 GMT".
class imf_fixdate {
 public:
  // Seconds since 1970-01-01T00:00:00Z, years 1970 to 9999.
  explicit imf_fixdate(std::int64_t seconds);
  std::string_view text() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, 29> text_;
};

// The seconds since 1970 that an IMF-fixdate names; nothing for any other text (the two obsolete forms included: a
// validator that we sent is always an IMF-fixdate).
std::optional<std::int64_t> parse_imf_fixdate(std::string_view text);

}  // namespace tunic::http
