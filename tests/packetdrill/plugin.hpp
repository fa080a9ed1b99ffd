#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "packetdrill/interface.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::test {

/// A failed call's errno; 0 where it has not failed.
template <class Result>
int errno_of(Result r) {
  return r == -1 ? errno : 0;
}

/// What the plug-in emitted, taken apart; sequence numbers count from our SYN.
struct emitted_segment {
  wire::tcp_header header;
  std::uint32_t begin = 0;
  std::uint32_t text = 0;
  std::int64_t at = 0;  ///< microseconds on the plug-in's clock
};

/// libtunic-packetdrill.so as packetdrill loads it, and the peer of one connection: 198.51.100.1 (2001:db8::1), port
/// 40000, whose sequence numbers are as written.
class plugin {
 public:
  explicit plugin(int domain = AF_INET, const std::string& flags = "sysctls=/dev/null", bool ipv6 = false);
  ~plugin();
  plugin(const plugin&) = delete;
  plugin& operator=(const plugin&) = delete;

  packetdrill::interface* operator->() { return &table_; }
  [[nodiscard]] void* self() const { return table_.self; }

  /// A segment in packetdrill's notation.
  void arrives(std::string_view line);
  /// The next one that the stack emits, now or later; nothing where none ever will be.
  std::optional<emitted_segment> emits();

  [[nodiscard]] int stream(bool non_blocking = true);
  int dial(int fd);
  /// A listener on port 8080.
  [[nodiscard]] int listening(bool non_blocking = true);
  /// A listener's connection whose handshake is done; the peer's window is 65535, its MSS 1460.
  [[nodiscard]] int established(bool non_blocking = true);
  ssize_t reads(int fd, std::size_t octets);
  ssize_t writes(int fd, std::size_t octets);
  [[nodiscard]] std::int64_t now();
  [[nodiscard]] int number(int fd, int level, int name);

 private:
  [[nodiscard]] std::pair<sockaddr_storage, socklen_t> name_of(const address& a, std::uint16_t port) const;

  void* library_ = nullptr;
  packetdrill::interface table_ {};
  int domain_;
  address us_;
  address peer_;
  std::uint16_t our_port_ = 8080;
  std::uint16_t peer_port_ = 40000;
  seq iss_{};
};

/// Whether a thread of this process sleeps.
bool is_asleep(pid_t thread);

}  // namespace tunic::test
