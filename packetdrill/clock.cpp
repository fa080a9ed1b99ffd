#include "packetdrill/clock.hpp"

#include <algorithm>
#include <fstream>
#include <sched.h>
#include <string>
#include <unistd.h>

namespace tunic::packetdrill {
namespace {

// Whether a thread of this process sleeps, or is gone: the state stands behind the name in parentheses.
bool is_asleep(pid_t thread) {
  std::ifstream file{"/proc/self/task/" + std::to_string(thread) + "/stat"};
  std::string line;
  if (!std::getline(file, line)) return true;
  const std::size_t end = line.rfind(')');
  return end == std::string::npos || end + 2 >= line.size() || line[end + 2] == 'S';
}

}  // namespace

clock::clock() : script_(gettid()) {}

instant clock::look(lock&) {
  has_looked();
  now_ += std::chrono::microseconds{1};
  if (driven_->next_deadline() <= now_) driven_->on_deadline(now_);
  return now_;
}

void clock::advance(lock& l, instant to) {
  let_finish(l);
  while (next_event() <= to) {
    step(next_event());
    let_finish(l);
  }
  now_ = std::max(now_, to);
}

bool clock::advance_until(lock& l, const std::function<bool()>& done) {
  return wait(l, done, never);
}

bool clock::wait(lock& l, const std::function<bool()>& done, instant deadline) {
  has_looked();
  if (gettid() != script_) {
    sleeper s{&done, deadline};
    sleepers_.push_back(&s);
    changed_.wait(l, [&] { return can_go_on(s); });
    std::erase(sleepers_, &s);
    late_.push_back(gettid());
    return done();
  }
  for (;;) {
    settle(l);
    if (done()) return true;
    const instant next = std::min(next_event(), deadline);
    if (next == never || now_ >= deadline) return false;
    step(next);
  }
}

void clock::settle(lock& l) {
  const auto ready = [&](const sleeper* s) { return can_go_on(*s); };
  while (!late_.empty() || std::any_of(sleepers_.begin(), sleepers_.end(), ready)) {
    changed_.notify_all();
    settled_.wait(l);
  }
}

instant clock::next_event() const {
  instant earliest = driven_->next_deadline();
  for (const sleeper* s : sleepers_) earliest = std::min(earliest, s->deadline);
  return earliest;
}

void clock::step(instant to) {
  now_ = std::max(now_, to);
  if (driven_->next_deadline() <= now_) driven_->on_deadline(now_);
}

void clock::has_looked() {
  if (std::erase(late_, gettid()) > 0) returned_.push_back(gettid());
  settled_.notify_all();
}

// A thread that has come back from a call may still hold a lock of packetdrill's, or wait for one that the script's
// thread has released just before it went to sleep here. Either way it is runnable until it is done.
void clock::let_finish(lock& l) {
  settle(l);
  std::erase(returned_, gettid());  // which waits for its call's time itself
  while (!returned_.empty()) {
    const pid_t thread = returned_.back();
    returned_.pop_back();
    l.unlock();
    while (!is_asleep(thread)) sched_yield();
    l.lock();
    settle(l);
  }
}

}  // namespace tunic::packetdrill
