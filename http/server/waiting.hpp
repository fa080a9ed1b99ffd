#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "http/server/patience.hpp"

namespace tunic::http {

// What a connection waits for at the moment, and until when.
class waiting {
 public:
  using clock = patience::clock;
  enum class phase : std::uint8_t { working, idle, head, content, sending, lingering };

  phase what() const { return what_; }
  // The last wait was given up.
  bool timed_out() const { return timed_out_; }

  void begin(phase what, std::chrono::milliseconds timeout) {
    timed_out_ = false;
    what_ = what;
    deadline_ = clock::now() + timeout;
  }
  // The time of this wait is spent from `of`.
  void begin(phase what, patience& of) {
    timed_out_ = false;
    what_ = what;
    spending_ = &of;
    of.begin(clock::now());
    deadline_ = of.deadline();
  }
  void end() {
    if (spending_ != nullptr) std::exchange(spending_, nullptr)->end(clock::now());
    what_ = phase::working;
    deadline_ = clock::time_point::max();
  }

  // Whether the wait is over by `now`; says so once.
  bool expires(clock::time_point now) {
    if (now < deadline_) return false;
    deadline_ = clock::time_point::max();
    return timed_out_ = true;
  }

 private:
  phase what_ = phase::working;
  bool timed_out_ = false;
  clock::time_point deadline_ = clock::time_point::max();
  patience* spending_ = nullptr;
};

}  // namespace tunic::http
