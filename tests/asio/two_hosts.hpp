#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "drivers/impairment.hpp"
#include "drivers/loopback.hpp"
#include "stack/asio/host.hpp"
#include "stack/asio/tcp_acceptor.hpp"
#include "stack/asio/tcp_socket.hpp"
#include "stack/asio/udp_socket.hpp"

namespace tunic::test {

using namespace std::chrono_literals;

/// A completion handler that keeps what it is told.
struct outcome {
  std::optional<std::error_code> error;
  std::size_t octets = 0;

  auto handler() {
    return [this](std::error_code e, std::size_t n = 0) {
      EXPECT_FALSE(error) << "completed twice";
      error = e;
      octets = n;
    };
  }
  [[nodiscard]] bool done() const { return error.has_value(); }
  [[nodiscard]] std::error_code code() const { return error.value_or(asio::error::in_progress); }
};

/// Two hosts back to back on one io_context, in virtual time: when nothing is ready, the clock jumps to the next
/// deadline.
class two_hosts {
 public:
  static constexpr std::uint16_t port = 7;

  explicit two_hosts(const tcp::config& c = {}, const drivers::loopback_options& o = {}) : link(o), config_(c) {}
  /// By a bad path.
  explicit two_hosts(const drivers::impairment_options& bad)
      : link({.queue = 4096}), path(std::in_place, link.first(), bad) {}

  /// Runs until `done`; false where nothing more can happen, or an hour has passed on the hosts' clock.
  bool run_until(const std::function<bool()>& done) {
    const instant limit = now + 1h;
    while (!done()) {
      io.restart();
      if (io.poll() > 0) continue;
      const instant next = std::min(client.next_deadline(), server.next_deadline());
      if (next > limit) return false;
      now = std::max(now, next);
      client.wake();
      server.wake();
    }
    return true;
  }
  bool run_until_done(const outcome& o) {
    return run_until([&o] { return o.done(); });
  }
  /// Runs all that is ready now, without moving the clock.
  void settle() {
    io.restart();
    while (io.poll() > 0) io.restart();
  }

  /// Runs coroutines at the same time until all are done, and throws what they throw.
  template <class... Coroutines>
  void run(Coroutines&&... coroutines) {
    std::size_t left = sizeof...(coroutines);
    std::exception_ptr failure;
    const auto finished = [&](std::exception_ptr e) {
      --left;
      if (e && !failure) failure = e;
    };
    (asio::co_spawn(io, std::forward<Coroutines>(coroutines), finished), ...);
    const bool all = run_until([&] { return left == 0 || failure; });
    if (failure) std::rethrow_exception(failure);
    if (!all) throw std::runtime_error("a coroutine waits for ever");
  }

  /// A connection through `acceptor`.
  std::pair<tcp::socket, tcp::socket> connected(tcp::acceptor& acceptor, const asio::ip::tcp::endpoint& to) {
    tcp::socket ours{client};
    std::optional<tcp::socket> theirs;
    outcome connecting;
    ours.async_connect(to, connecting.handler());
    acceptor.async_accept([&](std::error_code e, tcp::socket s) {
      EXPECT_FALSE(e) << e.message();
      theirs.emplace(std::move(s));
    });
    if (!run_until([&] { return connecting.done() && theirs; }) || connecting.code())
      throw std::runtime_error("no connection: " + connecting.code().message());
    return {std::move(ours), std::move(*theirs)};
  }
  std::pair<tcp::socket, tcp::socket> connected() {
    tcp::acceptor acceptor{server, {.port = port}};
    return connected(acceptor, server_at());
  }

  static asio::ip::tcp::endpoint server_at(std::uint16_t p = port) {
    return {asio::ip::make_address("198.51.100.2"), p};
  }
  static asio::ip::tcp::endpoint server_at_v6(std::uint16_t p = port) {
    return {asio::ip::make_address("2001:db8::2"), p};
  }
  static asio::ip::udp::endpoint server_udp(std::uint16_t p = port) {
    return {asio::ip::make_address("198.51.100.2"), p};
  }

  host_options options(const char* v4, const char* v6) {
    host_options o;
    o.address = v4;
    o.addresses = {v6};
    o.tcp = config_;
    o.key = secret{1, 2, 3};
    o.clock = [this] { return now; };
    return o;
  }

  asio::io_context io;
  drivers::loopback_pair link;
  std::optional<drivers::impairment> path;

 private:
  device& near_end() {
    if (path) return *path;
    return link.first();
  }

  tcp::config config_;

 public:
  instant now{1h};
  host client{io, near_end(), options("198.51.100.1/24", "2001:db8::1/64")};
  host server{io, link.second(), options("198.51.100.2/24", "2001:db8::2/64")};
};

inline std::string pattern(std::size_t n, unsigned seed = 1) {
  std::string s(n, '\0');
  for (char& c : s) {
    seed = seed * 1664525u + 1013904223u;
    c = static_cast<char>(seed >> 24);
  }
  return s;
}

inline std::span<const std::byte> octets_of(std::string_view s) {
  return std::as_bytes(std::span{s});
}
inline std::string text_of(std::span<const std::byte> o) {
  return {reinterpret_cast<const char*>(o.data()), o.size()};  // NOLINT: octets as characters
}

}  // namespace tunic::test
