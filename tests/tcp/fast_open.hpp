#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "tests/tcp/segments.hpp"

// Clients that use TCP Fast Open (RFC 7413).

namespace tunic::test {

inline script_options fast(tcp::fast_open_use use = tcp::fast_open_use::on) {
  script_options o;
  o.fast_open = use;
  o.stack.tcp.timestamps = false;
  return o;
}

/// Each connection has a port of its own.
inline void opens_with(script& t, std::size_t octets) {
  static std::uint16_t port = 40000;
  t.peer_port(++port);
  t.user_opens_with(octets);
}
inline void opens(script& t) {
  opens_with(t, 0);
}
/// It is over, so that another may follow.
inline void next(script& t) {
  t.user_aborts();
  t.passes_unheard(0s);
  t.user_releases();
}

inline const std::string plain = "mss 1460,sackOK,nop,wscale 9";

/// A client that has got a cookie, in the answer that is given.
inline script with_cookie(const std::string& answer = "mss 1460,sackOK,FO 0123456789ab", script_options o = fast()) {
  script t{std::move(o)};
  opens_with(t, 10);
  t.sends("S 0:0(0) <" + plain + ",FO>");
  t.arrives("S. 0:0(0) ack 1 win 65535 <" + answer + ">");
  t.sends("P. 1:11(10) ack 1");
  next(t);
  return t;
}

}  // namespace tunic::test
