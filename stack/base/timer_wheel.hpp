#pragma once

#include <array>
#include <cstdint>

#include "stack/base/time.hpp"

namespace tunic {

/// What waits in a timer wheel: the base of whoever has a deadline. Leaves its wheel when destroyed.
class timer_node {
 public:
  timer_node() = default;
  timer_node(const timer_node&) = delete;
  timer_node& operator=(const timer_node&) = delete;
  ~timer_node() { unlink(); }

  [[nodiscard]] bool armed() const { return next_ != nullptr; }
  /// The moment it is armed for; `never` where it is not.
  [[nodiscard]] instant deadline() const { return armed() ? deadline_ : never; }

 private:
  friend class timer_wheel;
  void unlink() {
    if (!next_) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

  timer_node* next_ = nullptr;
  timer_node* previous_ = nullptr;
  instant deadline_ = never;
};

/// A hierarchical timer wheel: arming and cancelling cost O(1) whatever the number of timers, and deadlines stay exact
/// to the nanosecond, because a slot keeps each node's own deadline (a slot of level 0 spans 65.5 µs).
class timer_wheel {
 public:
  timer_wheel();
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;
  ~timer_wheel();

  void arm(timer_node& node, instant deadline);
  static void cancel(timer_node& node) { node.unlink(); }

  /// A moment no later than the earliest deadline, exact once that is near; `never` where nothing waits.
  [[nodiscard]] instant next_deadline();

  /// The next node that is due at `now`, no longer armed; nullptr where none is. Call until it returns nullptr.
  timer_node* pop_due(instant now);

 private:
  static constexpr unsigned slot_bits = 6;
  static constexpr unsigned slots = 1u << slot_bits;
  static constexpr unsigned levels = 8;
  static constexpr unsigned tick_shift = 16;  // a tick of level 0 is 2^16 ns

  struct level {
    std::uint64_t occupied = 0;  // a bit a slot; may be stale after a cancel, then cleared when looked at
    std::array<timer_node, slots> heads;
  };

  void insert(timer_node& node);
  // The first occupied slot at or after the wheel's position, as (level, slot); level == levels where there is none.
  struct place {
    unsigned level;
    unsigned slot;
  };
  place first_occupied();
  [[nodiscard]] std::uint64_t start_tick(place p) const;

  std::uint64_t tick_ = 0;  // the position: every node in the wheel is due in this tick or later
  std::array<level, levels> levels_;
};

}  // namespace tunic
