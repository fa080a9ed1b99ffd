#include "drivers/guarded_copy.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace tunic::drivers {

std::size_t guarded_copy::operator()(const slice& from, std::byte* to) {
  if (from.owner() && from.owner()->capacity() > 0) {
    std::memcpy(to, from.data(), from.size());
    return from.size();
  }
  if (!write_end_) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return 0;
    read_end_ = file_descriptor{ends[0]};
    write_end_ = file_descriptor{ends[1]};
  }
  std::size_t copied = 0;
  while (copied < from.size()) {
    const ssize_t in = ::write(write_end_.get(), from.data() + copied, from.size() - copied);
    if (in < 0 && errno == EINTR) continue;
    if (in <= 0) break;
    // What went in comes out whole: nobody else has the pipe.
    for (ssize_t out = 0; out < in;) {
      const ssize_t n = ::read(read_end_.get(), to + copied, static_cast<std::size_t>(in - out));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return copied;
      out += n;
      copied += static_cast<std::size_t>(n);
    }
  }
  return copied;
}

}  // namespace tunic::drivers
