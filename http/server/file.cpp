#include "http/server/file.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tunic::http {
namespace {

std::error_code last_error() {
  return {errno, std::system_category()};
}

std::int64_t nanoseconds(const timespec& t) {
  constexpr std::int64_t most = INT64_MAX / 1'000'000'000 - 1;  // a file system may know times that 64 bits do not
  return std::clamp<std::int64_t>(t.tv_sec, -most, most) * 1'000'000'000 + t.tv_nsec;
}

file_stamp stamp_of(const struct stat& s) {
  return {s.st_dev, s.st_ino, static_cast<std::uint64_t>(s.st_size), nanoseconds(s.st_mtim), nanoseconds(s.st_ctim)};
}

file::kind kind_of(const struct stat& s) {
  if (S_ISREG(s.st_mode)) return file::kind::regular;
  return S_ISDIR(s.st_mode) ? file::kind::directory : file::kind::other;
}

constexpr int to_read = O_RDONLY | O_NOCTTY | O_NONBLOCK;  // a FIFO must not hold us up

struct closing {
  void operator()(DIR* d) const { ::closedir(d); }
};

}  // namespace

file::~file() {
  ::close(descriptor_);
  forget_unused();
}

void file::forget_unused() const {
  mapped_->forget_unused(mapped_pieces::clock::now());
}

std::size_t file::read(std::uint64_t offset, std::span<std::byte> into, std::error_code& error) const {
  std::size_t done = 0;
  error = {};
  while (done < into.size()) {
    const auto n = ::pread(descriptor_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error = last_error();
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

shared_octets file::map(std::uint64_t offset, std::size_t length, std::error_code& error) const {
  error = {};
  const piece_place where{stamp_, offset, length};
  const auto now = mapped_pieces::clock::now();
  if (auto known = mapped_->find(where, now); known.owner) return known;
  // Populated in one go, which costs a fraction of what a page fault for every few pages does.
  void* const at =
      ::mmap(nullptr, length, PROT_READ, MAP_SHARED | MAP_POPULATE, descriptor_, static_cast<off_t>(offset));
  if (at == MAP_FAILED) {
    error = last_error();
    return {};
  }
  std::shared_ptr<const void> owner(at, [length](const void* p) { ::munmap(const_cast<void*>(p), length); });
  const shared_octets mapped{std::move(owner), {static_cast<const std::byte*>(at), length}};
  mapped_->keep(where, mapped, now);
  return mapped;
}

std::uint64_t file::mappable() const {
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return size() / page * page;
}

bool file::is_whole() const {
  struct stat s;
  return ::fstat(descriptor_, &s) == 0 && static_cast<std::uint64_t>(s.st_size) >= size();
}

folder::folder(const std::string& path) : descriptor_(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw std::system_error(last_error(), "cannot serve the folder " + path);
}

folder::~folder() {
  ::close(descriptor_);
}

int folder::open_descriptor(const std::string& path, int flags, std::error_code& error) const {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const char* const name = path.empty() ? "." : path.c_str();
  long descriptor = -1;
  // EAGAIN: a rename raced with the resolution, or another holds a lease on the file, which it may do for long.
  for (int tries = 0; tries < 16 && descriptor < 0; ++tries) {
    descriptor = ::syscall(SYS_openat2, descriptor_, name, &how, sizeof how);
    if (descriptor < 0 && errno != EINTR && errno != EAGAIN) break;
  }
  error = descriptor < 0 ? last_error() : std::error_code{};
  return static_cast<int>(descriptor);
}

std::shared_ptr<const file> folder::open(const std::string& path, std::error_code& error) const {
  const int descriptor = open_descriptor(path, to_read, error);
  if (descriptor < 0) return nullptr;
  struct stat s;
  if (::fstat(descriptor, &s) != 0) {
    error = last_error();
    ::close(descriptor);
    return nullptr;
  }
  auto mapped = mapped_.lock();
  if (!mapped) mapped_ = mapped = std::make_shared<mapped_pieces>();
  return std::make_shared<const file>(descriptor, kind_of(s), stamp_of(s), std::move(mapped));
}

// What a symbolic link leads to, if that is in the folder.
bool folder::follow(const std::string& path, struct stat& s) const {
  std::error_code error;
  const int descriptor = open_descriptor(path, O_PATH, error);
  if (descriptor < 0) return false;
  const bool found = ::fstat(descriptor, &s) == 0;
  ::close(descriptor);
  return found;
}

std::vector<folder_entry> folder::list(const std::string& path, std::error_code& error) const {
  const int descriptor = open_descriptor(path, to_read, error);
  if (descriptor < 0) return {};
  const std::unique_ptr<DIR, closing> directory(::fdopendir(descriptor));
  if (!directory) {
    error = last_error();
    ::close(descriptor);
    return {};
  }
  std::vector<folder_entry> all;
  while (const dirent* const entry = ::readdir(directory.get())) {
    struct stat s;
    if (entry->d_name[0] == '.' || ::fstatat(descriptor, entry->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISLNK(s.st_mode) && !follow(path + entry->d_name, s)) continue;
    const auto what = kind_of(s);
    if (what != file::kind::other)
      all.push_back({entry->d_name, what, static_cast<std::uint64_t>(s.st_size), nanoseconds(s.st_mtim)});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

std::optional<file_stamp> folder::stamp(const std::string& path) const {
  struct stat s;
  if (::fstatat(descriptor_, path.c_str(), &s, 0) != 0) return std::nullopt;
  return stamp_of(s);
}

}  // namespace tunic::http
