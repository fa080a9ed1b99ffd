#include "http/server/mapped_pieces.hpp"

#include <algorithm>
#include <utility>

namespace tunic::http {

shared_octets mapped_pieces::find(const piece_place& where) const {
  const auto found = std::find_if(pieces_.begin(), pieces_.end(), [&](const piece& p) { return p.where == where; });
  return found == pieces_.end() ? shared_octets{} : found->mapped;
}

void mapped_pieces::keep(const piece_place& where, shared_octets mapped) {
  if (pieces_.size() == most) pieces_.pop_front();
  pieces_.push_back({where, std::move(mapped)});
}

}  // namespace tunic::http
