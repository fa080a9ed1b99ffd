#pragma once

#include <cstddef>
#include <span>

#include "drivers/file_descriptor.hpp"
#include "stack/buffer/slice.hpp"

namespace tunic::drivers {

/// Copies octets that may lie in a mapped file which another process shortens at any time: touching such a page is a
/// SIGBUS, but a system call that meets it only says EFAULT. So they go through a pipe, which needs no privilege
/// anywhere.
class guarded_copy {
 public:
  /// Copies a slice and returns how many of its octets could be read, from the front; the rest of `to` is left as it
  /// was. Octets in a buffer of ours are copied at once.
  std::size_t operator()(const slice& from, std::byte* to);

 private:
  file_descriptor read_end_;
  file_descriptor write_end_;
};

}  // namespace tunic::drivers
