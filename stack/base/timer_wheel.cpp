#include "stack/base/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace tunic {

timer_wheel::timer_wheel() {
  for (auto& l : levels_)
    for (auto& head : l.heads) head.next_ = head.previous_ = &head;
}

timer_wheel::~timer_wheel() {
  for (auto& l : levels_)
    for (auto& head : l.heads) {
      while (head.next_ != &head) head.next_->unlink();
      head.next_ = head.previous_ = nullptr;
    }
}

void timer_wheel::arm(timer_node& node, instant deadline) {
  node.unlink();
  if (deadline == never) return;
  node.deadline_ = deadline;
  insert(node);
}

void timer_wheel::insert(timer_node& node) {
  const auto nanoseconds = std::max<std::int64_t>(0, node.deadline_.time_since_epoch().count());
  const auto tick = std::max(tick_, static_cast<std::uint64_t>(nanoseconds) >> tick_shift);
  // The level is that of the highest group of six bits in which the deadline differs from the position.
  const std::uint64_t differs = tick ^ tick_;
  const unsigned l = differs == 0 ? 0 : static_cast<unsigned>(63 - std::countl_zero(differs)) / slot_bits;
  const auto slot = static_cast<unsigned>(tick >> (l * slot_bits)) % slots;
  timer_node& head = levels_[l].heads[slot];
  node.previous_ = head.previous_;
  node.next_ = &head;
  head.previous_->next_ = &node;
  head.previous_ = &node;
  levels_[l].occupied |= std::uint64_t{1} << slot;
}

timer_wheel::place timer_wheel::first_occupied() {
  for (unsigned l = 0; l < levels; ++l) {
    auto& current = levels_[l];
    while (current.occupied != 0) {  // all slots of a level lie at or after the position, and before any higher level's
      const auto slot = static_cast<unsigned>(std::countr_zero(current.occupied));
      if (current.heads[slot].next_ != &current.heads[slot]) return {l, slot};
      current.occupied &= ~(std::uint64_t{1} << slot);
    }
  }
  return {levels, 0};
}

std::uint64_t timer_wheel::start_tick(place p) const {
  const unsigned shift = p.level * slot_bits;
  const std::uint64_t above = shift + slot_bits >= 64 ? 0 : tick_ >> (shift + slot_bits) << (shift + slot_bits);
  return std::max(tick_, above | std::uint64_t{p.slot} << shift);
}

instant timer_wheel::next_deadline() {
  const place p = first_occupied();
  if (p.level == levels) return never;
  if (p.level > 0) return instant{duration{static_cast<std::int64_t>(start_tick(p) << tick_shift)}};
  const timer_node& head = levels_[0].heads[p.slot];
  instant earliest = never;
  for (const timer_node* node = head.next_; node != &head; node = node->next_)
    earliest = std::min(earliest, node->deadline_);
  return earliest;
}

timer_node* timer_wheel::pop_due(instant now) {
  const auto now_tick =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, now.time_since_epoch().count())) >> tick_shift;
  for (;;) {
    const place p = first_occupied();
    if (p.level == levels || start_tick(p) > now_tick) {
      // Nothing is due before the next occupied slot: bring the position up, so that new timers find a low level. It
      // stays before that slot and hence in the same place as before among the slots of all higher levels.
      tick_ = std::max(tick_, now_tick);
      return nullptr;
    }
    tick_ = start_tick(p);
    timer_node& head = levels_[p.level].heads[p.slot];
    if (p.level == 0) {
      for (timer_node* node = head.next_; node != &head; node = node->next_) {
        if (node->deadline_ > now) continue;
        node->unlink();
        return node;
      }
      return nullptr;
    }
    // The position has entered a coarse slot: spread its nodes over the finer levels.
    while (head.next_ != &head) {
      timer_node* node = head.next_;
      node->unlink();
      insert(*node);
    }
  }
}

}  // namespace tunic
