#pragma once

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "drivers/file_descriptor.hpp"

namespace tunic::drivers::test {

/// Each test runs in a fresh network namespace of its own process, so that nothing of the machine's is seen or touched.
class network_namespace : public ::testing::Test {
 protected:
  void SetUp() override;
};

/// Makes a persistent device with flags of TUNSETIFF, as another process would.
void make_persistent(const std::string& name, int flags);
/// `ip link del`.
void delete_link(const std::string& name);

/// A kernel UDP socket bound to 198.51.100.1, which sends to 198.51.100.2.
file_descriptor kernel_udp(std::uint16_t port);
void send_to_us(const file_descriptor& socket, std::uint16_t port, const std::string& text);
/// Waits for at most five seconds.
bool wait_readable(int fd);

}  // namespace tunic::drivers::test
