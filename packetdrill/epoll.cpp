#include "packetdrill/epoll.hpp"

#include <algorithm>
#include <cerrno>

namespace tunic::packetdrill {
namespace {

constexpr std::uint32_t always = EPOLLERR | EPOLLHUP;  // told whether asked for or not

}  // namespace

epoll::~epoll() {
  for (auto& [fd, i] : interests_) i.what->unwatch(*this);
}

int epoll::add(descriptor& d, const epoll_event& e) {
  if (&d == this) return -EINVAL;
  if (!interests_.try_emplace(d.fd(), interest{&d, e}).second) return -EEXIST;
  d.watch(*this);
  if (ready()) tell(EPOLLIN | EPOLLRDNORM);
  return 0;
}

int epoll::modify(const descriptor& d, const epoll_event& e) {
  const auto found = interests_.find(d.fd());
  if (found == interests_.end()) return -ENOENT;
  found->second = interest{found->second.what, e};
  if (ready()) tell(EPOLLIN | EPOLLRDNORM);
  return 0;
}

int epoll::remove(descriptor& d) {
  if (interests_.erase(d.fd()) == 0) return -ENOENT;
  d.unwatch(*this);
  return 0;
}

std::uint32_t epoll::interest::due() const {
  if (spent || ((wanted.events & EPOLLET) != 0 && !happened)) return 0;
  return what->events() & (wanted.events | always);
}

bool epoll::ready() const {
  return std::any_of(interests_.begin(), interests_.end(), [](const auto& entry) { return entry.second.due() != 0; });
}

int epoll::collect(epoll_event* to, int most) {
  int n = 0;
  for (auto& [fd, i] : interests_) {
    if (n == most) break;
    const std::uint32_t due = i.due();
    i.happened = false;
    if (due == 0) continue;
    to[n].events = due;
    to[n].data = i.wanted.data;
    ++n;
    i.spent = (i.wanted.events & EPOLLONESHOT) != 0;
  }
  return n;
}

void epoll::on_change(int fd, std::uint32_t events) {
  const auto found = interests_.find(fd);
  if (found == interests_.end() || (events & (found->second.wanted.events | always)) == 0) return;
  found->second.happened = true;
  if (found->second.due() != 0) tell(EPOLLIN | EPOLLRDNORM);
}

}  // namespace tunic::packetdrill
