#pragma once

#include <cstddef>
#include <fstream>
#include <unistd.h>

namespace tunic::bench {

/// Octets of memory that this process has resident.
inline std::size_t resident() {
  std::ifstream file{"/proc/self/statm"};
  std::size_t whole = 0, pages = 0;
  file >> whole >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace tunic::bench
