#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "drivers/cutter.hpp"
#include "drivers/file_descriptor.hpp"
#include "drivers/path.hpp"
#include "stack/device.hpp"

namespace tunic::app {

/// One direction: takes datagrams from a device, cut into wire segments, and hands them to another one at the end of a
/// path.
class relay_direction {
 public:
  /// `name` is that of `from` in errors.
  relay_direction(std::string name, device& from, device& to, const drivers::path_options& options, std::uint64_t seed)
      : name_(std::move(name)), from_(from), to_(to), path_(options, seed) {}

  /// Takes what there is, up to a batch; then there may be more, and it returns true. Throws std::system_error where
  /// the device has failed for good.
  bool take(instant now);
  /// Hands on what is due.
  void hand_on(instant now);

  [[nodiscard]] const drivers::path& path() const { return path_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  /// How much later than due datagrams were handed on: the mean and the most.
  [[nodiscard]] duration mean_lateness() const;
  [[nodiscard]] duration most_lateness() const { return most_late_; }
  [[nodiscard]] int descriptor() const { return from_.descriptor(); }

 private:
  std::string name_;
  device& from_;
  device& to_;
  drivers::path path_;
  drivers::cutter cutter_;
  pool pool_;
  frame frame_;
  std::uint64_t refused_ = 0;  // by the device at the end
  duration late_{};            // the sum
  duration most_late_{};
};

/// Runs two directions in real time until it is told to end.
class relay {
 public:
  struct limits {
    std::uint64_t count = 0;  ///< datagrams of both directions; 0: no bound
    duration time{};          ///< 0: no bound
  };

  /// From here on SIGINT and SIGTERM are kept for run().
  relay(relay_direction& there, relay_direction& back, limits bounds);

  /// Returns at a SIGINT or SIGTERM, when the time is over, or when the last datagram of `count` has arrived. Throws
  /// std::system_error where a device has failed for good.
  void run();

 private:
  [[nodiscard]] bool may_take() const;
  [[nodiscard]] std::uint64_t moved() const;  // how many datagrams have come and passed
  /// Waits until then or, where it is asked for, until a datagram comes; true where it is told to end.
  [[nodiscard]] bool wait(instant until, bool for_datagrams) const;

  relay_direction& there_;
  relay_direction& back_;
  limits bounds_;
  drivers::file_descriptor signals_;
};

}  // namespace tunic::app
