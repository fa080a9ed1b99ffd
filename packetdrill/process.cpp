#include "packetdrill/process.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vector>

#include "packetdrill/sockaddr.hpp"

namespace tunic::packetdrill {
namespace {

constexpr std::size_t splice_piece = 65536;  // what a pipe holds

// The kernel's answer in the way of our calls.
template <class Result>
Result from_kernel(Result r) {
  return r < 0 ? static_cast<Result>(-errno) : r;
}

}  // namespace

template <class Kind>
Kind* process::find(int fd) {
  const auto found = descriptors_.find(fd);
  return found == descriptors_.end() ? nullptr : dynamic_cast<Kind*>(found->second.get());
}

packetdrill::socket* process::socket_at(int fd, int& error) {
  auto* s = find<packetdrill::socket>(fd);
  error = s ? 0 : ::fcntl(fd, F_GETFD) < 0 ? -EBADF : -ENOTSOCK;
  return s;
}

int process::add(std::unique_ptr<descriptor> d) {
  const int fd = d->fd();
  if (fd < 0) return -EMFILE;
  descriptors_[fd] = std::move(d);
  return fd;
}

int process::socket(int domain, int type, int protocol) {
  const auto l = clock_.enter();
  if (domain != AF_INET && domain != AF_INET6) return -EAFNOSUPPORT;
  if ((type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM) return -ESOCKTNOSUPPORT;
  if (protocol != 0 && protocol != IPPROTO_TCP) return -EPROTONOSUPPORT;
  auto s = std::make_unique<packetdrill::socket>(network_, clock_, domain);
  s->non_blocking = (type & SOCK_NONBLOCK) != 0;
  return add(std::move(s));
}

int process::bind(int fd, const sockaddr* name, socklen_t length) {
  const auto l = clock_.enter();
  int error = 0;
  auto* s = socket_at(fd, error);
  return s ? s->bind(name, length) : error;
}

int process::listen(int fd, int backlog) {
  const auto l = clock_.enter();
  int error = 0;
  auto* s = socket_at(fd, error);
  return s ? s->listen(backlog) : error;
}

int process::accept(int fd, sockaddr* name, socklen_t* length) {
  auto l = clock_.enter();
  int error = 0;
  auto* s = socket_at(fd, error);
  if (!s) return error;
  std::unique_ptr<packetdrill::socket> accepted;
  if (error = s->accept(l, accepted); error != 0) return error;
  write_name(accepted->remote(), accepted->domain(), name, length);
  return add(std::move(accepted));
}

int process::connect(int fd, const sockaddr* name, socklen_t length) {
  auto l = clock_.enter();
  int error = 0;
  auto* s = socket_at(fd, error);
  return s ? s->connect(l, name, length) : error;
}

int process::shutdown(int fd, int how) {
  const auto l = clock_.enter();
  int error = 0;
  auto* s = socket_at(fd, error);
  return s ? s->shutdown(how) : error;
}

int process::close(int fd) {
  const auto l = clock_.enter();
  const auto found = descriptors_.find(fd);
  if (found == descriptors_.end()) return from_kernel(::close(fd));
  for (auto& [other, d] : descriptors_)
    if (auto* e = dynamic_cast<epoll*>(d.get()); e && other != fd) e->remove(*found->second);
  descriptors_.erase(found);
  return 0;
}

long process::receive(int fd, std::span<const iovec> to, int flags) {
  auto l = clock_.enter();
  int error = 0;
  auto* s = socket_at(fd, error);
  return s ? s->receive(l, to, flags) : error;
}

long process::receive_message(int fd, msghdr* message, int flags) {
  auto l = clock_.enter();
  int error = 0;
  auto* s = socket_at(fd, error);
  if (!s) return error;
  return message ? s->receive_message(l, *message, flags) : -EFAULT;
}

long process::send(int fd, std::span<const iovec> from, int flags, const sockaddr* name, socklen_t length) {
  auto l = clock_.enter();
  int error = 0;
  auto* s = socket_at(fd, error);
  return s ? s->send(l, from, flags, name, length) : error;
}

long process::read(int fd, std::span<const iovec> to) {
  if (!owns(fd)) return from_kernel(::readv(fd, to.data(), static_cast<int>(to.size())));
  return receive(fd, to, 0);
}

long process::write(int fd, std::span<const iovec> from) {
  if (!owns(fd)) return from_kernel(::writev(fd, from.data(), static_cast<int>(from.size())));
  return send(fd, from, 0);
}

bool process::owns(int fd) {
  const auto l = clock_.enter();
  return find<descriptor>(fd) != nullptr;
}

int process::get_option(int fd, int level, int name, void* value, socklen_t* length) {
  const auto l = clock_.enter();
  int error = 0;
  auto* s = socket_at(fd, error);
  return s ? s->get_option(level, name, value, length) : error;
}

int process::set_option(int fd, int level, int name, const void* value, socklen_t length) {
  const auto l = clock_.enter();
  int error = 0;
  auto* s = socket_at(fd, error);
  return s ? s->set_option(level, name, value, length) : error;
}

int process::fcntl(int fd, int command, int argument) {
  const auto l = clock_.enter();
  auto* d = find<descriptor>(fd);
  if (!d) return from_kernel(::fcntl(fd, command, argument));
  switch (command) {
    case F_GETFL: return O_RDWR | (d->non_blocking ? O_NONBLOCK : 0);
    case F_SETFL: d->non_blocking = (argument & O_NONBLOCK) != 0; return 0;
    case F_GETFD:
    case F_SETFD: return 0;
    default: return -EINVAL;
  }
}

int process::ioctl(int fd, unsigned long request, int* argument) {
  const auto l = clock_.enter();
  if (!find<descriptor>(fd)) return from_kernel(::ioctl(fd, request, argument));
  if (!argument) return -EFAULT;
  if (request == FIONBIO) {
    find<descriptor>(fd)->non_blocking = *argument != 0;
    return 0;
  }
  auto* s = find<packetdrill::socket>(fd);
  return s ? s->count(request, *argument) : -ENOTTY;
}

// When a wait of so many milliseconds ends; negative: never.
instant process::in(int milliseconds) const {
  return milliseconds < 0 ? never : clock_.now() + std::chrono::milliseconds{milliseconds};
}

int process::poll(std::span<pollfd> entries, int milliseconds) {
  auto l = clock_.enter();
  const auto look = [&] {
    int ready = 0;
    for (pollfd& p : entries) {
      p.revents = 0;
      if (p.fd < 0) continue;
      const auto* d = find<descriptor>(p.fd);
      const auto asked = static_cast<std::uint32_t>(static_cast<unsigned short>(p.events)) | EPOLLERR | EPOLLHUP;
      p.revents = static_cast<short>(d ? d->events() & asked : POLLNVAL);  // the bits are epoll's
      ready += p.revents != 0 ? 1 : 0;
    }
    return ready;
  };
  if (look() == 0 && milliseconds != 0)
    clock_.wait(
        l, [&] { return look() > 0; }, in(milliseconds));
  return look();
}

int process::epoll_create(int size) {
  const auto l = clock_.enter();
  return size > 0 ? add(std::make_unique<epoll>()) : -EINVAL;
}

int process::epoll_ctl(int epfd, int operation, int fd, const epoll_event* event) {
  const auto l = clock_.enter();
  auto* e = find<epoll>(epfd);
  auto* d = find<descriptor>(fd);
  if (!d) return -EBADF;
  if (!e) return find<descriptor>(epfd) ? -EINVAL : -EBADF;
  if (operation == EPOLL_CTL_DEL) return e->remove(*d);
  if (!event) return -EFAULT;
  switch (operation) {
    case EPOLL_CTL_ADD: return e->add(*d, *event);
    case EPOLL_CTL_MOD: return e->modify(*d, *event);
    default: return -EINVAL;
  }
}

int process::epoll_wait(int epfd, epoll_event* events, int most, int milliseconds) {
  auto l = clock_.enter();
  auto* e = find<epoll>(epfd);
  if (!e) return find<descriptor>(epfd) ? -EINVAL : -EBADF;
  if (most <= 0) return -EINVAL;
  if (!events) return -EFAULT;
  if (!e->ready() && milliseconds != 0)
    clock_.wait(
        l, [&] { return e->ready(); }, in(milliseconds));
  return e->collect(events, most);
}

// Between a socket and a pipe, by way of a copy.
long process::splice(int from, int to, std::size_t size, unsigned flags) {
  std::vector<std::byte> piece(std::min(size, splice_piece));
  const iovec v{piece.data(), piece.size()};
  const int patience = (flags & SPLICE_F_NONBLOCK) != 0 ? MSG_DONTWAIT : 0;
  if (owns(from) == owns(to))
    return owns(from) ? -EINVAL : from_kernel(::splice(from, nullptr, to, nullptr, size, flags));
  if (owns(from)) {
    const long n = receive(from, {&v, 1}, patience);
    return n > 0 ? from_kernel(static_cast<long>(::write(to, piece.data(), static_cast<std::size_t>(n)))) : n;
  }
  const long n = from_kernel(static_cast<long>(::read(from, piece.data(), piece.size())));
  const iovec taken{piece.data(), static_cast<std::size_t>(std::max(n, 0L))};
  return n > 0 ? send(to, {&taken, 1}, patience) : n;
}

long process::sendfile(int to, int from, off_t* offset, std::size_t size) {
  std::vector<std::byte> piece(std::min(size, splice_piece));
  const long n = from_kernel(static_cast<long>(offset ? ::pread(from, piece.data(), piece.size(), *offset)
                                                      : ::read(from, piece.data(), piece.size())));
  if (n <= 0) return n;
  const iovec taken{piece.data(), static_cast<std::size_t>(n)};
  const long sent = send(to, {&taken, 1}, 0);
  if (offset && sent > 0) *offset += sent;
  return sent;
}

void process::arrive(std::span<const std::byte> datagram) {
  auto l = clock_.enter();
  network_.on_datagram(datagram);
  clock_.settle(l);
}

std::optional<emitted> process::next_emitted() {
  auto l = clock_.enter();
  if (!clock_.advance_until(l, [&] { return network_.has_emitted(); })) return std::nullopt;
  return network_.take();
}

void process::sleep(duration d) {
  auto l = clock_.enter();
  clock_.advance(l, clock_.now() + d);
}

void process::forget_metrics() {
  const auto l = clock_.enter();
  network_.tcp().forget_fast_opens();
}

instant process::look() {
  auto l = clock_.enter();
  return clock_.look(l);
}

}  // namespace tunic::packetdrill
