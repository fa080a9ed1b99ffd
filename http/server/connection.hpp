#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <system_error>

#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>

#include "http/core/reader.hpp"
#include "http/core/state.hpp"
#include "http/core/writer.hpp"
#include "http/server/handler.hpp"
#include "http/server/sender.hpp"
#include "http/server/service.hpp"
#include "http/server/waiting.hpp"
#include "http/transport/transport.hpp"

namespace tunic::http {

// One connection of a server: reads requests, has them answered in order, writes the responses. What can be done at
// once is done in plain functions; a coroutine is entered only to wait.
class connection final : content_source, content_sink {
 public:
  connection(std::shared_ptr<service> shared, std::unique_ptr<transport> stream);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  static asio::awaitable<void> run(std::unique_ptr<connection> self);

  void stop();
  void close();
  void expire(waiting::clock::time_point now);

 private:
  // What is to be done next.
  enum class step : std::uint8_t { read, await_handler, flush, send_content, hand_over, close };

  asio::awaitable<void> converse();
  asio::awaitable<void> wait_for_input();
  asio::awaitable<void> await_handler();
  asio::awaitable<void> await_guarded(asio::awaitable<void> work);
  asio::awaitable<void> send_content();
  asio::awaitable<void> produce(const produced& content);
  asio::awaitable<void> hand_over();
  asio::awaitable<void> linger();

  asio::awaitable<std::span<const std::byte>> read_content() override;
  const framing& frame() const override { return reader_.frame(); }
  const fields& trailer() const override { return reader_.trailer(); }
  asio::awaitable<void> write(std::span<const std::byte> octets) override;

  step take(std::span<const std::byte>& input);
  step on_request();
  step respond();
  step refuse(const problem& what);
  void answer_trace();
  void compose();
  void end_of_response();
  void watch_client();
  void remember_request();
  bool nothing_unread() const;
  std::uint64_t unread() const;
  bool is_doubtful() const;
  bool is_large_unread() const;
  bool must_close() const { return !states_.keep_alive(); }

  std::shared_ptr<service> service_;
  std::unique_ptr<transport> stream_;
  service::connection_list::iterator entry_;
  request request_;
  response response_;
  request_reader reader_;
  states states_;
  waiting wait_;
  sender sender_;
  body_writer body_;                 // of the response that is being sent
  asio::awaitable<void> pending_;    // a handler that has to be waited for
  asio::cancellation_signal gone_;   // cancels what is made for a client that has gone
  std::shared_ptr<connection*> me_;  // for what may outlive us; made when first needed
  patience patience_;                // with the client's content
  waiting::clock::time_point asked_{};
  std::uint64_t content_sent_ = 0;  // octets of the response's content
  // Of the request, for its handler may change what it is given.
  bool is_head_ = false, is_1_0_ = false, asks_to_stay_ = false, expects_continue_ = false;
  const asio::ip::tcp::endpoint client_;
  int in_turn_ = 0;            // requests since others had theirs
  std::size_t behind_ = 0;     // octets of input that had come behind the request's head, or behind what was read
  std::size_t lent_ = 0;       // octets of input that a handler looks at
  std::size_t dropped_ = 0;    // octets of content that no handler read
  bool content_read_ = false;  // to its end
  bool continued_ = false;     // 100 has been sent
  bool watched_ = false;
  bool cut_short_ = false;  // a content whose making failed
};

}  // namespace tunic::http
