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

constexpr std::size_t piece = 64 * 1024;  // octets written at once

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::system_category(), what);
}

}  // namespace

uploaded_file::uploaded_file(const std::string& folder) : path_(folder + "/upload-XXXXXX") {
  descriptor_ = ::mkostemp(path_.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail("cannot write to the folder " + folder);
}

uploaded_file::~uploaded_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!kept_ && !path_.empty()) ::unlink(path_.c_str());
}

uploaded_file::uploaded_file(uploaded_file&& other) noexcept {
  *this = std::move(other);
}

uploaded_file& uploaded_file::operator=(uploaded_file&& other) noexcept {
  std::swap(field, other.field);
  std::swap(name, other.name);
  std::swap(media_type, other.media_type);
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(gathered_, other.gathered_);
  std::swap(size_, other.size_);
  std::swap(kept_, other.kept_);
  return *this;
}

void uploaded_file::write(std::span<const std::byte> octets) {
  size_ += octets.size();
  gathered_.append(reinterpret_cast<const char*>(octets.data()), octets.size());
  if (gathered_.size() >= piece) flush();
}

void uploaded_file::flush() {
  for (std::string_view rest = gathered_; !rest.empty();) {
    const auto n = ::write(descriptor_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
      throw refusal(status_code::insufficient_storage, "there is no room for the file");
    if (n < 0) fail("writing an uploaded file");
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  gathered_.clear();
}

void uploaded_file::finish() {
  if (descriptor_ < 0) return;
  flush();
  std::string{}.swap(gathered_);  // to assign an empty one would keep its memory
  ::close(std::exchange(descriptor_, -1));
}

void uploaded_file::keep_as(const std::string& path) {
  finish();
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0)
    fail("cannot keep an uploaded file as " + path);
  path_ = path;
  kept_ = true;
}

}  // namespace tunic::http
