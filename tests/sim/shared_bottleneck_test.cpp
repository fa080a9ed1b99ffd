#include <vector>

#include <gtest/gtest.h>

#include "tests/sim/network.hpp"

// Several stacks on each side of one path: their connections share its rate and its queue.

namespace tunic::sim {
namespace {

using namespace std::chrono_literals;
using enum tcp::congestion_algorithm;

class crowd {
 public:
  crowd(const network_options& p, std::vector<tcp::congestion_algorithm> algorithms, std::uint64_t each) : network_(p) {
    const std::size_t count = algorithms.size();
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = [&](std::size_t host) { return *address::parse("198.51.100." + std::to_string(host)); };
      host_options client{.name = "client" + std::to_string(i), .own = at(1 + i), .seed = 1 + i};
      host_options server{.name = "server" + std::to_string(i), .own = at(101 + i), .seed = 101 + i};
      client.stack.tcp.congestion = algorithms[i];
      host& r = network_.add_right(server);
      tcp::listen_options l;
      l.local = {server.own, 80};
      readers_.push_back(&r.listens({.octets = 0}, l, 2 * i + 1, 2 * i, each));
      tcp::open_options o;
      o.remote = l.local;
      network_.add_left(client).opens({.octets = each}, o, 2 * i, 2 * i + 1, 0, instant{});
    }
  }

  std::string run(instant until = never) { return network_.run(until); }
  [[nodiscard]] instant now() const { return network_.now(); }
  [[nodiscard]] std::vector<double> read() const {
    std::vector<double> all;
    for (const user* u : readers_) all.push_back(static_cast<double>(u->read()));
    return all;
  }

 private:
  network network_;
  std::vector<user*> readers_;
};

network_options path(std::uint64_t rate, duration rtt, double bdps) {
  network_options o;
  o.there.rate = rate;
  o.there.delay = rtt / 2;
  o.there.queue.octets =
      static_cast<std::uint64_t>(bdps * static_cast<double>(rate) / 8 * std::chrono::duration<double>(rtt).count());
  o.back = o.there;
  return o;
}

/// Jain's index of fairness, of what each got between two moments.
double fairness(const std::vector<double>& before, const std::vector<double>& after) {
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const double x = after[i] - before[i];
    sum += x;
    squares += x * x;
  }
  return sum * sum / (static_cast<double>(after.size()) * squares);
}

TEST(transfer, fills_a_clean_path) {  // RFC 5681: slow start and then the whole rate, 16 MiB at 100 Mbit/s take 1.35 s
  crowd c{path(100'000'000, 20ms, 2), {cubic}, 16u << 20};
  EXPECT_EQ(c.run(), "");
  EXPECT_LT(c.now() - instant{} - 2 * tcp::config{}.msl, 2s);
}

TEST(shared_bottleneck, eight_stacks_get_everything_through) {
  crowd c{path(50'000'000, 40ms, 1), {cubic, bbr, reno, cubic, bbr, reno, cubic, bbr}, 4u << 20};
  EXPECT_EQ(c.run(), "");
  const double ideal = 8.0 * (4u << 20) * 8 / 50e6;
  EXPECT_LT(std::chrono::duration<double>(c.now().time_since_epoch()).count() - 60, 2 * ideal);  // and TIME-WAIT
}

TEST(shared_bottleneck, four_of_a_kind_share_alike) {
  for (const auto kind : {cubic, reno, bbr}) {
    crowd c{path(20'000'000, 40ms, 1), {kind, kind, kind, kind}, 1u << 30};
    ASSERT_EQ(c.run(instant{10s}), "");
    const auto before = c.read();
    ASSERT_EQ(c.run(instant{70s}), "");
    EXPECT_GE(fairness(before, c.read()), 0.9) << tcp::name(kind);
  }
}

}  // namespace
}  // namespace tunic::sim
