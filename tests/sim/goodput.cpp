#include "tests/sim/goodput.hpp"

#include <algorithm>
#include <stdexcept>

namespace tunic::sim {
namespace {

using namespace std::chrono_literals;

scenario scenario_of(const cell& c, std::uint64_t seed) {
  scenario s;
  s.seed = s.path.seed = seed;
  drivers::path_options p;
  p.rate = c.rate * std::uint64_t{1'000'000};
  p.delay = c.rtt * 1ms / 2 * (99 + static_cast<std::int64_t>(seed)) / 100;    // lest all meet a period alike
  p.queue.octets = std::max<std::uint64_t>(2 * c.rate * c.rtt * 125, 30'000);  // two bandwidth-delay products
  s.path.back = p;
  if (c.path == "reorder") {
    p.reorder = 0.02;
    p.reorder_by = p.delay / 2;
  } else if (c.path == "burst") {
    p.burst_interval = 1s;
    p.burst_size = 5;
  } else {
    p.loss = std::stod(c.path) / 100;
  }
  s.path.there = p;
  s.client.host = {.name = "client", .own = *address::parse("198.51.100.1"), .seed = seed};
  s.server.host = {.name = "server", .own = *address::parse("198.51.100.2"), .seed = seed + 1};
  s.client.host.stack.tcp.congestion = c.algorithm;
  s.client.host.stack.tcp.sack = c.sack;
  s.client.host.stack.device = {.checksum = true, .segmentation_v4 = true, .segmentation_v6 = true};
  s.client.user.octets = 4 * std::uint64_t{c.rate} * 125'000;
  s.server.user.octets = 0;
  return s;
}

}  // namespace

std::string cell::name() const {
  return std::string{tcp::name(algorithm)} + (sack ? " " : "-nosack ") + std::to_string(rate) + ' ' +
         std::to_string(rtt) + ' ' + path;
}

std::vector<cell> golden_cells() {
  using enum tcp::congestion_algorithm;
  std::vector<cell> cells;
  for (const auto algorithm : {cubic, bbr}) {
    for (const char* path : {"0", "0.1", "1", "3", "reorder", "burst"}) {
      for (const unsigned rate : {20u, 100u}) {
        for (const unsigned rtt : {10u, 50u, 200u}) cells.push_back({algorithm, true, rate, rtt, path});
      }
    }
    cells.push_back({algorithm, true, 1000, 10, "0"});
  }
  for (const char* path : {"0", "1"}) {
    for (const unsigned rtt : {10u, 50u, 200u}) {
      cells.push_back({reno, true, 20, rtt, path});
      cells.push_back({cubic, false, 20, rtt, path});
    }
  }
  return cells;
}

figures goodput(const cell& c) {
  std::vector<double> all;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const outcome o = run(scenario_of(c, seed));
    if (!o.fault.empty()) throw std::runtime_error{c.name() + ", seed " + std::to_string(seed) + ": " + o.fault};
    all.push_back(o.flows[0].goodput() / 1e6);
  }
  std::ranges::sort(all);
  return {all.front(), all[all.size() / 2]};
}

}  // namespace tunic::sim
