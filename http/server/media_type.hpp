#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace tunic::http {

// Content-Types by the extension of a file's name.
class media_types {
 public:
  // The system's table (mime.types: a type and its extensions a line) where there is one, ours for what it lacks. Text
  // is said to be UTF-8.
  explicit media_types(const std::string& table = "/etc/mime.types");

  // application/octet-stream for a name without an extension that we know.
  std::string_view of(std::string_view file_name) const;

 private:
  std::unordered_map<std::string, std::string> types_;  // by extension, in lower case
};

// Whether a content coding makes octets of that type fewer, as a rule: text, in the widest sense.
bool is_compressible(std::string_view media_type);

}  // namespace tunic::http
