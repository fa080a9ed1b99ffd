#include "http/server/mapped_pieces.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/mman.h>

namespace tunic::http {

shared_octets mapped_pieces::map(int descriptor, std::uint64_t device, std::uint64_t inode, std::uint64_t offset,
                                 std::size_t length, std::error_code& error) {
  error = {};
  const auto known = std::find_if(pieces_.begin(), pieces_.end(), [&](const piece& p) {
    return p.inode == inode && p.device == device && p.offset == offset && p.mapped.octets.size() == length;
  });
  if (known != pieces_.end()) return known->mapped;
  // Populated in one go, which costs a fraction of what a page fault for every few pages does.
  void* const at =
      ::mmap(nullptr, length, PROT_READ, MAP_SHARED | MAP_POPULATE, descriptor, static_cast<off_t>(offset));
  if (at == MAP_FAILED) {
    error = {errno, std::system_category()};
    return {};
  }
  std::shared_ptr<const void> owner(at, [length](const void* p) { ::munmap(const_cast<void*>(p), length); });
  for (octets_ += length; octets_ > most_octets && !pieces_.empty(); pieces_.pop_front())
    octets_ -= pieces_.front().mapped.octets.size();
  return pieces_
      .emplace_back(device, inode, offset, shared_octets{std::move(owner), {static_cast<const std::byte*>(at), length}})
      .mapped;
}

}  // namespace tunic::http
