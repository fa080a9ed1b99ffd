#pragma once

#include <memory>

#include <asio/async_result.hpp>
#include <asio/io_context.hpp>

#include "stack/asio/host_options.hpp"
#include "stack/asio/pump.hpp"
#include "stack/device.hpp"
#include "stack/stack.hpp"

namespace tunic {

/// 16 octets from the system's own source of randomness (RFC 6528 §4).
secret draw_secret();

/// One TCP/IP stack at work on an io_context: it moves frames between the stack and a device, and carries sockets.
///
///   asio::io_context io;
///   tunic::drivers::tun device{{.name = "tun0"}};
///   tunic::host host{io, device, {.address = "198.51.100.2/24", .gateway = "198.51.100.1"}};
///
/// A host, its sockets and its device belong to the one thread that runs the io_context; a handler must not run it in
/// turn to wait for its own host. Several hosts may share an io_context, and handlers may run on executors of their
/// own. A host counts as work: io_context::run() returns after close(). The io_context and the device outlive it.
class host {
 public:
  using executor_type = asio::io_context::executor_type;

  /// Throws std::invalid_argument or std::system_error, whose what() says what to change.
  host(asio::io_context& io, device& d, const host_options& o);
  host(const host&) = delete;
  host& operator=(const host&) = delete;
  /// As close(). Sockets and acceptors may outlive their host: they are closed then.
  ~host();

  [[nodiscard]] executor_type get_executor() const { return pump_->get_executor(); }

  /// Stops. Pending operations end with asio::error::operation_aborted, connections that somebody holds are aborted
  /// (the peer is sent a RST), and the device is left alone. To finish in order, close the sockets and wait by
  /// async_drain first. Not to be called from a callback of the stack (on_syn, observers).
  void close() { pump_->close(); }

  /// Waits until every connection has finished but for those in TIME-WAIT: void(std::error_code). Close acceptors and
  /// sockets first, and set a limit by cancellation. Ends with operation_aborted where the host is closed.
  template <class Token>
  auto async_drain(Token&& token) {
    return asio::async_initiate<Token, void(std::error_code)>(drain_initiation{pump_}, token);
  }

  /// The stack itself: counters, routes, connections.
  [[nodiscard]] tunic::stack& stack() { return pump_->stack(); }
  /// The moment on the stack's clock.
  [[nodiscard]] instant now() const { return pump_->now(); }
  /// Has the stack and the device looked after soon: for who calls the stack itself, or moves a clock of its own.
  void wake() { pump_->wake(); }
  /// When the stack or the device wants to be woken next; `never` where nothing is waited for.
  [[nodiscard]] instant next_deadline() { return pump_->next_deadline(); }

  /// What sockets hold on to.
  [[nodiscard]] const std::shared_ptr<detail::pump>& pump() const { return pump_; }

 private:
  struct drain_initiation {
    using executor_type = host::executor_type;
    std::shared_ptr<detail::pump> pump;
    [[nodiscard]] executor_type get_executor() const { return pump->get_executor(); }
    template <class Handler>
    void operator()(Handler&& h) const {
      detail::initiate<detail::wait_operation>(*pump, get_executor(), std::forward<Handler>(h),
                                               [this](detail::wait_operation& o) { pump->drain(o); });
    }
  };

  std::shared_ptr<detail::pump> pump_;
};

}  // namespace tunic
