#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "http/server/exchange.hpp"

namespace tunic::http {

// Serves the files of a folder: GET and HEAD, index.html for a directory, a redirect to a directory's "/", conditional
// requests (RFC 9110 §13) by entity tag and by date. Nothing outside of the folder is ever served.
//
// Small files are kept in memory and compared with the file system once a request, so that a changed file is seen by
// the next request at the price of one system call.
class static_files final : public handler {
 public:
  // Throws std::system_error if `root` is no directory.
  explicit static_files(const std::string& root) : root_(root) {}

  asio::awaitable<void> handle(const request& in, response& out) override;

 private:
  struct cached {
    std::string path;  // of the file, relative to the root
    file_stamp stamp;
    fields header;
    shared_octets content;
  };

  void answer(const request& in, response& out);
  void open_and_answer(const request& in, response& out);
  void load(const std::string& path, const std::shared_ptr<const file>& opened, const request& in, response& out);
  void keep(const std::string& key, cached entry);

  folder root_;
  std::unordered_map<std::string, cached> cache_;  // by request path
  std::size_t cached_octets_ = 0;
};

}  // namespace tunic::http
