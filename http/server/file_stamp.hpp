#pragma once

#include <cstdint>

namespace tunic::http {

// What tells one state of a file from another.
struct file_stamp {
  std::uint64_t device = 0, inode = 0;
  std::uint64_t size = 0;           // octets
  std::int64_t modified = 0;        // nanoseconds since 1970
  std::int64_t status_changed = 0;  // nanoseconds since 1970; moves with every write, chmod and rename

  bool operator==(const file_stamp&) const = default;
};

}  // namespace tunic::http
