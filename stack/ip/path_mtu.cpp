#include "stack/ip/path_mtu.hpp"

#include <algorithm>

namespace tunic::ip {
namespace {

// A path of a smaller MTU would be an attacker's more likely than a network's: RFC 8201 §4 for version 6. In version 4
// every host takes 576 octets (RFC 791 §3.1), and less than that is no use to TCP.
constexpr std::size_t floor_v4 = 576;
constexpr std::size_t floor_v6 = 1280;

}  // namespace

// RFC 1191 §6.2, RFC 8201 §5.2, RFC 4821 §5.2: by destination.
std::size_t path_mtus::find(const address& destination) const {
  if (known_.empty()) return config_.mtu;
  const auto found = known_.find(destination);
  return found == known_.end() ? config_.mtu : found->second->mtu;
}

// RFC 1191 §3, RFC 5927 §7.2: down to a floor, and never up.
void path_mtus::lower(const address& destination, std::uint32_t mtu, instant now) {
  const std::size_t lowered = std::max<std::size_t>(mtu, destination.is_v4() ? floor_v4 : floor_v6);
  if (lowered >= config_.mtu || config_.path_mtus == 0) return;
  const auto found = known_.find(destination);
  if (found != known_.end()) {
    if (lowered > found->second->mtu) return;
    ages_.erase(found->second);
    known_.erase(found);
  }
  while (known_.size() >= config_.path_mtus) forget_oldest();
  ages_.push_back({destination, lowered, now + config_.path_mtu_lifetime});
  known_.emplace(destination, std::prev(ages_.end()));
}

// RFC 1191 §6.3, RFC 8201 §5.3.
void path_mtus::on_deadline(instant now) {
  while (!ages_.empty() && ages_.front().expires <= now) forget_oldest();
}

void path_mtus::forget_oldest() {
  known_.erase(ages_.front().destination);
  ages_.pop_front();
}

}  // namespace tunic::ip
