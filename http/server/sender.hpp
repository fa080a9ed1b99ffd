#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>

#include <asio/awaitable.hpp>

#include "http/server/options.hpp"
#include "http/server/patience.hpp"
#include "http/server/response.hpp"
#include "http/server/waiting.hpp"
#include "http/transport/transport.hpp"

namespace tunic::http {

// Writes what a connection says. Heads and small contents are gathered and leave together; large ones follow without a
// copy where the stream adopts them. What can be done at once is done in plain functions.
class sender {
 public:
  explicit sender(const server_options& options) : options_(options) {}

  // Writes to this stream from here on. `with`: the patience with a peer that takes what is sent.
  void begin(transport& stream, waiting& wait, patience& with);
  // Drops what is unsent.
  void end();
  // Octets of memory that it has for what gathers, used or not.
  std::size_t capacity() const { return out_.capacity(); }

  // What is appended here leaves with the next flush.
  std::string& out() { return out_; }
  // As much has gathered as one write should have.
  bool is_full() const;
  // Whether a content of that size is best copied behind its head.
  bool gathers(std::size_t size) const;

  // Writes what goes at once; says whether that was all.
  bool flush_now();
  asio::awaitable<void> flush();
  // Each flushes, and then sends the content.
  asio::awaitable<void> send(std::span<const std::byte> octets);
  asio::awaitable<void> send(const shared_octets& octets);
  asio::awaitable<void> send(file_part part);

  // What was mapped of files and nobody wants any more goes.
  void forget_unused();

  // Nothing can be written any more.
  const std::error_code& failure() const { return failure_; }
  void fail(std::error_code why) { failure_ = why; }

 private:
  asio::awaitable<void> write(std::span<const std::byte> octets);
  asio::awaitable<void> map_and_adopt(file_part part);
  asio::awaitable<void> adopt(shared_octets rest, const file* source);
  asio::awaitable<void> read_and_write(file_part part);
  std::size_t write_now(std::span<const std::byte> octets);
  std::span<const std::byte> unsent() const;
  void progressed(std::size_t octets);

  const server_options& options_;
  transport* stream_ = nullptr;
  waiting* wait_ = nullptr;
  patience* patience_ = nullptr;
  std::string out_;
  std::size_t sent_ = 0;  // octets of out_ that are written
  std::error_code failure_;
  std::shared_ptr<const file> latest_;  // keeps what is mapped of it for the next response
};

}  // namespace tunic::http
