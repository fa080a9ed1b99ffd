#pragma once

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "stack/device.hpp"

namespace tunic::test {

/// A device with a descriptor, over one end of a pair of Unix datagram sockets. The kernel lets few datagrams wait
/// there, so it would block often.
class descriptor_device final : public device {
 public:
  explicit descriptor_device(int fd) : fd_(fd) {}
  descriptor_device(const descriptor_device&) = delete;
  descriptor_device& operator=(const descriptor_device&) = delete;
  ~descriptor_device() override { ::close(fd_); }

  [[nodiscard]] device_capabilities capabilities() const override { return {}; }
  [[nodiscard]] std::size_t mtu() const override { return 1500; }
  packet receive(pool& from, instant, std::error_code& error) override {
    ++receives;
    error = failure;
    if (error) return {};
    const buffer_ref b = from.small();
    const ssize_t n = ::recv(fd_, b->room().data(), b->room().size(), MSG_DONTWAIT);
    if (n > 0) return {.octets = pool::view(b, static_cast<std::size_t>(n))};
    if (n < 0 && errno != EAGAIN) error.assign(errno, std::generic_category());
    return {};
  }
  std::error_code transmit(const frame& f, instant) override {
    if (failure) return failure;
    if (transmit_failure) return transmit_failure;
    std::vector<std::byte> octets(f.header().begin(), f.header().end());
    for (const slice& s : f.text) octets.insert(octets.end(), s.octets().begin(), s.octets().end());
    if (::send(fd_, octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return {};
    blocked += errno == EAGAIN;
    return {errno, std::generic_category()};
  }
  [[nodiscard]] int descriptor() const override { return fd_; }

  std::error_code failure;           ///< what every call says while it is set
  std::error_code transmit_failure;  ///< what transmit() alone says
  unsigned receives = 0;
  unsigned blocked = 0;

 private:
  int fd_;
};

struct descriptor_pair {
  descriptor_pair() : descriptor_pair(make()) {}
  descriptor_device first;
  descriptor_device second;

 private:
  explicit descriptor_pair(std::array<int, 2> fds) : first(fds[0]), second(fds[1]) {}
  static std::array<int, 2> make() {
    std::array<int, 2> fds;
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds.data()) != 0)
      throw std::system_error(errno, std::generic_category(), "socketpair");
    return fds;
  }
};

}  // namespace tunic::test
