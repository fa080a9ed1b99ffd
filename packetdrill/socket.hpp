#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

#include "packetdrill/connection.hpp"
#include "packetdrill/descriptor.hpp"
#include "packetdrill/receipts.hpp"

namespace tunic::packetdrill {

/// A TCP socket as Linux has them. Calls give what the kernel's do: 0 or more, or a negative errno.
class socket : public descriptor, public connection::owner, public listener::owner {
 public:
  socket(network& n, clock& c, int domain) : network_(n), clock_(c), domain_(domain) {}
  ~socket() override;

  int bind(const sockaddr* name, socklen_t length);
  int listen(int backlog);
  /// The new socket is in `out`.
  int accept(clock::lock& l, std::unique_ptr<socket>& out);
  int connect(clock::lock& l, const sockaddr* name, socklen_t length);
  int shutdown(int how);

  /// `name` is of MSG_FASTOPEN.
  long send(clock::lock& l, std::span<const iovec> from, int flags, const sockaddr* name = nullptr,
            socklen_t length = 0);
  long receive(clock::lock& l, std::span<const iovec> to, int flags);
  /// receive() with the control messages that were asked for.
  long receive_message(clock::lock& l, msghdr& message, int flags);

  int get_option(int level, int name, void* value, socklen_t* length);
  int set_option(int level, int name, const void* value, socklen_t length);
  /// SIOCINQ, SIOCOUTQ, SIOCOUTQNSD.
  int count(unsigned long request, int& octets) const;

  [[nodiscard]] std::uint32_t events() const override;
  [[nodiscard]] int domain() const { return domain_; }
  [[nodiscard]] endpoint remote() const { return connection_->ends().remote; }

 private:
  friend struct socket_options;

  void on_connection(tcp::events e) override;
  void on_acceptable() override;

  [[nodiscard]] bool patient(int flags) const { return !non_blocking && (flags & MSG_DONTWAIT) == 0; }
  int wait(clock::lock& l, const std::function<bool()>& done);
  int dial(const sockaddr* name, socklen_t length, bool fast);
  int finish_connect(clock::lock& l);
  int send_with_syn(clock::lock& l, std::span<const iovec> from, int flags, const sockaddr* name, socklen_t length,
                    std::size_t& sent);
  long take(std::span<const iovec> to, int flags);
  void note_receipt(int flags);
  /// Tells the stack of a changed wish.
  void apply();

  network& network_;
  clock& clock_;
  int domain_;
  std::optional<endpoint> bound_;
  wishes wishes_;
  std::unique_ptr<listener> listener_;
  std::unique_ptr<connection> connection_;
  bool connect_told_ = false;    // connect() has said that it is done
  bool writer_woken_ = false;    // since the send buffer was found full
  bool receive_shut_ = false;    // SHUT_RD: what arrives is still read, but nobody waits for it
  bool abort_on_close_ = false;  // SO_LINGER of 0 seconds
  bool v6_only_ = false;
  bool tell_inq_ = false;   // TCP_INQ
  bool zero_copy_ = false;  // SO_ZEROCOPY
  receipts receipts_;
  std::map<std::pair<int, int>, int> remembered_;  // options that change nothing here
};

}  // namespace tunic::packetdrill
