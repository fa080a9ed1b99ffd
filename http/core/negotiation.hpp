#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "http/core/fields.hpp"

namespace tunic::http {

// A weight in thousandths (RFC 9110 §12.4.2), "0.5" is 500; nothing for any other text.
std::optional<unsigned> parse_weight(std::string_view text);

// Which of the media types on offer, best first where a client likes several alike, is the one that Accept
// (RFC 9110 §12.5.1) likes best. Without that field it is the first; nothing if it likes none of them.
std::optional<std::size_t> preferred_type(const fields& header, std::span<const std::string_view> offers);

// The same for content codings and Accept-Encoding (RFC 9110 §12.5.3). "identity" is the absence of a coding: it is
// acceptable unless it is refused, and the only one without that field.
std::optional<std::size_t> preferred_coding(const fields& header, std::span<const std::string_view> offers);

}  // namespace tunic::http
