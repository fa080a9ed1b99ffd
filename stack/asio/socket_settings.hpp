#pragma once

#include <cstdint>
#include <optional>
#include <system_error>

#include <asio/ip/tcp.hpp>
#include <asio/ip/unicast.hpp>
#include <asio/socket_base.hpp>

#include "stack/asio/dscp.hpp"
#include "stack/asio/fast_open.hpp"
#include "stack/base/address.hpp"
#include "stack/tcp/fast_open.hpp"
#include "stack/tcp/liveness.hpp"

namespace tunic::detail {

/// What a TCP socket or acceptor was told, kept until there is a connection to tell it to.
struct socket_settings {
  bool no_delay = true;  ///< Nagle's algorithm is off unless asked for
  tcp::liveness live;    ///< zeros: the stack's
  bool linger = false;
  int linger_seconds = 0;
  std::uint8_t hop_limit = 0;        ///< 0: the stack's
  std::uint8_t tos = 0;              ///< DSCP, above two bits of ECN
  std::uint32_t receive_buffer = 0;  ///< octets; 0: the stack's
  std::uint32_t send_buffer = 0;     ///< octets; 0: the stack's
  std::uint32_t fast_open = 0;       ///< connections of an acceptor that may be pending; 0: none
  bool fast_open_connect = false;
  bool fast_open_no_cookie = false;
  std::optional<endpoint> bound = {};

  [[nodiscard]] tcp::fast_open_use use_if(bool wanted) const {
    if (!wanted) return tcp::fast_open_use::off;
    return fast_open_no_cookie ? tcp::fast_open_use::without_cookie : tcp::fast_open_use::on;
  }
};

// Asio's option types and our own, one overload each. Error: invalid_argument for a number out of range.
void set(socket_settings& s, const asio::ip::tcp::no_delay& o, std::error_code& e);
void set(socket_settings& s, const asio::socket_base::keep_alive& o, std::error_code& e);
void set(socket_settings& s, const asio::socket_base::linger& o, std::error_code& e);
void set(socket_settings& s, const asio::socket_base::receive_buffer_size& o, std::error_code& e);
void set(socket_settings& s, const asio::socket_base::send_buffer_size& o, std::error_code& e);
void set(socket_settings& s, const asio::ip::unicast::hops& o, std::error_code& e);
void set(socket_settings& s, const dscp& o, std::error_code& e);
void set(socket_settings& s, const tcp::fast_open& o, std::error_code& e);
void set(socket_settings& s, const tcp::fast_open_connect& o, std::error_code& e);
void set(socket_settings& s, const tcp::fast_open_no_cookie& o, std::error_code& e);
void get(const socket_settings& s, asio::ip::tcp::no_delay& o);
void get(const socket_settings& s, asio::socket_base::keep_alive& o);
void get(const socket_settings& s, asio::socket_base::linger& o);
void get(const socket_settings& s, asio::socket_base::receive_buffer_size& o);
void get(const socket_settings& s, asio::socket_base::send_buffer_size& o);
void get(const socket_settings& s, asio::ip::unicast::hops& o);
void get(const socket_settings& s, dscp& o);
void get(const socket_settings& s, tcp::fast_open& o);
void get(const socket_settings& s, tcp::fast_open_connect& o);
void get(const socket_settings& s, tcp::fast_open_no_cookie& o);

}  // namespace tunic::detail
