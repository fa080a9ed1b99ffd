#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "packetdrill/sysctls.hpp"
#include "stack/tcp/listener.hpp"

namespace tunic::packetdrill {

/// What a socket asks of TCP Fast Open.
struct fast_open_wishes {
  std::uint32_t limit = 0;                  ///< TCP_FASTOPEN: how many may be pending; 0: not told
  bool connect = false;                     ///< TCP_FASTOPEN_CONNECT: connect() leaves the SYN to the first write
  bool no_cookie = false;                   ///< TCP_FASTOPEN_NO_COOKIE
  std::optional<tcp::fast_open_keys> keys;  ///< TCP_FASTOPEN_KEY
};

/// The bits of net.ipv4.tcp_fastopen.
struct fast_open_settings {
  explicit fast_open_settings(const sysctls& s);
  bool client;
  bool server;
  bool client_without_cookie;
  bool server_without_cookie;
  bool server_unasked;  ///< every listener, with its backlog for a limit
};

/// How such a socket opens a connection.
tcp::fast_open_use client_use(const fast_open_wishes& w, const sysctls& s);
/// And how it listens.
void fill_fast_open(tcp::listen_options& o, const fast_open_wishes& w, const sysctls& s);

/// Keys as net.ipv4.tcp_fastopen_key has them: "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4", a second one behind a comma.
std::optional<tcp::fast_open_keys> parse_keys(std::string_view text);
/// Keys as TCP_FASTOPEN_KEY has them: 16 octets, or 32.
std::optional<tcp::fast_open_keys> read_keys(std::span<const std::uint8_t> octets);

}  // namespace tunic::packetdrill
