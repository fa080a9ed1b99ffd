#include <algorithm>
#include <ostream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/sim/scenario.hpp"

// RFC 4821: a path that swallows large datagrams without a word. A transfer over it goes on within three seconds of the
// stall.

namespace tunic::sim {
namespace {

using namespace std::chrono_literals;

struct hole {
  bool ipv6;
  bool sack;
  int rtt;  // ms
  std::uint64_t largest = 1300;

  [[nodiscard]] std::string name() const {
    return std::string{ipv6 ? "v6_" : "v4_"} + (sack ? "sack_" : "no_sack_") + std::to_string(rtt) + "_ms" +
           (largest == 1300 ? "" : "_1280");
  }
};

void PrintTo(const hole& h, std::ostream* out) {
  *out << h.name();
}

class rfc4821_black_hole : public testing::TestWithParam<hole> {};

TEST_P(rfc4821_black_hole, a_transfer_goes_on_within_three_seconds) {
  const hole& h = GetParam();
  scenario s;
  drivers::path_options p;
  p.rate = 20'000'000;
  p.delay = h.rtt * 1ms / 2;
  p.queue.octets = std::max<std::uint64_t>(2 * 2500 * static_cast<std::uint64_t>(h.rtt), 30'000);
  p.largest = h.largest;
  s.path.there = s.path.back = p;
  s.client.host = {.name = "client", .own = *address::parse(h.ipv6 ? "2001:db8::1" : "198.51.100.1")};
  s.server.host = {.name = "server", .own = *address::parse(h.ipv6 ? "2001:db8::2" : "198.51.100.2"), .seed = 2};
  s.client.host.stack.tcp.sack = h.sack;
  for (const auto& [there, back] :
       {std::pair{1u << 20, 0u}, std::pair{100u, 1u << 20}, std::pair{1u << 20, 1u << 20}}) {
    s.client.user.octets = there;
    s.server.user.octets = back;
    const outcome o = run(s);
    ASSERT_EQ(o.fault, "");
    EXPECT_LT(o.longest_silence, 3s) << there << " octets from the client, " << back << " from the server";
  }
}

INSTANTIATE_TEST_SUITE_P(paths, rfc4821_black_hole,
                         testing::Values(hole{false, true, 10}, hole{false, true, 50}, hole{false, true, 200},
                                         hole{false, false, 10}, hole{false, false, 50}, hole{false, false, 200},
                                         hole{true, true, 10}, hole{true, true, 50}, hole{true, true, 200},
                                         hole{true, false, 10}, hole{true, false, 50}, hole{true, false, 200},
                                         hole{false, true, 50, 1280}, hole{true, true, 50, 1280}),
                         [](const auto& one) { return one.param.name(); });

}  // namespace
}  // namespace tunic::sim
