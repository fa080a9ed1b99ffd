#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include <asio/async_result.hpp>
#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/socket_base.hpp>

#include "stack/asio/connection.hpp"
#include "stack/asio/endpoint.hpp"
#include "stack/asio/error.hpp"
#include "stack/asio/host.hpp"

namespace tunic::tcp {

/// A TCP connection of a host, as an Asio stream: AsyncReadStream and AsyncWriteStream, and in non-blocking mode
/// SyncReadStream and SyncWriteStream. It works under co_await, asio::async_read_until, asio::ssl::stream.
///
/// A socket is a handle: destroying it, like close(), starts CLOSE, and the stack finishes alone. Errors are Asio's
/// own: asio::error::eof at the end of the stream, connection_reset, connection_refused, timed_out, operation_aborted,
/// … Calls without an error_code throw std::system_error.
///
/// Asynchronous operations never complete inside the call that starts them. Any number may be pending; those of a kind
/// complete in order. Every type of cancellation is honoured: a pending operation has had no effect.
///
/// A moved-from socket is like a new one of the same host.
class socket : public asio::socket_base {
 public:
  using executor_type = asio::io_context::executor_type;
  using protocol_type = asio::ip::tcp;
  using endpoint_type = asio::ip::tcp::endpoint;
  using lowest_layer_type = socket;

  explicit socket(host& h) : pump_(h.pump()) {}
  /// Of what an acceptor has accepted.
  socket(std::shared_ptr<detail::pump> p, std::unique_ptr<detail::connection> c)
      : pump_(std::move(p)), connection_(std::move(c)) {}
  socket(socket&& other) noexcept : pump_(other.pump_), connection_(std::move(other.connection_)) {}
  socket& operator=(socket&& other) noexcept;
  ~socket() = default;

  [[nodiscard]] executor_type get_executor() const { return pump_->get_executor(); }
  [[nodiscard]] lowest_layer_type& lowest_layer() { return *this; }
  [[nodiscard]] const lowest_layer_type& lowest_layer() const { return *this; }

  // Asynchronous operations.

  /// OPEN, active: void(std::error_code). Errors: connection_refused, timed_out, host_unreachable, network_unreachable,
  /// address_in_use, already_connected, already_started, … After an error the socket may connect again.
  template <class Token>
  auto async_connect(const endpoint_type& to, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code)>(connect_initiation{this}, token, to);
  }
  /// RECEIVE: void(std::error_code, std::size_t), with one octet at least, or an error; at once where no buffer has
  /// room.
  template <class MutableBufferSequence, class Token>
  auto async_read_some(const MutableBufferSequence& buffers, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, std::size_t)>(
        transfer_initiation<detail::read_operation>{this}, token, buffers);
  }
  /// SEND: void(std::error_code, std::size_t), once the send buffer has taken one octet at least.
  template <class ConstBufferSequence, class Token>
  auto async_write_some(const ConstBufferSequence& buffers, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, std::size_t)>(
        transfer_initiation<detail::write_operation>{this}, token, buffers);
  }
  /// Waits until a read (wait_read) or a write (wait_write) would not block, or the connection is CLOSED (wait_error):
  /// void(std::error_code). Holds no buffer meanwhile.
  template <class Token>
  auto async_wait(wait_type what, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code)>(wait_initiation{this}, token, what);
  }
  /// What is pending ends with operation_aborted; an attempt to connect goes on.
  void cancel() { self().cancel(); }
  void cancel(std::error_code& e) { e = {}, self().cancel(); }

  // The non-blocking face. A synchronous call cannot wait for a stack that runs on the same thread. What can be done at
  // once is done; else the error is would_block in non-blocking mode, and operation_not_supported otherwise.

  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers, std::error_code& e) {
    return explained(self().read(detail::read_buffers{buffers}, e), e);
  }
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers) {
    std::error_code e;
    const std::size_t n = read_some(buffers, e);
    detail::throw_if(e, "read_some");
    return n;
  }
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers, std::error_code& e) {
    return explained(self().write(detail::write_buffers{buffers}, e), e);
  }
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers) {
    std::error_code e;
    const std::size_t n = write_some(buffers, e);
    detail::throw_if(e, "write_some");
    return n;
  }
  void non_blocking(bool on) { self().non_blocking = on; }
  void non_blocking(bool on, std::error_code& e) { e = {}, self().non_blocking = on; }
  [[nodiscard]] bool non_blocking() const { return connection_ && connection_->non_blocking; }
  /// Octets that a read would return now.
  std::size_t available(std::error_code& e) const;
  [[nodiscard]] std::size_t available() const;

  // What other streams have not: octets without waiting, and without a copy. The error is would_block where nothing can
  // be done now, in either mode.

  std::size_t try_read(std::span<std::byte> to, std::error_code& e);
  std::size_t try_write(std::span<const std::byte> from, std::error_code& e);
  /// Sends a prefix of the octets without a copy; `owner` keeps them alive, unchanged, until the peer has them.
  std::size_t try_adopt(std::shared_ptr<const void> owner, std::span<const std::byte> octets, std::error_code& e);
  /// The octets received that lie together, valid until consume() or close(). It holds the receive window back.
  std::span<const std::byte> borrow(std::error_code& e);
  /// Gives back the first octets of what was borrowed.
  void consume(std::size_t n) { self().consume(n); }
  /// Names the batch of packets that the host took in last: what is readable while this stays the same was there before
  /// it was first seen. The pointer tells the batches of one host from those of another.
  [[nodiscard]] std::pair<const void*, std::uint64_t> batch() const { return {pump_.get(), pump_->batch()}; }

  // The life of a connection.

  /// Connects from this address (unspecified: chosen by the routes) and port (0: an ephemeral one).
  void bind(const endpoint_type& local, std::error_code& e) { self().bind(from_asio(local), e); }
  void bind(const endpoint_type& local);
  /// shutdown_send is the RFC's CLOSE, a half-close: reading goes on. After shutdown_receive, what comes is dropped.
  void shutdown(shutdown_type what, std::error_code& e) { self().shutdown(what, e); }
  void shutdown(shutdown_type what);
  /// CLOSE, or ABORT where octets were left unread or linger asks for it. Pending operations end with
  /// operation_aborted. Returns at once; the socket may connect again.
  void close() { self().close(); }
  void close(std::error_code& e) { e = {}, self().close(); }
  /// Whether there is a connection, or an attempt at one.
  [[nodiscard]] bool is_open() const { return connection_ && connection_->is_open(); }
  [[nodiscard]] endpoint_type local_endpoint(std::error_code& e) const;
  [[nodiscard]] endpoint_type local_endpoint() const;
  [[nodiscard]] endpoint_type remote_endpoint(std::error_code& e) const;
  [[nodiscard]] endpoint_type remote_endpoint() const;
  /// STATUS (RFC 9293 §3.10.6): state, round trip, window, ….
  [[nodiscard]] tcp::status status() const;

  // Options: Asio's own types. They may be set before there is a connection.

  // asio::ip::tcp::no_delay (true by default), keep_alive, receive_buffer_size, send_buffer_size,
  // asio::ip::unicast::hops, tcp::fast_open_connect and linger: with a timeout of 0 close() is ABORT. With another one
  // close() does not wait, but what the peer has not acknowledged in that time is given up: the connection is aborted.

  template <class Option>
  void set_option(const Option& o, std::error_code& e) {
    auto s = self().settings();
    detail::set(s, o, e);
    if (!e) self().set(s);
  }
  template <class Option>
  void set_option(const Option& o) {
    std::error_code e;
    set_option(o, e);
    detail::throw_if(e, "set_option");
  }
  template <class Option>
  void get_option(Option& o, std::error_code& e) const {
    e = {};
    get_option(o);
  }
  template <class Option>
  void get_option(Option& o) const {
    detail::get(self().settings_in_effect(), o);
  }

 private:
  struct initiation {
    using executor_type = socket::executor_type;
    socket* self;
    [[nodiscard]] executor_type get_executor() const { return self->get_executor(); }
  };
  struct connect_initiation : initiation {
    template <class Handler>
    void operator()(Handler&& h, const endpoint_type& to) const {
      detail::initiate<detail::ready_operation>(
          *this->self->pump_, this->get_executor(), std::forward<Handler>(h),
          [&](detail::ready_operation& o) { this->self->self().connect(from_asio(to), o); }, detail::wanted::connect);
    }
  };
  template <class Operation>
  struct transfer_initiation : initiation {
    template <class Handler, class BufferSequence>
    void operator()(Handler&& h, const BufferSequence& buffers) const {
      detail::initiate<Operation>(
          *this->self->pump_, this->get_executor(), std::forward<Handler>(h),
          [&](Operation& o) { this->self->self().start(o); }, buffers);
    }
  };
  struct wait_initiation : initiation {
    template <class Handler>
    void operator()(Handler&& h, wait_type what) const {
      const auto w = what == wait_read    ? detail::wanted::wait_read
                     : what == wait_write ? detail::wanted::wait_write
                                          : detail::wanted::wait_error;
      detail::initiate<detail::ready_operation>(
          *this->self->pump_, this->get_executor(), std::forward<Handler>(h),
          [&](detail::ready_operation& o) { this->self->self().start(o); }, w);
    }
  };

  detail::connection& self();
  [[nodiscard]] detail::connection& self() const { return const_cast<socket*>(this)->self(); }
  std::size_t explained(std::size_t n, std::error_code& e) const;

  std::shared_ptr<detail::pump> pump_;
  std::unique_ptr<detail::connection> connection_;  ///< made when first needed
};

}  // namespace tunic::tcp
