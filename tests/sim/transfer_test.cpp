#include <gtest/gtest.h>

#include "tests/support/sim.hpp"

// Two stacks, a path, seeds: every octet arrives right, both ends get to CLOSED, nothing leaks.

namespace tunic::test {
namespace {

using namespace std::chrono_literals;

std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

TEST(transfer, clean_path) {
  sim s{{}, {.octets = 4 << 20}, {.octets = 4 << 20}};
  EXPECT_EQ(s.run(10min), "");
  EXPECT_EQ(s.retransmits(), 0u);
}

TEST(transfer, fills_a_clean_path) {  // RFC 5681: slow start and then the whole rate, 16 MiB at 100 Mbit/s take 1.35 s
  sim s{{.queue = 1000}, {.octets = 16 << 20}, {.octets = 0, .receive_buffer = 1 << 20}};
  EXPECT_EQ(s.run(10min), "");
  EXPECT_LT(s.elapsed() - 2 * tcp::config{}.msl, 2s);
}

TEST(transfer, random_paths) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const std::uint64_t r = mix(seed);
    sim_path p;
    p.seed = seed;
    p.rate = 1'000'000 * (1 + r % 1000);
    p.delay = std::chrono::microseconds{100 + (r >> 10) % 150'000};
    p.jitter = (r >> 20) % 3 == 0 ? p.delay / 2 : duration{};
    p.loss = static_cast<double>((r >> 24) % 11) / 100;
    p.duplicate = (r >> 28) % 4 == 0 ? 0.02 : 0;
    p.corrupt = (r >> 30) % 4 == 0 ? 0.01 : 0;
    p.queue = 32 + (r >> 32) % 256;
    sim_side client{.octets = (r >> 36) % (256 * 1024)};
    sim_side server{.octets = (r >> 44) % (256 * 1024)};
    if ((r >> 52) % 4 == 0) {
      server.receive_buffer = 8192;
      server.read_size = 3000;
      server.read_pause = 50ms;
    }
    sim s{p, client, server};
    ASSERT_EQ(s.run(60min), "");
  }
}

}  // namespace
}  // namespace tunic::test
