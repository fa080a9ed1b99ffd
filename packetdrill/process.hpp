#pragma once

#include <map>
#include <memory>

#include "packetdrill/clock.hpp"
#include "packetdrill/epoll.hpp"
#include "packetdrill/flags.hpp"
#include "packetdrill/interface.hpp"
#include "packetdrill/network.hpp"
#include "packetdrill/socket.hpp"

namespace tunic::packetdrill {

/// The script's process as the stack sees it: its descriptors, and the calls on them. A call gives 0 or more, or a
/// negative errno. A descriptor that is none of ours is the kernel's: a pipe, a file that the script opened.
class process {
 public:
  explicit process(const flags& f) : network_(f, clock_) {}

  int socket(int domain, int type, int protocol);
  int bind(int fd, const sockaddr* name, socklen_t length);
  int listen(int fd, int backlog);
  int accept(int fd, sockaddr* name, socklen_t* length);
  int connect(int fd, const sockaddr* name, socklen_t length);
  int shutdown(int fd, int how);
  int close(int fd);

  long receive(int fd, std::span<const iovec> to, int flags);
  long receive_message(int fd, msghdr* message, int flags);
  /// `name` is of MSG_FASTOPEN.
  long send(int fd, std::span<const iovec> from, int flags, const sockaddr* name = nullptr, socklen_t length = 0);
  /// read() and write(), which also a pipe has.
  long read(int fd, std::span<const iovec> to);
  long write(int fd, std::span<const iovec> from);

  /// Whether get_option and set_option, or fcntl and ioctl, would find it.
  [[nodiscard]] bool owns(int fd);
  int get_option(int fd, int level, int name, void* value, socklen_t* length);
  int set_option(int fd, int level, int name, const void* value, socklen_t length);
  int fcntl(int fd, int command, int argument);
  int ioctl(int fd, unsigned long request, int* argument);

  int poll(std::span<pollfd> entries, int milliseconds);
  int epoll_create(int size);
  int epoll_ctl(int epfd, int operation, int fd, const epoll_event* event);
  int epoll_wait(int epfd, epoll_event* events, int most, int milliseconds);
  long splice(int from, int to, std::size_t size, unsigned flags);
  /// Of a file, from `offset` on, or from where it stands.
  long sendfile(int to, int from, off_t* offset, std::size_t size);

  void arrive(std::span<const std::byte> datagram);
  /// The next datagram that the stack emits; nothing where none will ever come.
  std::optional<emitted> next_emitted();
  void sleep(duration d);
  /// What was learned of other hosts.
  void forget_metrics();
  instant look();

 private:
  template <class Kind>
  [[nodiscard]] Kind* find(int fd);
  [[nodiscard]] packetdrill::socket* socket_at(int fd, int& error);
  int add(std::unique_ptr<descriptor> d);
  [[nodiscard]] instant in(int milliseconds) const;

  clock clock_;
  network network_;
  std::map<int, std::unique_ptr<descriptor>> descriptors_;
};

}  // namespace tunic::packetdrill
