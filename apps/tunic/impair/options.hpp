#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "apps/tunic/impair/units.hpp"
#include "drivers/path_options.hpp"

namespace CLI {  // NOLINT: not ours to name
class App;
}

namespace tunic::app {

/// A TUN device in a network namespace.
struct impair_end {
  std::string netns;  ///< as drivers::netns takes it
  std::string device;
  std::string text;  ///< as it was given
};

/// One direction as the command line gives it: some of it depends on the rest.
struct impair_direction {
  drivers::path_options path;
  std::optional<queue_size> queue;
  std::optional<queue_size> unmarked;
  std::optional<duration> reorder_by;
};

struct impair_options {
  impair_end first, second;
  impair_direction there, back;
  std::uint64_t seed = 1;
  std::uint64_t count = 0;  ///< datagrams taken in at most; 0: no bound
  duration time{};          ///< at most so long; 0: no bound
};

CLI::App* add_impair(CLI::App& app, impair_options& o);
/// Works out what depends on other options; throws CLI::ValidationError where they do not go together.
void resolve(impair_options& o);

}  // namespace tunic::app
