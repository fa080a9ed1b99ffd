#pragma once

#include <chrono>
#include <cstddef>
#include <ctime>
#include <functional>
#include <list>
#include <memory>
#include <system_error>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

#include "http/core/date.hpp"
#include "http/core/limits.hpp"
#include "http/server/exchange.hpp"
#include "http/transport/transport.hpp"

namespace tunic::http {

struct server_options {
  limits bounds;
  std::chrono::milliseconds head_timeout{10'000};     // from the first octet of a request to the end of its head; 408
  std::chrono::milliseconds idle_timeout{75'000};     // between requests
  std::chrono::milliseconds content_timeout{30'000};  // for the next octets of a request's content
  std::chrono::milliseconds send_timeout{60'000};     // for a peer that takes nothing of a response
  std::chrono::milliseconds linger_timeout{2'000};    // for a peer to close after we did
};

class connection;

// What the connections of one server share: its handler and options, the Date of this second, the list of them all.
// Connections keep it alive. Used from one thread (or strand) alone.
class service : public std::enable_shared_from_this<service> {
 public:
  service(const asio::any_io_executor& executor, std::shared_ptr<handler> answers, const server_options& options);

  const server_options& options() const { return options_; }
  handler& answers() const { return *handler_; }
  bool stopping() const { return stopping_; }
  std::string_view date();

  // Begins to serve a connected stream.
  void start(const asio::any_io_executor& executor, std::unique_ptr<transport> stream);

  void stop();
  void close();
  void expire(std::chrono::steady_clock::time_point now);
  std::size_t connections() const { return connections_.size(); }

  // An accept loop puts here how to end it, for as long as it runs.
  using acceptor_list = std::list<std::function<void()>>;
  acceptor_list& acceptors() { return acceptors_; }
  // After an accept has failed: waits where that helps (no descriptors left), and says whether to go on.
  asio::awaitable<bool> recover(std::error_code error);
  // Waits until there is no connection.
  asio::awaitable<void> drained();

  using connection_list = std::list<connection*>;
  connection_list::iterator enter(connection& c);
  void leave(connection_list::iterator c);

 private:
  void tick();

  server_options options_;
  std::shared_ptr<handler> handler_;
  connection_list connections_;
  acceptor_list acceptors_;
  asio::steady_timer clock_;    // looks for connections that have been waiting too long, once a second
  asio::steady_timer drained_;  // never expires; cancelled when the last connection has gone
  bool ticking_ = false;
  bool stopping_ = false;
  std::time_t second_ = -1;
  imf_fixdate date_{0};
};

}  // namespace tunic::http
