#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

// What a stream may offer beyond Asio's AsyncReadStream and AsyncWriteStream. HTTP uses each where it is there and does
// without where it is not; nothing here names a particular stream.
namespace tunic::http {

// Reads and writes that complete at once or not at all. When nothing can be done now the error is
// asio::error::would_block, or equals std::errc::operation_would_block; the end of the stream is asio::error::eof.
template <class S>
concept tries = requires(S& s, std::span<std::byte> in, std::span<const std::byte> out, std::error_code& error) {
  { s.try_read(in, error) } -> std::same_as<std::size_t>;
  { s.try_write(out, error) } -> std::same_as<std::size_t>;
};

// Takes a prefix of the octets without copying them and keeps `owner` alive until they are acknowledged. Would-block
// when the send buffer is full.
template <class S>
concept adopts = requires(S& s, std::shared_ptr<const void> owner, std::span<const std::byte> octets,
                          std::error_code& error) {
  { s.try_adopt(owner, octets, error) } -> std::same_as<std::size_t>;
};

// Waits until a read or a write can make progress, holding no buffer. Asio's own sockets have it too.
template <class S>
concept waits = requires(S& s, void (*token)(std::error_code)) {
  s.async_wait(S::wait_read, token);
  s.async_wait(S::wait_write, token);
};

// Lends the octets received and not consumed yet, as many as lie together; would-block when there are none.
template <class S>
concept borrows = requires(S& s, std::error_code& error, std::size_t n) {
  { s.borrow(error) } -> std::same_as<std::span<const std::byte>>;
  s.consume(n);
};

// Which batch of input is readable: the source of the batches and a number; no source where a stream does not tell.
using input_batch = std::pair<const void*, std::uint64_t>;

// Names the batch that came last. What is readable while it stays the same was there before it was first seen, so that
// whoever looked at something since need not look again.
template <class S>
concept batches = requires(const S& s) {
  { s.batch() } -> std::same_as<input_batch>;
};

}  // namespace tunic::http
