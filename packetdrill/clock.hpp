#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <sys/types.h>
#include <vector>

#include "stack/base/time.hpp"

namespace tunic::packetdrill {

/// Whoever has something to do at a time.
class timed {
 public:
  [[nodiscard]] virtual instant next_deadline() = 0;
  virtual void on_deadline(instant now) = 0;

 protected:
  ~timed() = default;
};

/// The virtual clock, and the lock around everything that it drives. Time stands still while anybody works: only
/// whoever sleeps or waits for a datagram moves it, from deadline to deadline, and not before every thread that a
/// deadline or a datagram has woken has looked at the clock, as packetdrill does at a call's end. All but enter() are
/// called with the lock held.
class clock {
 public:
  using lock = std::unique_lock<std::mutex>;

  /// The thread that makes the clock is the script's.
  clock();
  /// Before anything else is called.
  void drive(timed& what) { driven_ = &what; }

  [[nodiscard]] lock enter() { return lock{mutex_}; }
  [[nodiscard]] instant now() const { return now_; }

  /// The time, a microsecond later at every look: packetdrill spins for the last ones of a wait.
  instant look(lock& l);
  /// Moves on to a time, once the threads that have been woken are done with what they woke for.
  void advance(lock& l, instant to);
  /// Moves on until `done`; false where that will never be.
  bool advance_until(lock& l, const std::function<bool()>& done);
  /// Sleeps until `done`, or until the deadline; whether it is done. On the script's thread nobody else would move the
  /// time, so it moves on by itself.
  bool wait(lock& l, const std::function<bool()>& done, instant deadline);
  /// Something has happened that sleepers may wait for.
  void notify() { changed_.notify_all(); }
  /// Lets those that can go on do so until they sleep again or have looked at the clock.
  void settle(lock& l);

 private:
  struct sleeper {
    const std::function<bool()>* done;
    instant deadline;
  };

  [[nodiscard]] bool can_go_on(const sleeper& s) const { return now_ >= s.deadline || (*s.done)(); }
  [[nodiscard]] instant next_event() const;
  void step(instant to);
  void has_looked();
  void let_finish(lock& l);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable settled_;
  pid_t script_;
  timed* driven_ = nullptr;
  instant now_{std::chrono::hours{1}};  // later than the epoch, which some take for "never yet"
  std::vector<sleeper*> sleepers_;
  std::vector<pid_t> late_;      // threads that are awake and have yet to look at the clock
  std::vector<pid_t> returned_;  // those that have done so, and may still be at work outside
};

}  // namespace tunic::packetdrill
