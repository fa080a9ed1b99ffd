#include "tests/sim/goodput.hpp"

#include <fstream>
#include <iostream>
#include <sstream>

#include <gtest/gtest.h>

// The golden table, tests/sim/goodput.txt: five seeds reach at the median what the least of them reached when it was
// noted, within 5 %. Where a change is meant to cost something, or has gained a lot, `scripts/simulate --golden` notes
// anew.

namespace tunic::sim {
namespace {

struct noted {
  sim::cell cell;
  figures goodput;  // noughts where the table has no line
};

void PrintTo(const noted& n, std::ostream* out) {
  *out << n.cell.name();
}

std::vector<noted> table() {
  std::ifstream file{TUNIC_GOLDEN_GOODPUT};
  std::vector<noted> all;
  for (const cell& c : golden_cells()) {
    file.clear();
    file.seekg(0);
    all.push_back({c, {}});
    for (std::string line; std::getline(file, line);) {
      if (!line.starts_with(c.name() + ' ')) continue;
      std::istringstream rest{line.substr(c.name().size())};
      rest >> all.back().goodput.median >> all.back().goodput.least;
    }
  }
  return all;
}

class golden_goodput : public testing::TestWithParam<noted> {};

TEST_P(golden_goodput, is_reached) {
  constexpr double tolerance = 0.05, worth_noting = 0.2;
  const auto& [cell, before] = GetParam();
  ASSERT_GT(before.least, 0) << "no line for '" << cell.name()
                             << "' in goodput.txt: scripts/simulate --golden writes it";
  const double measured = goodput(cell).median;
  EXPECT_GE(measured, (1 - tolerance) * before.least) << cell.name() << ", which had " << before.median;
  if (measured > (1 + worth_noting) * before.median)
    std::cout << cell.name() << ": " << measured << " Mbit/s where " << before.median << " were noted; note it anew\n";
}

INSTANTIATE_TEST_SUITE_P(cells, golden_goodput, testing::ValuesIn(table()), [](const auto& one) {
  std::string name = one.param.cell.name();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
});

}  // namespace
}  // namespace tunic::sim
