#pragma once

#include <asio/ip/address.hpp>
#include <asio/ip/basic_endpoint.hpp>

#include "stack/base/address.hpp"

namespace tunic {

inline address from_asio(const asio::ip::address& a) {
  return a.is_v4() ? address::v4(a.to_v4().to_uint()) : address::v6(a.to_v6().to_bytes());
}

/// IPv4 comes out as IPv4, on dual-stack sockets too: never as ::ffff:a.b.c.d.
inline asio::ip::address to_asio(const address& a) {
  if (a.is_v4()) return asio::ip::address_v4{a.v4_value()};
  return asio::ip::address_v6{a.octets()};
}

template <class Protocol>
endpoint from_asio(const asio::ip::basic_endpoint<Protocol>& e) {
  return {from_asio(e.address()), e.port()};
}

template <class Protocol>
asio::ip::basic_endpoint<Protocol> to_asio(const endpoint& e) {
  return {to_asio(e.address), e.port};
}

}  // namespace tunic
