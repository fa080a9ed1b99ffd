#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "http/server/coding.hpp"
#include "http/server/handler.hpp"
#include "http/server/media_type.hpp"
#include "http/server/representation.hpp"

namespace tunic::http {

struct static_options {
  std::string index = "index.html";  // what a directory is served by
  bool listing = false;              // a directory without it: what it holds; else 403
  bool code = true;                  // Content-Encoding for those who accept it
};

// Serves the files of a folder: GET and HEAD, an index for a directory, a redirect to a directory's "/", conditional
// requests and ranges. Nothing outside of the folder is ever served.
//
// Who accepts gzip, br or zstd gets text in it: from a file beside that holds it ("a.css.br" for "a.css", if it is not
// older), else coded here, up to a mebioctet. A file beside that comes after its like was coded here is found when the
// file itself changes.
//
// Small files are kept in memory and compared with the file system once for all requests that came in one batch, so
// that a changed file is seen by the next request at the price of one system call.
class static_files final : public handler {
 public:
  // Throws std::system_error if `root` is no directory.
  explicit static_files(const std::string& root, static_options options = {})
      : root_(root), options_(std::move(options)) {}

  asio::awaitable<void> handle(request& in, response& out) override;

 private:
  struct cached {
    std::string path;  // of the file that was asked for, relative to the root
    file_stamp stamp;
    representation content;
    input_batch compared{};  // with the file system: for the requests of this batch
    bool plain = false;      // coding made it no smaller: it is answered as it is, and `content` is empty

    std::size_t octets() const;
  };

  void answer(const request& in, response& out);
  void open_and_answer(const request& in, content_coding coding, const std::string& key, response& out);
  void answer_directory(const request& in, const std::string& path, response& out);
  // The representation of an opened file; nothing, and `out` filled, where it cannot be read.
  std::optional<cached> load(const std::string& path, const std::shared_ptr<const file>& opened, content_coding coding,
                             response& out);
  bool load_beside(cached& entry, content_coding coding);
  void keep(const std::string& key, cached entry);
  // Whether the file is still the one that was read.
  bool is_current(cached& entry, const input_batch& batch) const;

  folder root_;
  static_options options_;
  media_types types_;
  std::unordered_map<std::string, cached> cache_;  // by request path, with the coding's suffix behind a NUL
  std::size_t cached_octets_ = 0;
  std::string key_;  // of the request at hand; its memory is used again
};

}  // namespace tunic::http
