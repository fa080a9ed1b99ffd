#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tunic::http {

// Name and value, decoded, in their order.
using form_fields = std::vector<std::pair<std::string, std::string>>;

// A query, or a content of application/x-www-form-urlencoded, as the WHATWG URL Standard §5.1 has it: it takes any
// text; "+" is a space, and a "%" that no two hexadecimal digits follow stands for itself.
form_fields parse_form(std::string_view text);

// The value of the first field of that name; empty if there is none.
std::string_view value_of(const form_fields& fields, std::string_view name);

}  // namespace tunic::http
