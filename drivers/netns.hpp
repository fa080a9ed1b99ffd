#pragma once

#include <string>

#include "drivers/file_descriptor.hpp"

namespace tunic::drivers {

/// A network namespace of the machine's. Entering one needs CAP_SYS_ADMIN over it and over the present one.
class netns {
 public:
  /// `name` is one that `ip netns list` shows, a path that has a '/' in it, such as /proc/PID/ns/net, or "." or nothing
  /// for the present one. Throws std::system_error with a sentence that says what to do, as inside() does.
  explicit netns(std::string name);

  /// Calls `f` with the calling thread in the namespace, and no other thread of the process. Descriptors that `f`
  /// opens stay of that namespace afterwards.
  template <class F>
  void inside(F f) const {
    const file_descriptor before = enter();
    try {
      f();
    } catch (...) {
      leave(before);
      throw;
    }
    leave(before);
  }

 private:
  [[nodiscard]] file_descriptor enter() const;
  static void leave(const file_descriptor& before);

  std::string name_;
  file_descriptor fd_;  // none for the present namespace
};

}  // namespace tunic::drivers
