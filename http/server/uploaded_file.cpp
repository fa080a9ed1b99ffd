#include "http/server/uploaded_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <stdio.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "http/server/request.hpp"

namespace tunic::http {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::system_category(), what);
}

}  // namespace

uploaded_file::uploaded_file(const std::string& folder) : path_(folder + "/upload-XXXXXX") {
  descriptor_ = ::mkostemp(path_.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail("cannot write to the folder " + folder);
}

uploaded_file::~uploaded_file() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (!path_.empty()) ::unlink(path_.c_str());
}

uploaded_file::uploaded_file(uploaded_file&& other) noexcept
    : field(std::move(other.field)),
      name(std::move(other.name)),
      media_type(std::move(other.media_type)),
      path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_) {}

uploaded_file& uploaded_file::operator=(uploaded_file&& other) noexcept {
  std::swap(field, other.field);
  std::swap(name, other.name);
  std::swap(media_type, other.media_type);
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

void uploaded_file::write(std::span<const std::byte> octets) {
  while (!octets.empty()) {
    const auto n = ::write(descriptor_, octets.data(), octets.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
      throw refusal(status_code::insufficient_storage, "there is no room for the file");
    if (n < 0) fail("writing an uploaded file");
    octets = octets.subspan(static_cast<std::size_t>(n));
    size_ += static_cast<std::uint64_t>(n);
  }
}

void uploaded_file::keep_as(const std::string& path) {
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0)
    fail("cannot keep an uploaded file as " + path);
  ::close(std::exchange(descriptor_, -1));
  path_ = path;
}

}  // namespace tunic::http
