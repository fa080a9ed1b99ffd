#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace tunic::http {

// What a peer may make us hold or read. Each bound has the status that a server answers when it is passed.
struct limits {
  std::size_t start_line = 8 * 1024;     // octets; 414. RFC 9112 §3 recommends at least 8000
  std::size_t field_line = 8 * 1024;     // octets of one field line; 431
  std::size_t head = 64 * 1024;          // octets of all field lines of a message; 431
  std::size_t field_count = 100;         // field lines of a message; 431
  std::size_t chunk_line = 512;          // octets of a chunk's size and extensions; 400
  std::uint64_t body = 8 * 1024 * 1024;  // octets of content; 413

  // A client asked for the content: only its sink knows how much is too much.
  static constexpr limits client() {
    limits all;
    all.body = std::numeric_limits<std::uint64_t>::max();
    return all;
  }
};

}  // namespace tunic::http
