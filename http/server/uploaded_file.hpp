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

  // Throws refusal (507) where the disk is full, and std::system_error.
  void write(std::span<const std::byte> octets);
  // Renames it to `path`, on the same file system; a file of that name stays as it is. Throws std::system_error.
  void keep_as(const std::string& path);

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  std::string field;       // of the form
  std::string name;        // as the client says, the last part of a path; never to be trusted as one
  std::string media_type;  // as the client says; empty if it does not

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace tunic::http
