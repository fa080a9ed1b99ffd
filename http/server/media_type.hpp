#pragma once

#include <string_view>

namespace tunic::http {

// The Content-Type for a file of that name, by its extension; application/octet-stream for one we do not know.
std::string_view media_type(std::string_view file_name);

}  // namespace tunic::http
