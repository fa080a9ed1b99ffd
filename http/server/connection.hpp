#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>

#include "http/server/conversation.hpp"
#include "http/server/patience.hpp"
#include "http/server/service.hpp"
#include "http/server/waiting.hpp"
#include "http/transport/transport.hpp"

namespace tunic::http {

// One connection of a server: its stream, and what it waits for. While it is idle this is all there is of it: what it
// takes to read a request and to answer it, a conversation, comes with the request's first octet and goes with the end
// of the response. A coroutine is entered only to wait for something else than input.
//
// Who waits owns it: the stream, while that waits for input, or a coroutine.
class connection final : public input_waiter {
 public:
  connection(std::shared_ptr<service> shared, std::unique_ptr<transport> stream);
  ~connection() override;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  // Begins to serve it, on its stream's executor.
  static void begin(std::unique_ptr<connection> self);

  void stop();
  void close();
  void expire(waiting::clock::time_point now);

  transport& stream() { return *stream_; }
  waiting& wait() { return wait_; }
  // With a client that takes the octets of its responses.
  patience& sending() { return sending_; }
  const asio::ip::tcp::endpoint& client() const { return client_; }
  // Has the conversation told when the client goes, where the stream can tell.
  void watch_client();

 private:
  using need = conversation::need;
  using owned = std::unique_ptr<connection>;

  template <class Work>
  static void go_on(owned self, Work work);
  static void follow(owned self, need next);
  static asio::awaitable<void> await(owned self);
  static void wait_for_input(owned self);
  static void linger(owned self);
  static void drop_input(owned self);
  void on_readable(std::unique_ptr<input_waiter> self) override;
  need resume();
  conversation& talk();
  void fall_silent();

  std::shared_ptr<service> service_;
  std::unique_ptr<transport> stream_;
  service::connection_list::iterator entry_;
  std::unique_ptr<conversation> talk_;  // none while it is idle, or lingers
  waiting wait_;
  patience sending_;
  const asio::ip::tcp::endpoint client_;
  bool watched_ = false;
  std::size_t dropped_ = 0;          // octets that came after our side was closed
  std::shared_ptr<connection*> me_;  // for what may outlive us; made when first needed
};

}  // namespace tunic::http
