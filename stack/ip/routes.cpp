#include "stack/ip/routes.hpp"

#include <algorithm>

namespace tunic::ip {

routes::routes(const config& c) : config_(c) {
  for (const prefix& p : c.addresses)
    if (p.address.is_v4() && p.length < 31)  // RFC 3021: a /31 has no broadcast address
      broadcasts_.push_back(p.address.v4_value() | 0xffffffffu >> p.length);
}

bool routes::is_ours(const address& a) const {
  for (const prefix& p : config_.addresses)
    if (p.address == a) return true;
  return config_.any_address && is_host(a);
}

bool routes::is_host(const address& a) const {
  if (!a.is_v4()) return !a.is_unspecified() && !a.is_multicast() && !a.is_loopback();
  const std::uint32_t value = a.v4_value();
  const std::uint32_t network = value >> 24;
  return network != 0 && network != 127 && !a.is_multicast() && !a.is_broadcast() &&
         std::find(broadcasts_.begin(), broadcasts_.end(), value) == broadcasts_.end();
}

bool routes::reachable(const address& destination) const {
  if (destination.is_unspecified() || destination.is_loopback()) return false;
  if (config_.any_address) return true;
  const auto covers = [&](const prefix& p) { return p.contains(destination); };
  return std::any_of(config_.addresses.begin(), config_.addresses.end(), covers) ||
         std::any_of(config_.routes.begin(), config_.routes.end(),
                     [&](const route& r) { return covers(r.destination); }) ||
         std::any_of(config_.gateways.begin(), config_.gateways.end(),
                     [&](const address& gateway) { return gateway.is_v4() == destination.is_v4(); });
}

std::optional<address> routes::source_for(const address& destination) const {
  if (!reachable(destination)) return std::nullopt;
  const prefix* best = nullptr;
  const auto rank = [&](const prefix& p) {
    // The longest prefix around the destination, then an address of its scope (RFC 6724 §5, rule 2), then any.
    if (p.contains(destination)) return 2 + static_cast<int>(p.length);
    return p.address.is_link_local() == destination.is_link_local() ? 1 : 0;
  };
  for (const prefix& p : config_.addresses)
    if (p.address.is_v4() == destination.is_v4() && (!best || rank(p) > rank(*best))) best = &p;
  return best ? std::optional{best->address} : std::nullopt;
}

}  // namespace tunic::ip
