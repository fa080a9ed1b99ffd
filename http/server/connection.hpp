#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <variant>

#include <asio/awaitable.hpp>

#include "http/core/reader.hpp"
#include "http/core/state.hpp"
#include "http/server/exchange.hpp"
#include "http/server/service.hpp"
#include "http/transport/transport.hpp"

namespace tunic::http {

// One connection of a server: reads requests, has them answered in order, writes the responses. What can be done at
// once is done in plain functions; a coroutine is entered only to wait.
class connection {
 public:
  connection(std::shared_ptr<service> shared, std::unique_ptr<transport> stream);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  static asio::awaitable<void> run(std::unique_ptr<connection> self);

  void stop();
  void close();
  void expire(std::chrono::steady_clock::time_point now);

 private:
  using clock = std::chrono::steady_clock;

  // What is to be done next.
  enum class step : std::uint8_t { read, await_handler, flush, write_content, close };
  // What the connection waits for, and so which timeout counts.
  enum class phase : std::uint8_t { working, idle, head, content, sending, lingering };

  asio::awaitable<void> converse();
  asio::awaitable<void> wait_for_input();
  asio::awaitable<void> await_handler();
  asio::awaitable<void> flush();
  asio::awaitable<void> write(std::span<const std::byte> octets);
  asio::awaitable<void> write_content();
  asio::awaitable<void> map_and_adopt(file_part part);
  asio::awaitable<void> adopt(shared_octets rest, const file* source);
  asio::awaitable<void> read_and_write(file_part part);
  asio::awaitable<void> linger();

  step take(std::span<const std::byte>& input);
  step on_request();
  step respond();
  step refuse(const problem& what);
  void compose();
  bool flush_now();
  std::size_t write_now(std::span<const std::byte> octets);
  std::span<const std::byte> unsent() const;
  void begin_wait(phase what, std::chrono::milliseconds timeout);
  void end_wait();

  std::shared_ptr<service> service_;
  service::connection_list::iterator entry_;
  std::unique_ptr<transport> stream_;
  request request_;
  response response_;
  request_reader reader_;
  states states_;
  std::string out_;       // heads and small contents that wait to be written together
  std::size_t sent_ = 0;  // octets of out_ that are written
  std::variant<std::monostate, shared_octets, file_part> content_;  // a large content that follows out_
  asio::awaitable<void> pending_;                                   // a handler that has to be waited for
  std::error_code failure_;                                         // nothing can be written any more
  clock::time_point deadline_ = clock::time_point::max();
  phase phase_ = phase::working;
  bool timed_out_ = false;
};

}  // namespace tunic::http
