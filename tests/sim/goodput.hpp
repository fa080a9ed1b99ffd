#pragma once

#include <string>
#include <vector>

#include "tests/sim/scenario.hpp"

namespace tunic::sim {

/// A cell of the golden table: a fixed path and one sender that writes all it can, for four seconds of the rate.
struct cell {
  tcp::congestion_algorithm algorithm = tcp::congestion_algorithm::cubic;
  bool sack = true;
  unsigned rate = 20;      ///< Mbit/s
  unsigned rtt = 50;       ///< ms
  std::string path = "0";  ///< loss in percent, "reorder" (2 %), "burst" (5 lost each second)

  [[nodiscard]] std::string name() const;
};

/// Those of the table, in its order.
std::vector<cell> golden_cells();

/// Mbit/s, of five seeds, each with a round trip that is longer by a hundredth. How far the least is from the median
/// tells how much of a cell's goodput is chance.
struct figures {
  double least = 0;
  double median = 0;
};
/// Throws std::runtime_error where a transfer fails.
figures goodput(const cell& c);

}  // namespace tunic::sim
