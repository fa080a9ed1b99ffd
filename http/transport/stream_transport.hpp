#pragma once

#include <algorithm>
#include <concepts>
#include <type_traits>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/socket_base.hpp>
#include <asio/use_awaitable.hpp>

#include "http/transport/transport.hpp"

namespace tunic::http {

// Asio's SyncReadStream and SyncWriteStream with a non-blocking mode: the kernel's sockets.
template <class S>
concept non_blocking_stream = requires(S& s, std::error_code& error) {
  s.non_blocking(true, error);
  { s.read_some(asio::mutable_buffer{}, error) } -> std::convertible_to<std::size_t>;
  { s.write_some(asio::const_buffer{}, error) } -> std::convertible_to<std::size_t>;
};

// Waits until the connection is broken; the kernel's sockets and ours can.
template <class S>
concept reports_errors = requires(S& s, void (*token)(std::error_code)) {
  s.async_wait(S::wait_error, token);
};

// Any Asio AsyncReadStream and AsyncWriteStream as a transport. `Stream` may be a reference type: the stream is then
// the caller's and outlives the transport.
template <class Stream>
class stream_transport final : public transport {
  using stream_type = std::remove_reference_t<Stream>;
  static constexpr bool can_try = tries<stream_type> || non_blocking_stream<stream_type>;
  static constexpr bool waits_without_buffer = waits<stream_type> && (can_try || borrows<stream_type>);

 public:
  // `buffer_size`: how many octets are read at once from a stream that does not lend its own.
  stream_transport(Stream&& stream, std::size_t buffer_size)
      : stream_(std::forward<Stream>(stream)), buffer_size_(buffer_size) {
    std::error_code ignored;
    if constexpr (!tries<stream_type> && non_blocking_stream<stream_type>) stream_.non_blocking(true, ignored);
    // A head and what follows it leave at once: nothing here is ever written in small pieces.
    if constexpr (requires { lowest().set_option(asio::ip::tcp::no_delay(true), ignored); })
      lowest().set_option(asio::ip::tcp::no_delay(true), ignored);
    // Who has vanished without a word is found in the end, although nobody writes to it.
    if constexpr (requires { lowest().set_option(asio::socket_base::keep_alive(true), ignored); })
      lowest().set_option(asio::socket_base::keep_alive(true), ignored);
  }

  std::span<const std::byte> borrow(std::error_code& error) override {
    if constexpr (borrows<stream_type>) {
      return stream_.borrow(error);
    } else {
      error = {};
      if (begin_ != end_) return held();
      error = ended_;
      if (error) return {};
      if constexpr (can_try) {
        if (!drained_) fill(error);
        if (drained_ && begin_ == end_ && !error) error = asio::error::would_block;
      } else {
        error = asio::error::would_block;
      }
      return held();
    }
  }

  void consume(std::size_t n) override {
    if constexpr (borrows<stream_type>)
      stream_.consume(n);
    else
      begin_ += n;
  }

  input_batch batch() override {
    if constexpr (batches<std::remove_reference_t<decltype(lowest())>>)
      return lowest().batch();
    else
      return {};
  }

  asio::awaitable<void> readable(std::error_code& error) override {
    if (begin_ != end_) return at_once(error);
    if constexpr (waits_without_buffer) {
      drop_buffer();
      return stream_.async_wait(stream_type::wait_read, asio::redirect_error(asio::use_awaitable, error));
    } else {
      return receive(error);
    }
  }

  void wait_readable(std::unique_ptr<input_waiter> who) override {
    if constexpr (waits_without_buffer) {
      drop_buffer();
      stream_.async_wait(stream_type::wait_read, [who = std::move(who)](std::error_code) mutable { go_on(who); });
    } else {
      const auto into = room();
      stream_.async_read_some(asio::buffer(into.data(), into.size()),
                              [this, who = std::move(who)](std::error_code error, std::size_t n) mutable {
                                received(error, n);
                                go_on(who);
                              });
    }
  }

  std::size_t try_write(std::span<const std::byte> octets, std::error_code& error) override {
    if constexpr (tries<stream_type>) {
      return stream_.try_write(octets, error);
    } else if constexpr (non_blocking_stream<stream_type>) {
      return stream_.write_some(asio::buffer(octets.data(), octets.size()), error);
    } else {
      error = asio::error::would_block;
      return 0;
    }
  }

  asio::awaitable<std::size_t> write_some(std::span<const std::byte> octets, std::error_code& error) override {
    return stream_.async_write_some(asio::buffer(octets.data(), octets.size()),
                                    asio::redirect_error(asio::use_awaitable, error));
  }

  bool can_adopt() const override { return adopts<stream_type> && waits<stream_type>; }

  std::size_t try_adopt([[maybe_unused]] const shared_octets& octets, std::error_code& error) override {
    if constexpr (adopts<stream_type>) {
      return stream_.try_adopt(octets.owner, octets.octets, error);
    } else {
      error = asio::error::operation_not_supported;
      return 0;
    }
  }

  asio::awaitable<void> writable(std::error_code& error) override {
    if constexpr (waits<stream_type>) {
      return stream_.async_wait(stream_type::wait_write, asio::redirect_error(asio::use_awaitable, error));
    } else {
      error = asio::error::operation_not_supported;
      return {};
    }
  }

  bool watch([[maybe_unused]] std::function<void(std::error_code)> gone) override {
    if constexpr (reports_errors<stream_type>) {
      stream_.async_wait(stream_type::wait_error, std::move(gone));
      return true;
    } else {
      return false;
    }
  }

  asio::ip::tcp::endpoint peer() override {
    if constexpr (requires(std::error_code & e) {
                    { lowest().remote_endpoint(e) } -> std::convertible_to<asio::ip::tcp::endpoint>;
                  }) {
      std::error_code ignored;
      return lowest().remote_endpoint(ignored);
    } else {
      return {};
    }
  }

  asio::any_io_executor get_executor() override { return stream_.get_executor(); }

  void shutdown_send() override {
    std::error_code ignored;
    lowest().shutdown(asio::socket_base::shutdown_send, ignored);
  }

  void abort() override {
    std::error_code ignored;
    if constexpr (requires { lowest().set_option(asio::socket_base::linger(true, 0), ignored); })
      lowest().set_option(asio::socket_base::linger(true, 0), ignored);
    close();
  }

  void cancel() override {
    std::error_code ignored;
    lowest().cancel(ignored);
  }

  void close() override {
    std::error_code ignored;
    lowest().close(ignored);
  }

 private:
  auto& lowest() {
    if constexpr (requires(stream_type & s) { s.lowest_layer(); })
      return stream_.lowest_layer();
    else
      return stream_;
  }

  std::span<const std::byte> held() const { return {buffer_.get() + begin_, end_ - begin_}; }

  std::span<std::byte> room() {
    if (!buffer_) buffer_ = std::make_unique_for_overwrite<std::byte[]>(buffer_size_);
    begin_ = end_ = 0;
    return {buffer_.get(), buffer_size_};
  }

  void drop_buffer() {
    drained_ = false;
    buffer_.reset();
    begin_ = end_ = 0;
  }

  // One read that does not wait. A short one has emptied the stream: trying again at once would be a call for nothing.
  void fill(std::error_code& error) {
    const auto into = room();
    if constexpr (tries<stream_type>)
      end_ = stream_.try_read(into, error);
    else if constexpr (non_blocking_stream<stream_type>)
      end_ = stream_.read_some(asio::buffer(into.data(), into.size()), error);
    drained_ = end_ < into.size() && !error;
  }

  static asio::awaitable<void> at_once(std::error_code& error) {
    error = {};
    co_return;
  }

  // One read that waits, for streams that can do nothing else.
  asio::awaitable<void> receive(std::error_code& error) {
    const auto into = room();
    const auto n = co_await stream_.async_read_some(asio::buffer(into.data(), into.size()),
                                                    asio::redirect_error(asio::use_awaitable, error));
    received(error, n);
  }

  void received(std::error_code error, std::size_t n) {
    end_ = n;
    if (error != asio::error::operation_aborted) ended_ = error;
  }

  // The waiter may be all that keeps this transport.
  static void go_on(std::unique_ptr<input_waiter>& who) {
    auto& waiter = *who;
    waiter.on_readable(std::move(who));
  }

  Stream stream_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t buffer_size_;
  std::size_t begin_ = 0, end_ = 0;  // what of the buffer is received and not consumed
  bool drained_ = false;
  std::error_code ended_;  // how a read that waited has ended the stream
};

}  // namespace tunic::http
