#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>

#include "packetdrill/interface.hpp"
#include "packetdrill/process.hpp"

// The table: libc's calls, in libc's way of failing, on a process of ours.

namespace tunic::packetdrill {
namespace {

// Whom libc's own calls ask first: packetdrill's %{ }% blocks and sendfile() do not go by the table.
std::atomic<process*> current = nullptr;

process& of(void* self) {
  return *static_cast<process*>(self);
}

template <class Result>
Result told(Result r) {
  if (r >= 0) return r;
  errno = static_cast<int>(-r);
  return -1;
}

iovec piece(void* to, std::size_t size) {
  return {to, size};
}
iovec piece(const void* from, std::size_t size) {  // a gathered write changes nothing
  return {const_cast<void*>(from), size};
}

std::span<const iovec> pieces(const iovec* v, int count) {
  return {v, static_cast<std::size_t>(v ? std::max(count, 0) : 0)};
}

int call_fcntl(void* self, int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  const int argument = command == F_SETFL || command == F_SETFD ? va_arg(arguments, int) : 0;
  va_end(arguments);
  return told(of(self).fcntl(fd, command, argument));
}

int call_ioctl(void* self, int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  int* argument = va_arg(arguments, int*);
  va_end(arguments);
  return told(of(self).ioctl(fd, request, argument));
}

void fill_sockets(interface& t) {
  t.socket = [](void* self, int domain, int type, int protocol) {
    return told(of(self).socket(domain, type, protocol));
  };
  t.bind = [](void* self, int fd, const sockaddr* name, socklen_t length) {
    return told(of(self).bind(fd, name, length));
  };
  t.listen = [](void* self, int fd, int backlog) { return told(of(self).listen(fd, backlog)); };
  t.accept = [](void* self, int fd, sockaddr* name, socklen_t* length) {
    return told(of(self).accept(fd, name, length));
  };
  t.connect = [](void* self, int fd, const sockaddr* name, socklen_t length) {
    return told(of(self).connect(fd, name, length));
  };
  t.shutdown = [](void* self, int fd, int how) { return told(of(self).shutdown(fd, how)); };
  t.close = [](void* self, int fd) { return told(of(self).close(fd)); };
  t.getsockopt = [](void* self, int fd, int level, int name, void* value, socklen_t* length) {
    return told(of(self).get_option(fd, level, name, value, length));
  };
  t.setsockopt = [](void* self, int fd, int level, int name, const void* value, socklen_t length) {
    return told(of(self).set_option(fd, level, name, value, length));
  };
  t.fcntl = call_fcntl;
  t.ioctl = call_ioctl;
}

void fill_transfers(interface& t) {
  t.read = [](void* self, int fd, void* to, std::size_t size) -> ssize_t {
    const iovec v = piece(to, size);
    return told(of(self).read(fd, {&v, 1}));
  };
  t.readv = [](void* self, int fd, const iovec* to, int count) -> ssize_t {
    return told(of(self).read(fd, pieces(to, count)));
  };
  t.recv = [](void* self, int fd, void* to, std::size_t size, int flags) -> ssize_t {
    const iovec v = piece(to, size);
    return told(of(self).receive(fd, {&v, 1}, flags));
  };
  t.recvfrom = [](void* self, int fd, void* to, std::size_t size, int flags, sockaddr*, socklen_t* length) -> ssize_t {
    const iovec v = piece(to, size);
    if (length) *length = 0;  // TCP names nobody
    return told(of(self).receive(fd, {&v, 1}, flags));
  };
  t.recvmsg = [](void* self, int fd, msghdr* message, int flags) -> ssize_t {
    return told(of(self).receive_message(fd, message, flags));
  };
  t.write = [](void* self, int fd, const void* from, std::size_t size) -> ssize_t {
    const iovec v = piece(from, size);
    return told(of(self).write(fd, {&v, 1}));
  };
  t.writev = [](void* self, int fd, const iovec* from, int count) -> ssize_t {
    return told(of(self).write(fd, pieces(from, count)));
  };
  t.send = [](void* self, int fd, const void* from, std::size_t size, int flags) -> ssize_t {
    const iovec v = piece(from, size);
    return told(of(self).send(fd, {&v, 1}, flags));
  };
  t.sendto = [](void* self, int fd, const void* from, std::size_t size, int flags, const sockaddr* name,
                socklen_t length) -> ssize_t {
    const iovec v = piece(from, size);
    return told(of(self).send(fd, {&v, 1}, flags, name, length));
  };
  t.sendmsg = [](void* self, int fd, const msghdr* message, int flags) -> ssize_t {
    if (!message) return told<ssize_t>(-EFAULT);
    return told(of(self).send(fd, {message->msg_iov, message->msg_iovlen}, flags,
                              static_cast<const sockaddr*>(message->msg_name), message->msg_namelen));
  };
}

void fill_readiness(interface& t) {
  t.poll = [](void* self, pollfd* entries, nfds_t count, int timeout) {
    return told(of(self).poll({entries, entries ? count : 0}, timeout));
  };
  t.epoll_create = [](void* self, int size) { return told(of(self).epoll_create(size)); };
  t.epoll_ctl = [](void* self, int epfd, int operation, int fd, epoll_event* event) {
    return told(of(self).epoll_ctl(epfd, operation, fd, event));
  };
  t.epoll_wait = [](void* self, int epfd, epoll_event* events, int most, int timeout) {
    return told(of(self).epoll_wait(epfd, events, most, timeout));
  };
  t.pipe = [](void*, int ends[2]) { return ::pipe(ends); };
  t.splice = [](void* self, int from, loff_t*, int to, loff_t*, std::size_t size, unsigned flags) -> int {
    return static_cast<int>(told(of(self).splice(from, to, size, flags)));
  };
}

void fill_network(interface& t) {
  t.netdev_send = [](void* self, const void* datagram, std::size_t size) {
    of(self).arrive({static_cast<const std::byte*>(datagram), size});
    return 0;
  };
  t.netdev_receive = [](void* self, void* to, std::size_t* size, long long* microseconds) {
    const auto e = of(self).next_emitted();
    if (e) std::memcpy(to, e->octets.data(), std::min(*size, e->octets.size()));
    *size = e ? std::min(*size, e->octets.size()) : 0;
    if (e) *microseconds = e->at.time_since_epoch() / std::chrono::microseconds{1};
    return 0;
  };
  t.usleep = [](void* self, useconds_t microseconds) {
    of(self).sleep(std::chrono::microseconds{microseconds});
    return 0;
  };
  t.gettimeofday = [](void* self, timeval* now, struct timezone*) {
    const auto microseconds = of(self).look().time_since_epoch() / std::chrono::microseconds{1};
    *now = {.tv_sec = static_cast<time_t>(microseconds / 1'000'000),
            .tv_usec = static_cast<suseconds_t>(microseconds % 1'000'000)};
    return 0;
  };
}

}  // namespace
}  // namespace tunic::packetdrill

using namespace tunic::packetdrill;  // NOLINT: the C face of it

extern "C" __attribute__((visibility("default"))) void packetdrill_interface_init(const char* text, interface* out) {
  const auto parsed = parse_flags(text ? text : "");
  if (!parsed) {
    std::fprintf(stderr, "libtunic-packetdrill: --so_flags: %s\n", parsed.error().c_str());
    std::exit(2);
  }
  unsetenv("LD_PRELOAD");  // the script's shell commands need no getsockopt of ours
  auto* self = new process{*parsed};
  current = self;
  *out = {};
  out->self = self;
  out->free = [](void* dead) {
    if (current == dead) current = nullptr;
    delete &of(dead);
  };
  fill_sockets(*out);
  fill_transfers(*out);
  fill_readiness(*out);
  fill_network(*out);
}

// Where the library is preloaded, these calls of libc's find our sockets too; anything else is the kernel's.

extern "C" __attribute__((visibility("default"))) int getsockopt(int fd, int level, int name, void* value,
                                                                 socklen_t* length) noexcept {
  process* p = current;
  if (p && p->owns(fd)) return told(p->get_option(fd, level, name, value, length));
  return static_cast<int>(syscall(SYS_getsockopt, fd, level, name, value, length));
}

// `ip tcp_metrics flush` has the host's TCP forget what it has learned of others. Here that is our stack.
extern "C" __attribute__((visibility("default"))) int system(const char* command) {
  static const auto run = reinterpret_cast<int (*)(const char*)>(dlsym(RTLD_NEXT, "system"));
  const int status = run(command);
  process* p = current;
  if (p && command && std::string_view{command}.find("tcp_metrics flush") != std::string_view::npos)
    p->forget_metrics();
  return status;
}

extern "C" __attribute__((visibility("default"))) ssize_t sendfile(int to, int from, off_t* offset,
                                                                   std::size_t size) noexcept {
  process* p = current;
  if (p && p->owns(to)) return told(p->sendfile(to, from, offset, size));
  return syscall(SYS_sendfile, to, from, offset, size);
}
