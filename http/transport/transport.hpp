#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <system_error>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/error.hpp>
#include <asio/ip/tcp.hpp>

#include "http/core/capabilities.hpp"

namespace tunic::http {

// Octets with whoever keeps them alive.
struct shared_octets {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> octets;
};

// Asio 1.22's own category does not map its codes to std::errc, so both spellings are asked for.
inline bool would_block(const std::error_code& error) {
  return error == asio::error::would_block || error == std::errc::operation_would_block ||
         error == std::errc::resource_unavailable_try_again;
}

// Who waits for input, and goes on where it comes.
class input_waiter {
 public:
  virtual ~input_waiter() = default;
  virtual void on_readable(std::unique_ptr<input_waiter> self) = 0;
};

// A connected stream as HTTP uses it, whatever its type: the server and the client are compiled once against this, and
// stream_transport.hpp is the only template. The calls that try complete at once; where a stream cannot do what is
// asked without waiting they say would-block, and the awaitable beside them waits.
class transport {
 public:
  virtual ~transport() = default;

  // The octets received and not consumed, at least one, or an error: would-block, asio::error::eof, ...
  virtual std::span<const std::byte> borrow(std::error_code& error) = 0;
  virtual void consume(std::size_t n) = 0;
  // Which batch brought what borrow has to say.
  virtual input_batch batch() = 0;
  // Waits until borrow has something to say. Holds no buffer meanwhile if the stream can wait without one.
  virtual asio::awaitable<void> readable(std::error_code& error) = 0;
  // The same without a coroutine, once borrow has said would-block: calls `who`, which the wait owns, never from inside
  // this call. What it is told by borrow is all there is to tell.
  virtual void wait_readable(std::unique_ptr<input_waiter> who) = 0;

  // Writes a prefix and says how long it is.
  virtual std::size_t try_write(std::span<const std::byte> octets, std::error_code& error) = 0;
  // Waits until a prefix is written and says how long it is.
  virtual asio::awaitable<std::size_t> write_some(std::span<const std::byte> octets, std::error_code& error) = 0;

  // Whether try_adopt and writable may be called: the stream takes octets without copying them.
  virtual bool can_adopt() const = 0;
  virtual std::size_t try_adopt(const shared_octets& octets, std::error_code& error) = 0;
  virtual asio::awaitable<void> writable(std::error_code& error) = 0;

  // Calls `gone` once when the connection has ended both ways, by a reset say, although nobody reads; with
  // operation_aborted after cancel and close. Says false where the stream cannot tell.
  virtual bool watch(std::function<void(std::error_code)> gone) = 0;
  // The address of the other end; unspecified, port 0, where the stream has none.
  virtual asio::ip::tcp::endpoint peer() = 0;

  virtual asio::any_io_executor get_executor() = 0;
  virtual void shutdown_send() = 0;  // half-close; errors do not matter to anybody by then
  virtual void cancel() = 0;         // what is being awaited ends with asio::error::operation_aborted
  virtual void close() = 0;
  virtual void abort() = 0;  // as close, but the peer learns by a reset that what it has got is not all
};

}  // namespace tunic::http
