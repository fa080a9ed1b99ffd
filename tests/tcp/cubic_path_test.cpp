#include <cmath>

#include <gtest/gtest.h>

#include "tests/tcp/bottleneck.hpp"

// CUBIC through a bottleneck: RFC 9438.

namespace tunic::test {
namespace {

using namespace std::chrono_literals;
using tcp::congestion_algorithm;

struct cell {
  double mbit;
  duration rtt;
};

TEST(rfc9438_cubic, fills_the_pipe) {  // RFC 9438 §3.1
  for (const cell c : {cell{20, 10ms}, cell{20, 100ms}, cell{100, 50ms}, cell{100, 200ms}}) {
    path p{.rate = c.mbit * 1e6 / 8, .rtt = c.rtt};
    p.queue = p.rate * 2 * std::chrono::duration<double>(c.rtt).count();
    bottleneck b{p};
    const auto& f = b.add(congestion_algorithm::cubic);
    EXPECT_GT(share(b, f, instant{5s}, instant{35s}, p.rate), 0.98) << c.mbit << ' ' << c.rtt.count();
    EXPECT_EQ(f.timeouts(), 0u);
  }
}

TEST(rfc9438_cubic, returns_to_its_largest_window_at_about_k) {  // RFC 9438 §4.2, in a closed loop
  path p{.rate = 100e6 / 8, .rtt = 100ms};
  p.queue = p.rate * 0.1;
  bottleneck b{p};
  const auto& f = b.add(congestion_algorithm::cubic);
  b.run(instant{60s});
  double window = 0, w_max = 0, expected = 0;
  instant cut{};
  unsigned episodes = f.episodes(), seen = 0;
  bool seen_any = false;
  b.run(instant{200s}, [&](instant now) {
    if (f.episodes() != std::exchange(episodes, f.episodes())) {
      w_max = window * (window < w_max ? 0.85 : 1);  // fast convergence
      expected =
          seen_any ? std::cbrt((w_max - 0.7 * window) / flow::mss / 0.4) : 0;  // the first one's past is not known
      seen_any = true;
      cut = now;
    }
    window = f.cc().cwnd();
    if (expected == 0 || window < w_max * 0.998 || now - cut < 1s) return;
    EXPECT_NEAR(std::chrono::duration<double>(now - cut).count(), expected, 2.0);
    expected = 0;
    ++seen;
  });
  EXPECT_GE(seen, 4u);
}

/// Octets that each of two flows delivers between two moments.
std::pair<double, double> delivered(bottleneck& b, const flow& first, const flow& second, instant from, instant to) {
  b.run(from);
  const auto before_first = first.delivered(), before_second = second.delivered();
  b.run(to);
  return {static_cast<double>(first.delivered() - before_first),
          static_cast<double>(second.delivered() - before_second)};
}

TEST(rfc9438_cubic, two_flows_converge) {  // RFC 9438 §5.5
  path p{.rate = 20e6 / 8, .rtt = 50ms};
  p.queue = p.rate * 0.05;
  bottleneck b{p};
  const auto& first = b.add(congestion_algorithm::cubic);
  const auto& second = b.add(congestion_algorithm::cubic, instant{10s});
  const auto [x, y] = delivered(b, first, second, instant{40s}, instant{140s});
  EXPECT_GT((x + y) * (x + y) / (2 * (x * x + y * y)), 0.95) << x << ' ' << y;  // Jain's index
  EXPECT_GT((x + y) * 1.027 / 100 / p.rate, 0.97);
}

TEST(rfc9438_cubic, a_marking_queue_is_filled_without_a_loss) {  // RFC 3168 §6.1.2, RFC 8511
  path p{.rate = 20e6 / 8, .rtt = 50ms};
  p.queue = p.rate * 0.1;
  p.mark_above = p.rate * 0.03;
  bottleneck b{p};
  const auto& f = b.add(congestion_algorithm::cubic);
  b.run(instant{5s});
  const auto lost = f.lost();
  EXPECT_GT(share(b, f, instant{5s}, instant{35s}, p.rate), 0.97);
  EXPECT_EQ(f.lost(), lost);
  EXPECT_GT(f.episodes(), 3u);
}

TEST(rfc9438_cubic, a_newcomer_has_its_share_within_a_minute) {  // RFC 9438 §4.7 and §5.5
  path p{.rate = 100e6 / 8, .rtt = 100ms};
  p.queue = p.rate * 0.1;
  bottleneck b{p};
  const auto& first = b.add(congestion_algorithm::cubic);
  const auto& second = b.add(congestion_algorithm::cubic, instant{5s});
  const auto [x, y] = delivered(b, first, second, instant{30s}, instant{60s});
  EXPECT_GT((x + y) * (x + y) / (2 * (x * x + y * y)), 0.95) << x << ' ' << y;  // Jain's index
}

}  // namespace
}  // namespace tunic::test
