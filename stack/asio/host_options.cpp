#include "stack/asio/host_options.hpp"

#include <algorithm>
#include <stdexcept>

namespace tunic {
namespace {

constexpr std::size_t least_mtu_v4 = 68;    // RFC 791 §3.2
constexpr std::size_t least_mtu_v6 = 1280;  // RFC 8200 §5
constexpr std::size_t most_mtu = 65535;

[[noreturn]] void refuse(const std::string& sentence) {
  throw std::invalid_argument("tunic::host: " + sentence);
}

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

const char* version(family f) {
  return f == family::v4 ? "IPv4" : "IPv6";
}

void check_address(const prefix& p) {
  const address& a = p.address;
  if (a.is_unspecified() || a.is_multicast() || a.is_broadcast())
    refuse(p.to_string() + " cannot be a host's address: give one that a peer can send to, such as 198.51.100.2/24");
}

void check_gateways(const ip::config& c) {
  for (const family f : {family::v4, family::v6}) {
    const auto same = [f](const address& a) { return a.family() == f; };
    const auto n = std::count_if(c.gateways.begin(), c.gateways.end(), same);
    if (n > 1) refuse(std::string("more than one ") + version(f) + " gateway: give one");
    const auto ours = [f](const prefix& p) { return p.address.family() == f; };
    if (n == 1 && !c.any_address && std::none_of(c.addresses.begin(), c.addresses.end(), ours))
      refuse(std::string("an ") + version(f) + " gateway, but no " + version(f) + " address: give the host one");
  }
}

std::size_t check_mtu(std::size_t wanted, const device& d, const ip::config& c) {
  if (wanted > d.mtu())
    refuse("an MTU of " + std::to_string(wanted) + ", but the device carries only " + std::to_string(d.mtu()) +
           " octets: raise the device's first");
  const std::size_t mtu = std::min(wanted == 0 ? d.mtu() : wanted, most_mtu);
  if (mtu < least_mtu_v4) refuse("an MTU of " + std::to_string(mtu) + ": IPv4 needs 68 octets at least");
  const auto v6 = [](const prefix& p) { return !p.address.is_v4(); };
  if (mtu < least_mtu_v6 && std::any_of(c.addresses.begin(), c.addresses.end(), v6))
    refuse("an MTU of " + std::to_string(mtu) + " with an IPv6 address: IPv6 needs 1280 octets at least");
  return mtu;
}

}  // namespace

prefix_option::prefix_option(std::string_view text) {
  const auto p = prefix::parse(text);
  if (!p) refuse(quoted(text) + " is no address with a prefix length: write it as 198.51.100.2/24 or 2001:db8::2/64");
  value = *p;
}

address_option::address_option(std::string_view text) {
  const auto a = tunic::address::parse(text);
  if (!a) refuse(quoted(text) + " is no address: write it as 198.51.100.1 or 2001:db8::1");
  value = *a;
}

stack_config to_config(const host_options& o, const device& d) {
  stack_config c;
  if (o.address) c.ip.addresses.push_back(o.address->value);
  for (const prefix_option& p : o.addresses) c.ip.addresses.push_back(p.value);
  if (o.gateway) c.ip.gateways.push_back(o.gateway->value);
  for (const address_option& a : o.gateways) c.ip.gateways.push_back(a.value);
  c.ip.any_address = o.any_address;
  c.ip.hop_limit = o.hop_limit;
  c.ip.tcp_fragments = !o.one_of_several;
  c.tcp = o.tcp;
  c.device = d.capabilities();

  if (c.ip.addresses.empty() && !o.any_address)
    refuse("no address: give .address = \"198.51.100.2/24\", or .any_address = true");
  for (const prefix& p : c.ip.addresses) check_address(p);
  if (o.hop_limit == 0) refuse("a hop limit of 0 lets nothing out: give 1 to 255");
  if (o.busy_poll < duration{} || o.busy_poll > longest_busy_poll)
    refuse("busy polling for less than 0 or more than 1 s");
  check_gateways(c.ip);
  c.ip.mtu = check_mtu(o.mtu, d, c.ip);
  return c;
}

}  // namespace tunic
