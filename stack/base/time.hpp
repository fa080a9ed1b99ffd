#pragma once

#include <chrono>
#include <cstdint>

namespace tunic {

using duration = std::chrono::nanoseconds;

/// The stack's clock. It has no now(): the core never reads a clock, so time can only be handed in.
struct stack_clock {
  using duration = tunic::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<stack_clock>;
  static constexpr bool is_steady = true;
};

/// A moment on the stack's clock. Only differences mean anything; the epoch is the caller's.
using instant = stack_clock::time_point;

/// Milliseconds modulo 2^32: a moment in half the octets, for differences of less than 49 days.
constexpr std::uint32_t wrapped_ms(duration d) {
  return static_cast<std::uint32_t>(d / std::chrono::milliseconds{1});
}

/// The deadline of what is not waited for.
inline constexpr instant never = instant::max();

}  // namespace tunic
