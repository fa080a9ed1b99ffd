#include <cstdlib>
#include <exception>
#include <iomanip>
#include <iostream>
#include <string>
#include <string_view>

#include "tests/sim/goodput.hpp"

// What scripts/simulate runs. A line a seed, in tabs: the seed, what went wrong, whether both users were steady,
// seconds until CLOSED, the longest silence in seconds and how long it might have been; then of both directions octets,
// seconds, bit/s of the path, round trip in seconds, share lost, ideal seconds, congestion control, retransmits,
// timeouts.

namespace tunic::sim {
namespace {

double seconds(duration d) {
  return std::chrono::duration<double>(d).count();
}

void print(const scenario& s, const outcome& o) {
  std::cout << s.seed << '\t' << o.fault << '\t' << s.steady << '\t' << seconds(o.time) << '\t'
            << seconds(o.longest_silence) << '\t' << seconds(o.patience);
  for (const flow& f : o.flows) {
    std::cout << '\t' << f.octets << '\t' << seconds(f.time) << '\t' << f.rate << '\t' << seconds(f.rtt) << '\t'
              << f.loss << '\t' << seconds(f.ideal()) << '\t' << tcp::name(f.algorithm) << '\t' << f.retransmits << '\t'
              << f.timeouts;
  }
  std::cout << std::endl;
}

int run_seeds(std::uint64_t first, std::uint64_t count, std::uint64_t step) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const scenario s = random_scenario(first + i * step);
    print(s, run(s));
  }
  return 0;
}

int replay(std::uint64_t seed) {
  const scenario s = random_scenario(seed);
  describe(s, std::cout);
  const outcome o = run(s, &std::cout);
  std::cout << (o.fault.empty() ? "all is well" : o.fault) << '\n';
  return o.fault.empty() ? 0 : 1;
}

int print_golden() {
  for (const cell& c : golden_cells()) {
    const figures f = goodput(c);
    std::cout << c.name() << ' ' << std::fixed << std::setprecision(2) << f.median << ' ' << f.least << std::endl;
  }
  return 0;
}

int usage() {
  std::cerr << "usage: tunic_simulate run FIRST COUNT STEP | replay SEED | golden\n";
  return 2;
}

int main(int count, char** arguments) {
  const auto number = [&](int i) { return std::strtoull(arguments[i], nullptr, 10); };
  const std::string_view what = count > 1 ? arguments[1] : "";
  if (what == "run" && count == 5) return run_seeds(number(2), number(3), number(4));
  if (what == "replay" && count == 3) return replay(number(2));
  if (what == "golden" && count == 2) return print_golden();
  return usage();
}

}  // namespace
}  // namespace tunic::sim

int main(int count, char** arguments) {
  try {
    return tunic::sim::main(count, arguments);
  } catch (const std::exception& e) {
    std::cerr << "tunic_simulate: " << e.what() << '\n';
    return 1;
  }
}
