#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <system_error>
#include <tuple>
#include <vector>

#include <asio/async_result.hpp>
#include <asio/buffer.hpp>
#include <asio/ip/udp.hpp>
#include <asio/ip/unicast.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/socket_base.hpp>

#include "stack/asio/dscp.hpp"
#include "stack/asio/endpoint.hpp"
#include "stack/asio/error.hpp"
#include "stack/asio/host.hpp"
#include "stack/udp/binding.hpp"

namespace tunic::detail {

using mutable_octets = std::vector<asio::mutable_buffer>;

struct datagram_operation : operation {
  datagram_operation() = default;
  datagram_operation(mutable_octets to, asio::ip::udp::endpoint* from) : buffers(std::move(to)), sender(from) {}
  [[nodiscard]] std::tuple<std::error_code, std::size_t> result() { return {error, octets}; }
  mutable_octets buffers;
  asio::ip::udp::endpoint* sender = nullptr;
  std::size_t octets = 0;
};

/// What a udp::socket is a handle of: a socket of the stack's UDP, with the operations that wait for it.
class datagrams final : public attachment, public udp::user {
 public:
  explicit datagrams(pump& host);
  ~datagrams() { close(); }

  void bind(const endpoint& local, std::error_code& e);
  void connect(const endpoint& remote, std::error_code& e);
  void send(std::span<const std::byte> text, const endpoint* to, std::error_code& e);
  std::size_t receive(const mutable_octets& to, asio::ip::udp::endpoint* sender, std::error_code& e);
  void start_receive(datagram_operation& o);
  void start_wait(wait_operation& o, asio::socket_base::wait_type what);
  void cancel();
  void close();
  void on_close() override { close(); }
  /// Null once closed.
  [[nodiscard]] udp::binding* socket() const { return socket_; }
  [[nodiscard]] std::error_code unusable() const;

  bool non_blocking = false;
  bool v6_only = false;

 private:
  void on_readable() override;
  void on_error(std::error_code e) override;

  udp::binding* socket_;
  std::error_code error_;  ///< the network's, for the next call
  operation_list receiving_;
  operation_list waiting_;  ///< to read
  operation_list error_waiting_;
};

}  // namespace tunic::detail

namespace tunic::udp {

/// A UDP socket of a host, with the face of Asio's.
///
/// What exceeds the buffers of a receive is cut off and lost, as with the kernel's sockets. A connected socket is told
/// by connection_refused that nobody listens at the other end. Sending never waits: no_buffer_space where the device
/// lags.
class socket : public asio::socket_base {
 public:
  using executor_type = asio::io_context::executor_type;
  using protocol_type = asio::ip::udp;
  using endpoint_type = asio::ip::udp::endpoint;

  explicit socket(host& h) : pump_(h.pump()), datagrams_(std::make_unique<detail::datagrams>(*pump_)) {}
  /// Bound. Throws std::system_error.
  socket(host& h, const endpoint_type& local) : socket(h) { bind(local); }
  socket(socket&& other) noexcept : pump_(other.pump_), datagrams_(std::move(other.datagrams_)) {}
  socket& operator=(socket&& other) noexcept;
  ~socket() = default;

  [[nodiscard]] executor_type get_executor() const { return pump_->get_executor(); }

  /// Port 0 takes a free one; "::" takes IPv4 as well unless v6_only was set. Errors: address_in_use,
  /// address_not_available, invalid_argument where bound already.
  void bind(const endpoint_type& local, std::error_code& e);
  void bind(const endpoint_type& local);
  /// From now on it receives from `remote` alone, and send() goes there.
  void connect(const endpoint_type& remote, std::error_code& e);
  void connect(const endpoint_type& remote);

  /// void(std::error_code, std::size_t); `sender` and the buffers must live until then.
  template <class MutableBufferSequence, class Token>
  auto async_receive_from(const MutableBufferSequence& buffers, endpoint_type& sender, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, std::size_t)>(receive_initiation{this}, token, buffers,
                                                                           &sender);
  }
  template <class MutableBufferSequence, class Token>
  auto async_receive(const MutableBufferSequence& buffers, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, std::size_t)>(receive_initiation{this}, token, buffers,
                                                                           static_cast<endpoint_type*>(nullptr));
  }
  template <class ConstBufferSequence, class Token>
  auto async_send_to(const ConstBufferSequence& buffers, const endpoint_type& to, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, std::size_t)>(send_initiation{this}, token, buffers,
                                                                           std::optional{from_asio(to)});
  }
  /// Of a connected socket.
  template <class ConstBufferSequence, class Token>
  auto async_send(const ConstBufferSequence& buffers, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, std::size_t)>(send_initiation{this}, token, buffers,
                                                                           std::optional<endpoint>{});
  }
  /// void(std::error_code): a datagram waits (wait_read), at once (wait_write), the network has reported an error
  /// (wait_error).
  template <class Token>
  auto async_wait(wait_type what, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code)>(wait_initiation{this}, token, what);
  }

  // Where no datagram waits: would_block in non-blocking mode, else operation_not_supported (see tcp::socket).
  template <class MutableBufferSequence>
  std::size_t receive_from(const MutableBufferSequence& buffers, endpoint_type& sender, std::error_code& e) {
    return receive(list_of(buffers), &sender, e);
  }
  template <class MutableBufferSequence>
  std::size_t receive(const MutableBufferSequence& buffers, std::error_code& e) {
    return receive(list_of(buffers), nullptr, e);
  }
  template <class ConstBufferSequence>
  std::size_t send_to(const ConstBufferSequence& buffers, const endpoint_type& to, std::error_code& e) {
    const endpoint remote = from_asio(to);
    return send(buffers, &remote, e);
  }
  template <class ConstBufferSequence>
  std::size_t send(const ConstBufferSequence& buffers, std::error_code& e) {
    return send(buffers, nullptr, e);
  }

  void non_blocking(bool on) { open().non_blocking = on; }
  [[nodiscard]] bool non_blocking() const { return datagrams_ && datagrams_->non_blocking; }
  /// Octets of the datagram that the next receive returns.
  [[nodiscard]] std::size_t available(std::error_code& e) const;
  [[nodiscard]] bool is_open() const { return datagrams_ && datagrams_->socket(); }
  void cancel();
  void close();
  [[nodiscard]] endpoint_type local_endpoint(std::error_code& e) const;
  [[nodiscard]] endpoint_type local_endpoint() const;
  [[nodiscard]] endpoint_type remote_endpoint(std::error_code& e) const;
  [[nodiscard]] endpoint_type remote_endpoint() const;

  void set_option(const asio::ip::unicast::hops& o, std::error_code& e);
  void set_option(const dscp& o, std::error_code& e);
  void set_option(const receive_buffer_size& o, std::error_code& e);
  void set_option(const asio::ip::v6_only& o, std::error_code& e);  ///< before bind
  void get_option(asio::ip::unicast::hops& o, std::error_code& e) const;
  void get_option(dscp& o, std::error_code& e) const;
  void get_option(receive_buffer_size& o, std::error_code& e) const;
  void get_option(asio::ip::v6_only& o, std::error_code& e) const;
  template <class Option>
  void set_option(const Option& o) {
    std::error_code e;
    set_option(o, e);
    detail::throw_if(e, "set_option");
  }
  template <class Option>
  void get_option(Option& o) const {
    std::error_code e;
    get_option(o, e);
    detail::throw_if(e, "get_option");
  }

 private:
  struct initiation {
    using executor_type = socket::executor_type;
    socket* self;
    [[nodiscard]] executor_type get_executor() const { return self->get_executor(); }
  };
  struct receive_initiation : initiation {
    template <class Handler, class MutableBufferSequence>
    void operator()(Handler&& h, const MutableBufferSequence& buffers, endpoint_type* sender) const {
      detail::initiate<detail::datagram_operation>(
          *this->self->pump_, this->get_executor(), std::forward<Handler>(h),
          [&](auto& o) { this->self->open().start_receive(o); }, list_of(buffers), sender);
    }
  };
  struct send_initiation : initiation {
    template <class Handler, class ConstBufferSequence>
    void operator()(Handler&& h, const ConstBufferSequence& buffers, const std::optional<endpoint>& to) const {
      detail::initiate<detail::datagram_operation>(*this->self->pump_, this->get_executor(), std::forward<Handler>(h),
                                                   [&](detail::datagram_operation& o) {
                                                     std::error_code e;
                                                     o.octets = this->self->send(buffers, to ? &*to : nullptr, e);
                                                     this->self->pump_->complete(o, e);
                                                   });
    }
  };
  struct wait_initiation : initiation {
    template <class Handler>
    void operator()(Handler&& h, wait_type what) const {
      detail::initiate<detail::wait_operation>(*this->self->pump_, this->get_executor(), std::forward<Handler>(h),
                                               [&](auto& o) { this->self->open().start_wait(o, what); });
    }
  };

  template <class MutableBufferSequence>
  static detail::mutable_octets list_of(const MutableBufferSequence& buffers) {
    return {asio::buffer_sequence_begin(buffers), asio::buffer_sequence_end(buffers)};
  }
  template <class ConstBufferSequence>
  std::size_t send(const ConstBufferSequence& buffers, const endpoint* to, std::error_code& e) {
    std::vector<std::byte> gathered(asio::buffer_size(buffers));
    asio::buffer_copy(asio::buffer(gathered), buffers);
    open().send(gathered, to, e);
    return e ? 0 : gathered.size();
  }
  std::size_t receive(const detail::mutable_octets& to, endpoint_type* sender, std::error_code& e);
  detail::datagrams& open();

  std::shared_ptr<detail::pump> pump_;
  std::unique_ptr<detail::datagrams> datagrams_;
};

}  // namespace tunic::udp
