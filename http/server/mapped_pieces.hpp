#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "http/transport/transport.hpp"

namespace tunic::http {

// Where a piece of a file lies.
struct piece_place {
  std::uint64_t device, inode;  // of the file
  std::uint64_t offset;         // octets
  std::size_t length;           // octets

  bool operator==(const piece_place&) const = default;
};

// The pieces that were mapped last, of all files of a folder that are open: whoever sends the same file shares them,
// and the next response need not map them again. A mapping shows what its file holds at any time, so that none is ever
// out of date, and keeps the file's number from being used again.
class mapped_pieces {
 public:
  static constexpr std::size_t most = 512;  // pieces: a client may ask for any number of small ones

  // The piece, or none.
  shared_octets find(const piece_place& where) const;
  // It stays mapped until so many others have been, or for as long as somebody holds it.
  void keep(const piece_place& where, shared_octets mapped);

 private:
  struct piece {
    piece_place where;
    shared_octets mapped;
  };

  std::deque<piece> pieces_;  // the oldest first
};

}  // namespace tunic::http
