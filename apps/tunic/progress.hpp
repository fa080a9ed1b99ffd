#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace tunic::app {

/// A line on the standard error output that tells how far a transfer is, where that is a terminal.
class progress {
 public:
  progress();
  ~progress() { clear(); }
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// Now and then; draws at most ten times a second.
  void show(std::uint64_t octets, std::optional<std::uint64_t> of);
  /// Takes the line away, so that others may print.
  void clear();

 private:
  using clock = std::chrono::steady_clock;

  bool terminal_;
  bool shown_ = false;
  clock::time_point next_{};
};

/// "1.5 MiB".
std::string octets_text(std::uint64_t octets);

}  // namespace tunic::app
