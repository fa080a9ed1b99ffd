#pragma once

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "drivers/path.hpp"
#include "tests/sim/host.hpp"

namespace tunic::sim {

/// A path between two sides, each with one host or several, so that all their connections share its bottleneck.
struct network_options {
  drivers::path_options there = {};  ///< from left to right
  drivers::path_options back = {};
  std::uint64_t seed = 1;
};

/// Stacks on both sides of a path, in virtual time. After every step, what must hold of every connection is checked.
class network {
 public:
  explicit network(const network_options& o, std::ostream* transcript = nullptr);

  host& add_left(const host_options& o) { return add(left_, o); }
  host& add_right(const host_options& o) { return add(right_, o); }

  /// Runs until all users are done and all connections CLOSED, or up to a moment. What went wrong; empty where all is
  /// well.
  std::string run(instant until = never);

  [[nodiscard]] instant now() const { return now_; }
  /// Nothing new at either end for so long, while no user pauses, is a stall: it is what twelve transmissions in a row
  /// of the same octets take, the first by a timeout of a second at least, the last by one of 60 s at most. The
  /// retransmission timer and the probes of a shut window back off alike (RFC 6298 §5.5, RFC 9293 §3.8.6.1).
  [[nodiscard]] duration patience() const { return patience_; }
  /// The longest time with nothing new so far, while anybody was busy: TIME-WAIT is no silence.
  [[nodiscard]] duration longest_silence() const { return longest_; }
  [[nodiscard]] const drivers::path_counters& there() const { return there_.counters(); }
  [[nodiscard]] const drivers::path_counters& back() const { return back_.counters(); }

 private:
  using hosts = std::vector<std::unique_ptr<host>>;
  host& add(hosts& side, const host_options& o);
  void deliver(drivers::path& p, hosts& side);
  [[nodiscard]] std::string step();
  [[nodiscard]] std::string failed(const std::string& what) const;
  template <class F>
  void each(F f);

  drivers::path there_;
  drivers::path back_;
  std::ostream* transcript_;
  hosts left_;
  hosts right_;
  instant now_{};
  instant last_progress_{};
  std::uint64_t progress_ = 0;
  duration patience_;
  duration longest_{};
  bool busy_ = false;
  unsigned idle_steps_ = 0;  // since time last passed
};

}  // namespace tunic::sim
