#pragma once

#include <asio/detail/socket_option.hpp>
#include <asio/detail/socket_types.hpp>

// The options of TCP Fast Open (RFC 7413). Asio has no names for them; these are the types that one makes of Linux's
// numbers for a socket of the kernel's, so that the same code serves both.
namespace tunic::tcp {

/// TCP_FASTOPEN, of an acceptor: text that comes with a SYN and a valid cookie is there at once, for so many
/// connections whose handshake is not done yet; 0, the default, is never. Text may come twice where a SYN does:
/// only for who bears that (RFC 7413 §6.1).
using fast_open = asio::detail::socket_option::integer<ASIO_OS_DEF(IPPROTO_TCP), 23>;

/// TCP_FASTOPEN_CONNECT, of a socket before it connects: async_connect() asks for a cookie. To a server that has given
/// one it is done at once, and what is written then goes with the SYN; that the server refuses, or is not there, is
/// told by the reads and writes. What does not fit, and what the server did not take, goes when the handshake is done.
using fast_open_connect = asio::detail::socket_option::boolean<ASIO_OS_DEF(IPPROTO_TCP), 30>;

/// TCP_FASTOPEN_NO_COOKIE, of either beside the above: without cookies, where no stranger can reach the server.
using fast_open_no_cookie = asio::detail::socket_option::boolean<ASIO_OS_DEF(IPPROTO_TCP), 34>;

}  // namespace tunic::tcp
