#include "stack/base/timer_wheel.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace tunic {
namespace {

using namespace std::chrono_literals;

constexpr instant start = instant{} + 1000s;

std::vector<timer_node*> all_due(timer_wheel& wheel, instant now) {
  std::vector<timer_node*> due;
  while (timer_node* node = wheel.pop_due(now)) due.push_back(node);
  return due;
}

TEST(timer_wheel, has_nothing_to_wait_for_at_first) {
  timer_wheel wheel;
  EXPECT_EQ(wheel.next_deadline(), never);
  EXPECT_EQ(wheel.pop_due(start), nullptr);
  timer_node node;
  EXPECT_FALSE(node.armed());
  EXPECT_EQ(node.deadline(), never);
}

TEST(timer_wheel, fires_at_the_deadline_and_not_a_nanosecond_before) {
  for (const duration wait :
       {duration{0}, duration{1}, duration{65535}, duration{65536}, duration{65537}, duration{40ms}, duration{200ms},
        duration{1s}, duration{60s}, duration{2h}, duration{24h * 365}}) {
    timer_wheel wheel;
    EXPECT_EQ(wheel.pop_due(start), nullptr);
    timer_node node;
    wheel.arm(node, start + wait);
    EXPECT_TRUE(node.armed());
    EXPECT_EQ(node.deadline(), start + wait);
    EXPECT_EQ(wheel.pop_due(start + wait - 1ns), nullptr) << wait.count();
    EXPECT_EQ(wheel.pop_due(start + wait), &node) << wait.count();
    EXPECT_FALSE(node.armed());
    EXPECT_EQ(wheel.pop_due(start + wait), nullptr);
    EXPECT_EQ(wheel.next_deadline(), never);
  }
}

TEST(timer_wheel, fires_what_was_already_due_when_armed) {
  timer_wheel wheel;
  timer_node later;
  wheel.arm(later, start + 1h);
  EXPECT_EQ(wheel.pop_due(start), nullptr);
  timer_node past;
  wheel.arm(past, start - 1h);
  EXPECT_LE(wheel.next_deadline(), start - 1h);
  EXPECT_EQ(wheel.pop_due(start), &past);
  EXPECT_EQ(wheel.pop_due(start), nullptr);
  timer_node before_the_epoch;
  wheel.arm(before_the_epoch, instant{} - 5s);
  EXPECT_EQ(wheel.pop_due(start), &before_the_epoch);
}

TEST(timer_wheel, fires_in_order_across_a_jump) {
  timer_wheel wheel;
  std::array<timer_node, 200> nodes;
  std::array<std::size_t, 200> order;
  for (std::size_t i = 0; i < nodes.size(); ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937{1});
  // Deadlines from 0.1 ms to some hours, each well after the one before it.
  instant at = start;
  std::array<instant, 200> deadlines;
  for (std::size_t i = 0; i < nodes.size(); ++i) deadlines[i] = at += 100us + duration{1000} * (1u << (i % 24));
  for (const std::size_t i : order) wheel.arm(nodes[i], deadlines[i]);
  const auto due = all_due(wheel, at);
  ASSERT_EQ(due.size(), nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) EXPECT_EQ(due[i], &nodes[i]) << i;
}

TEST(timer_wheel, arming_again_moves_a_timer) {
  timer_wheel wheel;
  timer_node node;
  wheel.arm(node, start + 1s);
  wheel.arm(node, start + 3s);
  EXPECT_EQ(wheel.pop_due(start + 2s), nullptr);
  wheel.arm(node, start + 2500ms);
  EXPECT_EQ(wheel.pop_due(start + 2500ms), &node);
  EXPECT_EQ(wheel.pop_due(start + 1h), nullptr);
}

TEST(timer_wheel, arming_for_never_cancels) {
  timer_wheel wheel;
  timer_node node;
  wheel.arm(node, start + 1s);
  wheel.arm(node, never);
  EXPECT_FALSE(node.armed());
  EXPECT_EQ(wheel.next_deadline(), never);
  EXPECT_EQ(wheel.pop_due(start + 1h), nullptr);
}

TEST(timer_wheel, a_cancelled_timer_does_not_fire) {
  timer_wheel wheel;
  timer_node cancelled;
  timer_node kept;
  wheel.arm(cancelled, start + 1s);
  wheel.arm(kept, start + 1s);
  timer_wheel::cancel(cancelled);
  timer_wheel::cancel(cancelled);
  EXPECT_FALSE(cancelled.armed());
  EXPECT_EQ(all_due(wheel, start + 1h), std::vector{&kept});
}

TEST(timer_wheel, a_destroyed_timer_does_not_fire) {
  timer_wheel wheel;
  auto gone = std::make_unique<timer_node>();
  wheel.arm(*gone, start + 1s);
  gone.reset();
  EXPECT_EQ(wheel.next_deadline(), never);
  EXPECT_EQ(wheel.pop_due(start + 1h), nullptr);
}

TEST(timer_wheel, timers_outlive_their_wheel) {
  timer_node node;
  {
    timer_wheel wheel;
    wheel.arm(node, start + 1s);
  }
  EXPECT_FALSE(node.armed());
}

TEST(timer_wheel, is_exact_about_what_is_near_however_long_something_else_has_waited) {
  timer_wheel wheel;
  timer_node keepalive;
  wheel.arm(keepalive, instant{} + 2h);
  const instant now = instant{} + 1h;
  EXPECT_EQ(wheel.pop_due(now), nullptr);
  timer_node node;
  wheel.arm(node, now + 50us);
  EXPECT_EQ(wheel.next_deadline(), now + 50us);
  // Whatever is armed later than now never makes the caller come back at once.
  for (duration wait = 100us; wait < 30min; wait *= 2) {
    wheel.arm(node, now + wait);
    EXPECT_GT(wheel.next_deadline(), now) << wait.count();
    EXPECT_LE(wheel.next_deadline(), now + wait) << wait.count();
  }
}

TEST(timer_wheel, following_next_deadline_wakes_few_times) {
  timer_wheel wheel;
  std::mt19937_64 random{3};
  instant now = start;
  for (int i = 0; i < 2000; ++i) {
    timer_node node;
    const instant deadline = now + duration{random() >> (20 + random() % 40)};
    wheel.arm(node, deadline);
    int wakes = 0;
    timer_node* due = nullptr;
    do {
      ASSERT_LE(wheel.next_deadline(), deadline);
      now = std::max(now, wheel.next_deadline());
      due = wheel.pop_due(now);
      ++wakes;
    } while (!due && wakes < 100);
    EXPECT_EQ(now, deadline);
    EXPECT_LE(wakes, 9);  // one a level, and the deadline itself
  }
}

// Random operations against a sorted map. What is due must be exactly what the map says, and the order that of the
// ticks.
class timer_model {
 public:
  explicit timer_model(std::uint64_t seed) : random_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      step();
      check();
    }
    now_ = never - 1ns;
    pop();
    EXPECT_TRUE(waiting_.empty());
    EXPECT_EQ(wheel_.next_deadline(), never);
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  // From nanoseconds to centuries, every magnitude as likely.
  duration any_wait() { return duration{static_cast<std::int64_t>(random_() >> (1 + below(62)))}; }

  void step() {
    const std::size_t i = below(nodes_.size());
    switch (below(8)) {
      case 0:
      case 1:
      case 2: {
        const auto wait = any_wait();
        const bool past = below(16) == 0;
        if (past) arm(i, now_ - std::min(wait, now_.time_since_epoch() + 1s));
        if (!past && wait < never - now_) arm(i, now_ + wait);
        break;
      }
      case 3:
        arm(i, now_ + duration{static_cast<std::int64_t>(below(200'000'000))});
        break;  // as most are: within 200 ms
      case 4:
        timer_wheel::cancel(nodes_[i]);
        forget(i);
        break;
      case 5: pop_some(); break;
      case 6:
        now_ += below(64) == 0 ? std::min<duration>(any_wait(), 10h)
                               : duration{static_cast<std::int64_t>(below(50'000'000))};
        pop();
        break;
      case 7:
        if (const instant next = wheel_.next_deadline(); next != never && next - now_ < 1000h)
          now_ = std::max(now_, next);
        pop();
    }
  }

  void arm(std::size_t i, instant deadline) {
    forget(i);
    wheel_.arm(nodes_[i], deadline);
    late_[i] = deadline < now_;
    places_[i] = waiting_.emplace(deadline, i);
  }

  void forget(std::size_t i) {
    if (places_[i]) waiting_.erase(*places_[i]);
    places_[i].reset();
  }

  bool pop_one() {
    timer_node* node = wheel_.pop_due(now_);
    if (!node) return false;
    const auto i = static_cast<std::size_t>(node - nodes_.data());
    EXPECT_FALSE(node->armed());
    EXPECT_TRUE(places_[i]) << "fired though not armed";
    if (!places_[i]) return false;
    const instant deadline = (*places_[i])->first;
    EXPECT_LE(deadline, now_) << "fired early";
    if (!late_[i]) {  // an earlier deadline may follow within the same tick of 65.5 µs only
      for (const auto& [other, j] : waiting_) {
        if (other >= deadline) break;
        EXPECT_TRUE(late_[j] || deadline - other < duration{1 << 16}) << "out of order";
      }
    }
    forget(i);
    return true;
  }

  void pop() {
    while (pop_one()) {
    }
    if (!waiting_.empty()) {
      EXPECT_GT(waiting_.begin()->first, now_) << "not fired though due";
      EXPECT_GT(wheel_.next_deadline(), now_) << "would wake for nothing";
    }
  }

  void pop_some() {  // and leave the rest due for later
    for (auto n = below(4); n > 0 && pop_one(); --n) {
    }
  }

  void check() {
    const instant next = wheel_.next_deadline();
    if (waiting_.empty()) {
      EXPECT_EQ(next, never);
    } else {
      EXPECT_LE(next, waiting_.begin()->first);
    }
    const std::size_t i = below(nodes_.size());
    EXPECT_EQ(nodes_[i].armed(), places_[i].has_value());
    EXPECT_EQ(nodes_[i].deadline(), places_[i] ? (*places_[i])->first : never);
  }

  using map = std::multimap<instant, std::size_t>;
  std::mt19937_64 random_;
  instant now_ = start;
  timer_wheel wheel_;
  std::array<timer_node, 100> nodes_;
  map waiting_;
  std::array<std::optional<map::iterator>, 100> places_;
  std::array<bool, 100> late_{};  // already due when armed
};

TEST(timer_wheel, agrees_with_a_sorted_map) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    timer_model{seed}.run(10'000);
  }
}

}  // namespace
}  // namespace tunic
