#include "apps/tunic/output.hpp"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>

namespace tunic::app {

void output::open() {
  if (path_.empty()) {
    fd_ = drivers::file_descriptor{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)};
  } else {
    constexpr int flags = O_WRONLY | O_CLOEXEC;
    fd_ = drivers::file_descriptor{::open(path_.c_str(), flags | O_CREAT | O_EXCL, 0666)};
    made_ = static_cast<bool>(fd_);
    if (!made_ && errno == EEXIST) fd_ = drivers::file_descriptor{::open(path_.c_str(), flags | O_TRUNC)};
  }
  if (!fd_) fail(errno);
}

void output::write(std::span<const std::byte> octets) {
  while (!octets.empty()) {
    const ssize_t n = ::write(fd_.get(), octets.data(), octets.size());
    if (n >= 0) {
      octets = octets.subspan(static_cast<std::size_t>(n));
      written_ += static_cast<std::uint64_t>(n);
    } else if (errno == EAGAIN) {  // somebody made our standard output non-blocking
      pollfd writable{fd_.get(), POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      fail(errno);
    }
  }
}

void output::finish() {
  const int fd = ::dup(fd_.get());  // closing tells of what some file systems could not write
  fd_ = {};
  if (fd >= 0 && ::close(fd) != 0) fail(errno);
}

std::string output::give_up() {
  const bool opened = static_cast<bool>(fd_);
  fd_ = {};
  if (path_.empty() || !opened) return {};
  if (!made_) return path_ + " keeps the first " + std::to_string(written_) + " octets";
  if (::unlink(path_.c_str()) != 0) return path_ + " is not whole";
  return path_ + " is removed";
}

void output::fail(int number) const {
  throw std::system_error{number, std::generic_category(),
                          "cannot write " + (path_.empty() ? std::string{"to the standard output"} : path_)};
}

}  // namespace tunic::app
