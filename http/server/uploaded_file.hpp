#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tunic::http {

// A file that came with a form, on disk under a name of our choosing. It goes with this object unless it is kept.
class uploaded_file {
 public:
  // A new file in `folder`. Throws std::system_error.
  explicit uploaded_file(const std::string& folder);
  ~uploaded_file();
  uploaded_file(uploaded_file&& other) noexcept;
  uploaded_file& operator=(uploaded_file&& other) noexcept;

  // Each throws refusal (507) where the disk is full, and std::system_error. What is written reaches the file in large
  // pieces; nothing is written behind finish(), which gives the descriptor back.
  void write(std::span<const std::byte> octets);
  void finish();
  // Finishes it, and renames it to `path`, on the same file system; a file of that name stays as it is. Throws
  // std::system_error.
  void keep_as(const std::string& path);

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  std::string field;       // of the form
  std::string name;        // as the client says, the last part of a path; never to be trusted as one
  std::string media_type;  // as the client says; empty if it does not

 private:
  void flush();

  std::string path_;
  int descriptor_ = -1;  // while it is written
  std::string gathered_;
  std::uint64_t size_ = 0;
  bool kept_ = false;
};

}  // namespace tunic::http
