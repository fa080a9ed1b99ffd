#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "http/server/file_stamp.hpp"
#include "http/transport/transport.hpp"

namespace tunic::http {

// Where a piece of a file lies. The stamp is part of it, for some file systems (overlayfs) keep the number of a file
// that is changed and is another one from then on, of which an older mapping shows nothing.
struct piece_place {
  file_stamp file;
  std::uint64_t offset;  // octets
  std::size_t length;    // octets

  bool operator==(const piece_place&) const = default;
};

// The pieces that were mapped last, of all files of a folder that are open: whoever sends the same file shares them,
// and the next response need not map them again. A mapped file that was deleted keeps its room on the disk, so that a
// piece goes where nobody has wanted it for a while.
class mapped_pieces {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::size_t most = 512;  // pieces: a client may ask for any number of small ones
  static constexpr std::chrono::seconds kept_unused{5};

  // The piece, or none.
  shared_octets find(const piece_place& where, clock::time_point now);
  // It stays mapped until so many others have been, or nobody has found it for so long; or for as long as somebody
  // holds it.
  void keep(const piece_place& where, shared_octets mapped, clock::time_point now);
  // To be called now and then, where nothing is found or kept.
  void forget_unused(clock::time_point now);

 private:
  struct piece {
    piece_place where;
    shared_octets mapped;
    clock::time_point used;
  };

  std::deque<piece> pieces_;  // the oldest first
  clock::time_point looked_{};
};

}  // namespace tunic::http
