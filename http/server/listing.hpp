#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/server/file.hpp"
#include "http/server/request.hpp"
#include "http/server/response.hpp"

namespace tunic::http {

// Answers by what a directory holds: a page for people, or JSON (an array of name, type, size and modified) for those
// whose Accept likes that better. The request's path is that of the directory, with its "/".
void answer_listing(const request& in, const std::vector<folder_entry>& entries, response& out);

// Text as it stands in HTML, inside or outside of an attribute's quotes.
std::string escape_html(std::string_view text);

}  // namespace tunic::http
