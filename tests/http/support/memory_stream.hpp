#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/buffer.hpp>
#include <asio/compose.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/socket_base.hpp>
#include <asio/steady_timer.hpp>

namespace tunic::http::test {

// One direction of a connection in memory.
struct pipe {
  explicit pipe(asio::io_context& io) : changed(io, asio::steady_timer::time_point::max()) {}

  void wake() { changed.cancel(); }

  std::string octets;
  bool ended = false;
  std::error_code broken;           // what reading and writing end with, e.g. connection_reset
  std::size_t capacity = SIZE_MAX;  // octets that it holds before writing has to wait
  asio::steady_timer changed;       // never expires; cancelled to wake who waits
};

// Fails the n-th operation of a stream, counted from 1; 0 fails none.
struct faults {
  std::size_t fail_at = 0;
  std::size_t count = 0;

  bool strikes() { return ++count == fail_at; }
};

// The far end of a connection, as a test drives it: synchronously, between two polls of the io_context.
class peer {
 public:
  peer(std::shared_ptr<pipe> in, std::shared_ptr<pipe> out) : in_(std::move(in)), out_(std::move(out)) {}

  void sends(std::string_view text) {
    out_->octets += text;
    out_->wake();
  }
  void ends() {
    out_->ended = true;
    out_->wake();
  }
  void resets() {
    out_->broken = in_->broken = asio::error::connection_reset;
    out_->wake();
    in_->wake();
  }
  // What has arrived since the last call.
  std::string receives() {
    std::string all;
    all.swap(in_->octets);
    in_->wake();
    return all;
  }
  void takes_at_most(std::size_t octets) { in_->capacity = octets; }
  bool sees_end() const { return in_->ended; }

 private:
  std::shared_ptr<pipe> in_, out_;
};

// An Asio stream over two pipes that can do what AsyncReadStream and AsyncWriteStream ask, and nothing more.
class memory_stream {
 public:
  using executor_type = asio::any_io_executor;

  explicit memory_stream(asio::io_context& io, std::shared_ptr<faults> f = std::make_shared<faults>())
      : executor_(io.get_executor()),
        in_(std::make_shared<pipe>(io)),
        out_(std::make_shared<pipe>(io)),
        faults_(std::move(f)) {}

  peer other_end() const { return {out_, in_}; }
  executor_type get_executor() const { return executor_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return operate<void(std::error_code, std::size_t)>(
        std::forward<Token>(token), *in_, [this, buffers](std::error_code& error) { return receive(buffers, error); });
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return operate<void(std::error_code, std::size_t)>(
        std::forward<Token>(token), *out_, [this, buffers](std::error_code& error) { return send(buffers, error); });
  }

  void shutdown(asio::socket_base::shutdown_type, std::error_code&) {
    out_->ended = true;
    out_->wake();
  }
  void cancel(std::error_code&) {
    ++*cancels_;
    in_->wake();
    out_->wake();
  }
  void close(std::error_code& error) {
    in_->broken = asio::error::bad_descriptor;
    shutdown(asio::socket_base::shutdown_send, error);
    cancel(error);
  }

 protected:
  template <class Buffers>
  std::size_t receive(const Buffers& buffers, std::error_code& error) {
    const auto n = asio::buffer_copy(buffers, asio::buffer(in_->octets));
    in_->octets.erase(0, n);
    if (n != 0)
      error = {};
    else if (in_->broken)
      error = in_->broken;
    else if (in_->ended)
      error = asio::error::eof;
    else
      error = asio::error::would_block;
    return n;
  }

  template <class Buffers>
  std::size_t send(const Buffers& buffers, std::error_code& error) {
    error = out_->broken;
    if (error) return 0;
    auto& held = out_->octets;
    const auto before = held.size();
    const auto n = std::min(asio::buffer_size(buffers), out_->capacity - std::min(out_->capacity, before));
    held.resize(before + n);
    asio::buffer_copy(asio::buffer(held) + before, buffers);
    if (n == 0 && asio::buffer_size(buffers) != 0) error = asio::error::would_block;
    return n;
  }

  // An asynchronous operation: tries until the attempt no longer says would-block, each time that `on` has changed.
  template <class Signature, class Token, class Attempt>
  auto operate(Token&& token, pipe& on, Attempt attempt) {
    return asio::async_compose<std::remove_reference_t<Token>, Signature>(
        // Once it is cancelled it touches the stream no more, which may be gone by then.
        [this, &on, attempt, now = cancels_, started = false, struck = false, cancels = 0](
            auto& self, std::error_code = {}) mutable {
          if (!started) {  // nothing completes inside the call that begins it
            started = true;
            struck = faults_->strikes();
            cancels = *now;
            asio::post(executor_, std::move(self));
            return;
          }
          std::error_code error;
          std::size_t n = 0;
          if (cancels != *now)
            error = asio::error::operation_aborted;
          else if (struck)
            error = asio::error::connection_reset;
          else
            n = attempt(error);
          if (error == asio::error::would_block)
            on.changed.async_wait(std::move(self));
          else if constexpr (std::is_same_v<Signature, void(std::error_code)>)
            self.complete(error);
          else
            self.complete(error, n);
        },
        token, executor_);
  }

  asio::any_io_executor executor_;
  std::shared_ptr<pipe> in_, out_;
  std::shared_ptr<faults> faults_;
  std::shared_ptr<int> cancels_ = std::make_shared<int>(0);
};

// The same with every optional capability of http/core/capabilities.hpp. Octets are lent in pieces, the last ones
// three at a time.
class capable_stream : public memory_stream {
 public:
  using memory_stream::memory_stream;
  static constexpr auto wait_read = asio::socket_base::wait_read;
  static constexpr auto wait_write = asio::socket_base::wait_write;
  static constexpr auto wait_error = asio::socket_base::wait_error;

  std::size_t try_read(std::span<std::byte> into, std::error_code& error) {
    return receive(asio::buffer(into.data(), into.size()), error);
  }
  std::size_t try_write(std::span<const std::byte> octets, std::error_code& error) {
    if (faults_->strikes()) {
      error = asio::error::connection_reset;
      return 0;
    }
    return send(asio::buffer(octets.data(), octets.size()), error);
  }
  std::size_t try_adopt(std::shared_ptr<const void> owner, std::span<const std::byte> octets, std::error_code& error) {
    if (!owner) {
      error = asio::error::invalid_argument;
      return 0;
    }
    return send(asio::buffer(octets.data(), octets.size()), error);
  }
  std::span<const std::byte> borrow(std::error_code& error) {
    receive(asio::mutable_buffer{}, error);  // says what there is when there are no octets
    if (in_->octets.empty()) return {};
    error = {};
    return std::as_bytes(std::span(in_->octets))
        .first(std::min(in_->octets.size(), std::max<std::size_t>(3, in_->octets.size() / 16)));
  }
  void consume(std::size_t n) { in_->octets.erase(0, n); }

  template <class Token>
  auto async_wait(asio::socket_base::wait_type what, Token&& token) {
    return operate<void(std::error_code)>(
        std::forward<Token>(token), what == wait_write ? *out_ : *in_, [this, what](std::error_code& error) {
          const bool ready = what == wait_read    ? !in_->octets.empty() || in_->ended || in_->broken
                             : what == wait_write ? out_->broken || out_->octets.size() < out_->capacity
                                                  : static_cast<bool>(in_->broken);
          if (!ready) error = asio::error::would_block;
          return std::size_t{0};
        });
  }
};

}  // namespace tunic::http::test
