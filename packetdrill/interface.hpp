#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

namespace tunic::packetdrill {

/// What packetdrill calls instead of the kernel: a table that the plug-in fills. The order is the ABI. The calls are
/// libc's, with -1 and errno for a failure; `self` comes first in each.
struct interface {
  void* self;
  void (*free)(void* self);

  int (*socket)(void* self, int domain, int type, int protocol);
  int (*bind)(void* self, int fd, const sockaddr* name, socklen_t length);
  int (*listen)(void* self, int fd, int backlog);
  int (*accept)(void* self, int fd, sockaddr* name, socklen_t* length);
  int (*connect)(void* self, int fd, const sockaddr* name, socklen_t length);
  ssize_t (*read)(void* self, int fd, void* to, size_t size);
  ssize_t (*readv)(void* self, int fd, const iovec* to, int count);
  ssize_t (*recv)(void* self, int fd, void* to, size_t size, int flags);
  ssize_t (*recvfrom)(void* self, int fd, void* to, size_t size, int flags, sockaddr* name, socklen_t* length);
  ssize_t (*recvmsg)(void* self, int fd, msghdr* message, int flags);
  ssize_t (*write)(void* self, int fd, const void* from, size_t size);
  ssize_t (*writev)(void* self, int fd, const iovec* from, int count);
  ssize_t (*send)(void* self, int fd, const void* from, size_t size, int flags);
  ssize_t (*sendto)(void* self, int fd, const void* from, size_t size, int flags, const sockaddr* name,
                    socklen_t length);
  ssize_t (*sendmsg)(void* self, int fd, const msghdr* message, int flags);
  int (*fcntl)(void* self, int fd, int command, ...);
  int (*ioctl)(void* self, int fd, unsigned long request, ...);
  int (*close)(void* self, int fd);
  int (*shutdown)(void* self, int fd, int how);
  int (*getsockopt)(void* self, int fd, int level, int name, void* value, socklen_t* length);
  int (*setsockopt)(void* self, int fd, int level, int name, const void* value, socklen_t length);
  int (*poll)(void* self, pollfd* entries, nfds_t count, int timeout);

  /// A datagram for the stack.
  int (*netdev_send)(void* self, const void* datagram, size_t size);
  /// The next datagram that the stack emits, and when it did. `*size` is the room in `to` and becomes the datagram's
  /// size: 0 where nothing will ever come. A failure would be tried again for ever.
  int (*netdev_receive)(void* self, void* to, size_t* size, long long* microseconds);
  int (*usleep)(void* self, useconds_t microseconds);
  int (*gettimeofday)(void* self, timeval* now, struct timezone* zone);

  int (*epoll_create)(void* self, int size);
  int (*epoll_ctl)(void* self, int epfd, int operation, int fd, epoll_event* event);
  int (*epoll_wait)(void* self, int epfd, epoll_event* events, int most, int timeout);
  int (*pipe)(void* self, int ends[2]);
  int (*splice)(void* self, int from, loff_t* from_offset, int to, loff_t* to_offset, size_t size, unsigned flags);
};

}  // namespace tunic::packetdrill

/// The plug-in's entry point. `flags` is what `--so_flags` says, or null.
extern "C" void packetdrill_interface_init(const char* flags, tunic::packetdrill::interface* out);
