#pragma once

#include <map>
#include <sys/epoll.h>

#include "packetdrill/descriptor.hpp"

namespace tunic::packetdrill {

/// An epoll set: level and edge triggered, one shot.
class epoll : public descriptor, private watcher {
 public:
  ~epoll() override;

  /// 0 or a negative errno.
  int add(descriptor& d, const epoll_event& e);
  int modify(const descriptor& d, const epoll_event& e);
  int remove(descriptor& d);

  /// Takes up to `most` events; what is edge triggered is not told again until it happens again.
  int collect(epoll_event* to, int most);
  [[nodiscard]] bool ready() const;
  [[nodiscard]] std::uint32_t events() const override { return ready() ? EPOLLIN | EPOLLRDNORM : 0; }

 private:
  struct interest {
    descriptor* what;
    epoll_event wanted;
    bool happened = true;  // since it was told last; counts for edges
    bool spent = false;    // one shot, and it was told
    [[nodiscard]] std::uint32_t due() const;
  };

  void on_change(int fd, std::uint32_t events) override;

  std::map<int, interest> interests_;
};

}  // namespace tunic::packetdrill
