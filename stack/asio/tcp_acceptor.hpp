#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>

#include <asio/async_result.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/socket_base.hpp>

#include "stack/asio/host.hpp"
#include "stack/asio/host_options.hpp"
#include "stack/asio/tcp_socket.hpp"
#include "stack/tcp/listener.hpp"
#include "stack/tcp/user.hpp"

namespace tunic::tcp {

struct acceptor_options {
  std::optional<address_option> address = {};  ///< one of the host's; nothing: all of them, IPv4 and IPv6
  std::uint16_t port = 0;                      ///< 0: a free one of the ephemeral range
  std::size_t backlog = 1024;                  ///< established connections that wait to be accepted
  std::size_t fast_open = 0;                   ///< as the option tcp::fast_open
  bool v6_only = false;                        ///< without an address, or with "::": no IPv4
  /// Asked for every SYN, before it is answered; the host's any_address makes ends.local what the peer dialled. It must
  /// not call back into the host. Empty: every SYN is accepted.
  std::function<verdict(const four_tuple& ends)> on_syn = {};
};

}  // namespace tunic::tcp

namespace tunic::detail {

struct accept_operation : operation {
  explicit accept_operation(std::shared_ptr<pump> p) : host(std::move(p)) {}
  [[nodiscard]] std::tuple<std::error_code, tcp::socket> result() {
    return {error, tcp::socket{std::move(host), std::move(accepted)}};
  }
  std::shared_ptr<pump> host;
  std::unique_ptr<connection> accepted;
};

/// What a tcp::acceptor is a handle of: a listener of the stack, with the operations that wait for it.
class listening final : public attachment, public tcp::listener_user {
 public:
  listening(pump& host, const tcp::listen_options& o, std::function<tcp::verdict(const four_tuple&)> on_syn);
  ~listening() { close(); }

  void start(accept_operation& o);
  void start(wait_operation& o);
  /// The next connection; null where none waits.
  [[nodiscard]] std::unique_ptr<connection> accept();
  void cancel();
  void close();
  void on_close() override { close(); }
  [[nodiscard]] tcp::listener* listener() const { return listener_; }
  void set(const socket_settings& s);
  [[nodiscard]] const socket_settings& settings() const { return settings_; }

 private:
  void on_acceptable() override;
  tcp::verdict on_syn(const four_tuple& ends) override;

  tcp::listener* listener_ = nullptr;
  operation_list accepting_;
  operation_list waiting_;
  std::function<tcp::verdict(const four_tuple&)> on_syn_;
  socket_settings settings_;
};

}  // namespace tunic::detail

namespace tunic::tcp {

/// Listens on a port of a host and accepts connections.
///
///   tunic::tcp::acceptor acceptor{host, {.port = 80}};
///   tunic::tcp::socket s = co_await acceptor.async_accept(asio::use_awaitable);
class acceptor : public asio::socket_base {
 public:
  using executor_type = asio::io_context::executor_type;
  using protocol_type = asio::ip::tcp;
  using endpoint_type = asio::ip::tcp::endpoint;

  /// Throws std::system_error: address_in_use, address_not_available; and std::invalid_argument.
  acceptor(host& h, const acceptor_options& o);
  /// As Asio's: on any address of IPv6 it takes IPv4 as well.
  acceptor(host& h, const endpoint_type& local);
  acceptor(acceptor&& other) noexcept : pump_(other.pump_), listening_(std::move(other.listening_)) {}
  acceptor& operator=(acceptor&& other) noexcept;
  ~acceptor() = default;

  [[nodiscard]] executor_type get_executor() const { return pump_->get_executor(); }

  /// void(std::error_code, tunic::tcp::socket)
  template <class Token>
  auto async_accept(Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, socket)>(accept_initiation{this}, token);
  }
  /// Waits until accept() would not block: void(std::error_code). Only wait_read makes sense.
  template <class Token>
  auto async_wait(wait_type, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code)>(wait_initiation{this}, token);
  }
  /// A connection that waits already, else would_block: it never waits itself.
  socket accept(std::error_code& e);
  socket accept();

  void cancel();
  void cancel(std::error_code& e) { e = {}, cancel(); }
  /// What was not accepted yet is aborted, and pending operations end with operation_aborted.
  void close();
  void close(std::error_code& e) { e = {}, close(); }
  [[nodiscard]] bool is_open() const { return listening_ && listening_->listener(); }
  [[nodiscard]] endpoint_type local_endpoint(std::error_code& e) const;
  [[nodiscard]] endpoint_type local_endpoint() const;

  /// As tcp::socket's, for all connections accepted from now on.
  template <class Option>
  void set_option(const Option& o, std::error_code& e) {
    e = closed();
    if (e) return;
    auto s = listening_->settings();
    detail::set(s, o, e);
    if (!e) listening_->set(s);
  }
  template <class Option>
  void set_option(const Option& o) {
    std::error_code e;
    set_option(o, e);
    detail::throw_if(e, "set_option");
  }
  void get_option(asio::ip::v6_only& o, std::error_code& e) const;

 private:
  struct accept_initiation {
    using executor_type = acceptor::executor_type;
    acceptor* self;
    [[nodiscard]] executor_type get_executor() const { return self->get_executor(); }
    template <class Handler>
    void operator()(Handler&& h) const {
      detail::initiate<detail::accept_operation>(
          *self->pump_, get_executor(), std::forward<Handler>(h), [this](auto& o) { self->start(o); }, self->pump_);
    }
  };
  struct wait_initiation {
    using executor_type = acceptor::executor_type;
    acceptor* self;
    [[nodiscard]] executor_type get_executor() const { return self->get_executor(); }
    template <class Handler>
    void operator()(Handler&& h) const {
      detail::initiate<detail::wait_operation>(*self->pump_, get_executor(), std::forward<Handler>(h),
                                               [this](auto& o) { self->start(o); });
    }
  };

  void listen(const listen_options& o, std::function<verdict(const four_tuple&)> on_syn);
  template <class Operation>
  void start(Operation& o) {
    if (const std::error_code e = closed())
      pump_->complete(o, e);
    else
      listening_->start(o);
  }
  [[nodiscard]] std::error_code closed() const;

  std::shared_ptr<detail::pump> pump_;
  std::unique_ptr<detail::listening> listening_;
};

}  // namespace tunic::tcp
