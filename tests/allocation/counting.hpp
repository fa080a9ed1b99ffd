#pragma once

#include <cstddef>
#include <cstdint>

namespace tunic::test {

/// What the process has asked of malloc since it began, by whatever way: operator new, calloc, the C library itself.
struct allocated {
  std::uint64_t blocks = 0;  ///< asked for, freed or not
  std::int64_t in_use = 0;   ///< octets in blocks that are not freed, with what malloc adds to them
};

allocated allocated_by_now();

}  // namespace tunic::test
