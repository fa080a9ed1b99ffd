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

class connection;

// What is said on a connection from the first octet of a request to the end of its response: reads requests, has them
// answered in order, writes the responses. What can be done at once is done in plain functions; a coroutine is entered
// only to wait. It is used again, by another connection, once it has come to its end.
class conversation final : content_source, content_sink {
 public:
  explicit conversation(service& shared);
  conversation(const conversation&) = delete;
  conversation& operator=(const conversation&) = delete;

  void begin(connection& on);
  // Lets go of what it was about; its memory is kept.
  void end();
  // Its memory is no more than the next one needs as a rule: 32 KiB for texts.
  bool is_modest() const;

  // What it needs to go on.
  enum class need : std::uint8_t {
    input,      // more of it; what has been said is flushed
    turn,       // nothing but that others get theirs first
    coroutine,  // work()
    linger,     // that the connection is closed in order
    nothing,    // it is over, and so is the connection
  };
  // Goes on until something is needed.
  need proceed();
  // The part that waits for something else than input.
  asio::awaitable<need> work();
  // Refuses what has come of a request, or of none, and ends the connection.
  need end_with(const problem& why);
  // The client has gone, or the server ends: what is being made for it is cancelled.
  void break_off(std::error_code why);

  // Called once a second: what was mapped of files and nobody wants any more goes.
  void forget_unused() { sender_.forget_unused(); }

  bool between_requests() const { return reader_.between_messages(); }
  bool in_head() const { return reader_.in_head(); }
  // Between requests, and there is nothing to be remembered for the next one.
  bool is_at_rest() const { return reader_.is_at_rest(); }
  // With the content of the request.
  patience& content_patience() { return patience_; }

 private:
  // What is to be done next.
  enum class step : std::uint8_t { read, await_handler, flush, send_content, hand_over, close };

  asio::awaitable<void> await_handler();
  asio::awaitable<void> await_guarded(asio::awaitable<void> work);
  asio::awaitable<void> send_content();
  asio::awaitable<void> produce(const produced& content);
  asio::awaitable<void> hand_over();

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
  void remember_request();
  bool nothing_unread() const;
  std::uint64_t unread() const;
  bool is_doubtful() const;
  bool is_large_unread() const;
  bool must_close() const { return !states_.keep_alive(); }
  need closing() const { return sender_.failure() ? need::nothing : need::linger; }

  service& service_;
  connection* on_ = nullptr;
  request request_;
  response response_;
  request_reader reader_;
  states states_;
  sender sender_;
  body_writer body_;                // of the response that is being sent
  asio::awaitable<void> pending_;   // a handler that has to be waited for
  asio::cancellation_signal gone_;  // cancels what is made for a client that has gone
  patience patience_;               // with the client's content
  step next_ = step::read;          // what work() begins with
  waiting::clock::time_point asked_{};
  std::uint64_t content_sent_ = 0;  // octets of the response's content
  // Of the request, for its handler may change what it is given.
  bool is_head_ = false, is_1_0_ = false, asks_to_stay_ = false, expects_continue_ = false;
  int in_turn_ = 0;            // requests, and passes over input, since others had theirs
  std::size_t behind_ = 0;     // octets of input that had come behind the request's head, or behind what was read
  std::size_t lent_ = 0;       // octets of input that a handler looks at
  std::size_t dropped_ = 0;    // octets of content that no handler read
  bool content_read_ = false;  // to its end
  bool continued_ = false;     // 100 has been sent
  bool cut_short_ = false;     // a content whose making failed
};

}  // namespace tunic::http
