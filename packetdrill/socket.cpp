#include "packetdrill/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "packetdrill/sockaddr.hpp"

namespace tunic::packetdrill {
namespace {

constexpr std::uint32_t readable = EPOLLIN | EPOLLRDNORM;
constexpr std::uint32_t writable = EPOLLOUT | EPOLLWRNORM;
constexpr std::uint32_t anything = readable | writable | EPOLLRDHUP | EPOLLHUP | EPOLLERR;

}  // namespace

socket::~socket() {
  if (connection_ && abort_on_close_) connection_->abort();
}

int socket::bind(const sockaddr* name, socklen_t length) {
  const auto local = endpoint_of(name, length, domain_);
  if (!local) return -local.error();
  if (bound_) return -EINVAL;
  bound_ = *local;
  return 0;
}

int socket::listen(int backlog) {
  if (connection_) return -EINVAL;
  if (listener_) return 0;
  network_.configure();
  const address any = address::any(domain_ == AF_INET6 ? family::v6 : family::v4);
  const auto most = static_cast<int>(network_.sysctls().number("core/somaxconn", 4096));
  // Linux lets one more wait than the backlog says.
  const auto waiting = static_cast<std::size_t>(backlog < 0 || backlog > most ? most : backlog) + 1;
  auto made =
      std::make_unique<listener>(network_, bound_.value_or(endpoint{any, 0}), v6_only_, waiting, wishes_, *this);
  if (made->error() != 0) return -made->error();
  listener_ = std::move(made);
  return 0;
}

int socket::accept(clock::lock& l, std::unique_ptr<socket>& out) {
  if (!listener_) return -EINVAL;
  if (!listener_->acceptable()) {
    if (non_blocking) return -EAGAIN;
    if (const int error = wait(l, [&] { return listener_->acceptable(); })) return error;
  }
  out = std::make_unique<socket>(network_, clock_, domain_);
  out->wishes_ = wishes_;
  out->zero_copy_ = zero_copy_;
  out->connection_ = listener_->accept(wishes_, *out);
  out->connect_told_ = true;
  return 0;
}

int socket::connect(clock::lock& l, const sockaddr* name, socklen_t length) {
  if (listener_) return -EISCONN;
  if (name && name->sa_family == AF_UNSPEC) {
    if (connection_) connection_->abort();
    connection_.reset();
    connect_told_ = false;
    return 0;
  }
  if (connection_) {
    if (connect_told_ || connection_->waits_for_text()) return -EISCONN;
    if (connection_->opening() && non_blocking) return -EALREADY;
    return finish_connect(l);
  }
  if (const int error = dial(name, length, wishes_.fast_open.connect)) return error;
  if (connection_->waits_for_text()) return 0;
  return non_blocking ? -EINPROGRESS : finish_connect(l);
}

int socket::dial(const sockaddr* name, socklen_t length, bool fast) {
  const auto remote = endpoint_of(name, length, domain_);
  if (!remote) return -remote.error();
  network_.configure();
  connection_ = std::make_unique<connection>(network_, *remote, bound_, wishes_, fast, *this);
  if (connection_->open()) return 0;
  const int error = connection_->error();
  connection_.reset();
  return -error;
}

int socket::finish_connect(clock::lock& l) {
  if (const int error = wait(l, [&] { return !connection_->opening(); })) return error;
  if (connection_->closed()) {
    const int error = connection_->take_error();
    connection_.reset();
    return error != 0 ? -error : -ECONNABORTED;
  }
  connect_told_ = true;
  return 0;
}

int socket::shutdown(int how) {
  if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return -EINVAL;
  if (listener_ && how != SHUT_WR) {
    listener_.reset();
    return 0;
  }
  if (!connection_ || connection_->closed()) return -ENOTCONN;
  if (how != SHUT_WR) receive_shut_ = true;
  if (how != SHUT_RD) connection_->shut_send();
  tell(anything);
  clock_.notify();
  return 0;
}

std::uint32_t socket::events() const {
  if (listener_) return listener_->acceptable() ? readable : 0;
  if (!connection_) return writable | EPOLLHUP;
  const connection& c = *connection_;
  std::uint32_t now = 0;
  const bool no_more = c.peer_has_closed() || receive_shut_ || c.closed();
  if (c.closed() || (no_more && c.send_is_shut())) now |= EPOLLHUP;
  if (no_more) now |= readable | EPOLLRDHUP;
  if (!c.opening()) {
    if (c.available() > 0) now |= readable;
    if (c.send_is_shut() || c.writable()) now |= writable;
  }
  if (c.error() != 0 || receipts_.pending()) now |= EPOLLERR;
  return now;
}

int socket::count(unsigned long request, int& octets) const {
  if (!connection_) {
    if (listener_) return -EINVAL;
    octets = 0;
    return 0;
  }
  switch (request) {
    case SIOCINQ: octets = static_cast<int>(connection_->available()); return 0;
    case SIOCOUTQ: octets = static_cast<int>(connection_->queued()); return 0;
    case SIOCOUTQNSD: octets = static_cast<int>(connection_->unsent()); return 0;
    default: return -ENOTTY;
  }
}

void socket::on_connection(tcp::events e) {
  if (e.writable || e.closed) writer_woken_ = true;
  if (e.established || e.closed) {
    tell(anything);
  } else {
    tell((e.readable ? readable | EPOLLRDHUP : 0) | (e.writable ? writable : 0));
  }
  clock_.notify();
}

void socket::on_acceptable() {
  tell(readable);
  clock_.notify();
}

// EDEADLK where what is waited for cannot happen any more: the kernel would sleep for ever.
int socket::wait(clock::lock& l, const std::function<bool()>& done) {
  return clock_.wait(l, done, never) ? 0 : -EDEADLK;
}

void socket::apply() {
  if (connection_) connection_->apply(wishes_);
  if (listener_) listener_->apply(wishes_);
}

}  // namespace tunic::packetdrill
