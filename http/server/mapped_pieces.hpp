#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <system_error>

#include "http/transport/transport.hpp"

namespace tunic::http {

// The pieces that were mapped last, of all files of a folder that are open: whoever sends the same file shares them,
// and the next response need not map them again. A mapping shows what its file holds at any time, so that none is ever
// out of date, and keeps the file's number from being used again.
class mapped_pieces {
 public:
  static constexpr std::size_t most_octets = std::size_t{1} << 30;

  // Maps `length` octets of the file `inode` of `device`, which is open as `descriptor`, from `offset` on. The octets
  // stay mapped for as long as somebody holds them, and until so many others have been.
  shared_octets map(int descriptor, std::uint64_t device, std::uint64_t inode, std::uint64_t offset, std::size_t length,
                    std::error_code& error);

 private:
  struct piece {
    std::uint64_t device;
    std::uint64_t inode;
    std::uint64_t offset;
    shared_octets mapped;
  };

  std::deque<piece> pieces_;  // the oldest first
  std::size_t octets_ = 0;
};

}  // namespace tunic::http
