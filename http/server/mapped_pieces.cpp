#include "http/server/mapped_pieces.hpp"

#include <algorithm>
#include <utility>

namespace tunic::http {

shared_octets mapped_pieces::find(const piece_place& where, clock::time_point now) {
  forget_unused(now);
  const auto found = std::find_if(pieces_.begin(), pieces_.end(), [&](const piece& p) { return p.where == where; });
  if (found == pieces_.end()) return {};
  found->used = now;
  return found->mapped;
}

void mapped_pieces::keep(const piece_place& where, shared_octets mapped, clock::time_point now) {
  if (pieces_.size() == most) pieces_.pop_front();
  pieces_.push_back({where, std::move(mapped), now});
}

void mapped_pieces::forget_unused(clock::time_point now) {
  if (now - looked_ < kept_unused / 5) return;
  looked_ = now;
  std::erase_if(pieces_, [now](const piece& p) { return now - p.used >= kept_unused; });
}

}  // namespace tunic::http
