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

// The seconds since 1970 that an IMF-fixdate names; nothing for any other text.
std::optional<std::int64_t> parse_imf_fixdate(std::string_view text);

// The same for any HTTP-date: a recipient takes the two obsolete forms as well, "Sunday, 06-Nov-94 08:49:37 GMT" and
// "Sun Nov  6 08:49:37 1994". A year of two digits is one that ends at most 50 years after `now` (seconds since 1970).
std::optional<std::int64_t> parse_date(std::string_view text, std::int64_t now);

}  // namespace tunic::http
