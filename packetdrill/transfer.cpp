#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include "packetdrill/socket.hpp"

// Octets into a socket and out of it.

#ifndef TCP_CM_INQ
#define TCP_CM_INQ TCP_INQ
#endif

namespace tunic::packetdrill {

// connect() and the beginning of send() in one, as MSG_FASTOPEN asks, or TCP_FASTOPEN_CONNECT has put off. `sent`
// becomes the octets that went with the SYN.
int socket::send_with_syn(clock::lock& l, std::span<const iovec> from, int flags, const sockaddr* name,
                          socklen_t length, std::size_t& sent) {
  const bool put_off = connection_ && connection_->waits_for_text();
  if (!fast_open_settings{network_.sysctls()}.client) return -EOPNOTSUPP;
  if (name && length >= sizeof name->sa_family && name->sa_family == AF_UNSPEC) return -EOPNOTSUPP;
  if (connection_ && !put_off) {
    if (connect_told_) return -EISCONN;
    if (connection_->opening() && !patient(flags)) return -EALREADY;
    return finish_connect(l);
  }
  if (listener_) return -EISCONN;
  if (!put_off)
    if (const int error = dial(name, length, true)) return error;
  connection& c = *connection_;
  // Whoever waits has all of it sent, the rest behind the handshake.
  const std::size_t room = patient(flags) ? ~std::size_t{} : c.syn_text_room();
  const bool take = c.waits_for_text() || patient(flags);
  for (const iovec& v : from)
    if (take && v.iov_base)
      sent += c.send_at_once({static_cast<const std::byte*>(v.iov_base), std::min(v.iov_len, room - sent)});
  c.push();
  return patient(flags) ? finish_connect(l) : -EINPROGRESS;
}

long socket::send(clock::lock& l, std::span<const iovec> from, int flags, const sockaddr* name, socklen_t length) {
  std::size_t with_syn = 0;
  if ((flags & MSG_FASTOPEN) != 0 || (connection_ && connection_->waits_for_text())) {
    const int error = send_with_syn(l, from, flags, name, length, with_syn);
    if (error == -EINPROGRESS && with_syn > 0) {
      note_receipt(flags);
      return static_cast<long>(with_syn);
    }
    if (error != 0) return error;
  }
  if (!connection_) return -EPIPE;
  connection& c = *connection_;
  if (c.opening()) {
    if (!patient(flags)) return -EAGAIN;
    if (const int error = wait(l, [&] { return !c.opening(); })) return error;
  }
  const auto broken = [&] { return c.error() != 0 || c.send_is_shut(); };
  const auto why_broken = [&] { return c.error() != 0 ? -c.take_error() : -EPIPE; };
  if (broken()) return why_broken();
  const auto end = (flags & MSG_EOR) != 0    ? tcp::ending::record
                   : (flags & MSG_MORE) != 0 ? tcp::ending::more
                                             : tcp::ending::push;
  long total = static_cast<long>(with_syn), failure = 0;
  for (const iovec& v : from) {
    const auto here = &v == &from.back() ? end : tcp::ending::more;
    if (v.iov_len > 0 && !v.iov_base) failure = -EFAULT;
    std::span<const std::byte> rest{static_cast<const std::byte*>(v.iov_base), v.iov_base ? v.iov_len : 0};
    const std::size_t gone = std::min(rest.size(), with_syn);
    with_syn -= gone;
    rest = rest.subspan(gone);
    while (failure == 0 && !rest.empty()) {
      writer_woken_ = false;
      const std::size_t n = c.send(rest, here);
      total += static_cast<long>(n);
      rest = rest.subspan(n);
      if (rest.empty()) break;
      c.push();
      if (n > 0) continue;
      failure = patient(flags) ? wait(l, [&] { return writer_woken_ || broken(); }) : -EAGAIN;
      if (failure == 0 && broken()) failure = total > 0 ? -EPIPE : why_broken();
    }
    if (failure != 0) break;
  }
  c.push();
  if (total == 0 && failure != 0) return failure;
  if (total > 0) note_receipt(flags);
  return total;
}

// The octets were copied: they can be told to be free at once.
void socket::note_receipt(int flags) {
  if (!zero_copy_ || (flags & MSG_ZEROCOPY) == 0) return;
  receipts_.add();
  tell(EPOLLERR);
}

// Takes what is there; MSG_PEEK leaves it, MSG_TRUNC throws it away.
long socket::take(std::span<const iovec> to, int flags) {
  long total = 0;
  for (const iovec& v : to) {
    const std::size_t n = std::min(v.iov_len, connection_->available());
    if (n == 0) continue;
    if ((flags & MSG_TRUNC) != 0) {
      total += static_cast<long>(connection_->discard(n));
      continue;
    }
    if (!v.iov_base) return total > 0 ? total : -EFAULT;
    if ((flags & MSG_PEEK) != 0) {
      const auto front = connection_->peek();
      const std::size_t most = std::min(n, front.size());
      std::memcpy(v.iov_base, front.data(), most);
      return static_cast<long>(most);
    }
    total += static_cast<long>(connection_->receive({static_cast<std::byte*>(v.iov_base), n}));
  }
  return total;
}

long socket::receive(clock::lock& l, std::span<const iovec> to, int flags) {
  if (!connection_) return -ENOTCONN;
  connection& c = *connection_;
  std::size_t wanted = 0;
  for (const iovec& v : to) wanted += v.iov_len;
  for (;;) {
    const auto over = [&] { return c.at_end() || c.closed() || receive_shut_; };
    const std::size_t enough = (flags & MSG_WAITALL) != 0 ? wanted : 1;
    if (c.available() > 0 && (c.available() >= enough || over() || !patient(flags))) return take(to, flags);
    if (wanted == 0 || (c.at_end() && c.available() == 0)) return 0;
    if (c.error() != 0) return -c.take_error();
    if (over()) return 0;
    if (!patient(flags)) return -EAGAIN;
    if (const int error = wait(l, [&] { return c.available() >= enough || over(); })) return error;
  }
}

long socket::receive_message(clock::lock& l, msghdr& message, int flags) {
  if ((flags & MSG_ERRQUEUE) != 0) return receipts_.take(message, domain_);
  const long n = receive(l, {message.msg_iov, message.msg_iovlen}, flags);
  if (n < 0) return n;
  message.msg_namelen = 0;
  message.msg_flags = 0;
  std::size_t used = 0;
  if (tell_inq_ && message.msg_control && message.msg_controllen >= CMSG_SPACE(sizeof(int))) {
    // What waits; once the peer has closed, its FIN counts as one.
    const int inq = static_cast<int>(connection_->available()) +
                    (connection_->available() == 0 && connection_->peer_has_closed() ? 1 : 0);
    cmsghdr* control = CMSG_FIRSTHDR(&message);
    control->cmsg_level = SOL_TCP;
    control->cmsg_type = TCP_CM_INQ;
    control->cmsg_len = CMSG_LEN(sizeof inq);
    std::memcpy(CMSG_DATA(control), &inq, sizeof inq);
    used = CMSG_SPACE(sizeof inq);
  }
  message.msg_controllen = used;
  return n;
}

}  // namespace tunic::packetdrill
