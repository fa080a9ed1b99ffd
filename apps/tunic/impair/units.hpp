#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/path_options.hpp"

namespace tunic::app {

// Quantities as people write them, with their units, which are never left out. Nothing where the text is none.

/// "1%" is 0.01; at most 100%.
std::optional<double> parse_share(std::string_view text);
/// "20mbit", "1.5Gbit/s" and the like, in bit/s; more than 0, at most a terabit.
std::optional<std::uint64_t> parse_rate(std::string_view text);
/// "50ms", "1.5s", "200us"; "0". At most an hour.
std::optional<duration> parse_time(std::string_view text);

/// The length of a queue: fixed, or a multiple of what the bottleneck carries in a round trip.
struct queue_size {
  drivers::queue_length length{};
  std::optional<double> round_trips{};
};
/// "200p" packets, "64kB", "64KiB", "1500B" octets, "bdp:2" bandwidth-delay products.
std::optional<queue_size> parse_queue(std::string_view text);

std::string print_share(double share);
std::string print_rate(std::uint64_t rate);
std::string print_time(duration time);
std::string print_queue(const drivers::queue_length& length);

}  // namespace tunic::app
