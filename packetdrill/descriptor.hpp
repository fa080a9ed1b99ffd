#pragma once

#include <cstdint>
#include <vector>

namespace tunic::packetdrill {

/// Told that something has happened to a descriptor that it watches.
class watcher {
 public:
  /// `events` are those of epoll; they name what happened, not all that is true.
  virtual void on_change(int fd, std::uint32_t events) = 0;

 protected:
  ~watcher() = default;
};

/// Something open: it holds a descriptor of the kernel's (an eventfd), so that its number is nobody else's and libc's
/// close() knows it.
class descriptor {
 public:
  descriptor();
  virtual ~descriptor();
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  /// What is true now, as events of epoll: level triggered.
  [[nodiscard]] virtual std::uint32_t events() const = 0;

  void watch(watcher& w) { watchers_.push_back(&w); }
  void unwatch(watcher& w) { std::erase(watchers_, &w); }

  bool non_blocking = false;  ///< O_NONBLOCK

 protected:
  void tell(std::uint32_t what) const;

 private:
  int fd_;
  std::vector<watcher*> watchers_;
};

}  // namespace tunic::packetdrill
