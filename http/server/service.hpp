#pragma once

#include <chrono>
#include <cstddef>
#include <ctime>
#include <functional>
#include <list>
#include <memory>
#include <system_error>
#include <unordered_map>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/ip/address.hpp>
#include <asio/steady_timer.hpp>

#include "http/core/date.hpp"
#include "http/server/handler.hpp"
#include "http/server/options.hpp"
#include "http/transport/transport.hpp"

namespace tunic::http {

class connection;
class conversation;

// What the connections of one server share: its handler and options, the Date of this second, the list of them all.
// Connections keep it alive. Used from one thread (or strand) alone.
class service : public std::enable_shared_from_this<service> {
 public:
  service(const asio::any_io_executor& executor, std::shared_ptr<handler> answers, const server_options& options);
  ~service();
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  const server_options& options() const { return options_; }
  handler& answers() const { return *handler_; }
  bool stopping() const { return stopping_; }
  std::string_view date();

  // Begins to serve a connected stream.
  void start(std::unique_ptr<transport> stream);

  void stop();
  void close();
  void expire(std::chrono::steady_clock::time_point now);
  std::size_t connections() const { return connections_.size(); }

  // An accept loop puts here how to end it, for as long as it runs; it is told whether to accept what waits already.
  using acceptor_list = std::list<std::function<void(bool)>>;
  acceptor_list& acceptors() { return acceptors_; }
  // After an accept has failed: waits where that helps (no descriptors left), and says whether to go on.
  asio::awaitable<bool> recover(std::error_code error);
  // Waits until there is no connection.
  asio::awaitable<void> drained();

  using connection_list = std::list<connection*>;
  connection_list::iterator enter(connection& c, const asio::ip::address& peer);
  void leave(connection_list::iterator c, const asio::ip::address& peer);
  // What a connection needs while it is not idle; a few that have ended with little memory are kept for the next ones.
  std::unique_ptr<conversation> begin_conversation(connection& on);
  void end_conversation(std::unique_ptr<conversation> c);
  // Whether more connections of that address are here than one client may have.
  bool is_crowded(const asio::ip::address& peer) const;

 private:
  void tick();

  server_options options_;
  std::shared_ptr<handler> handler_;
  connection_list connections_;
  std::vector<std::unique_ptr<conversation>> spare_;
  std::unordered_map<asio::ip::address, std::size_t> clients_;  // connections by address, where they are limited
  acceptor_list acceptors_;
  asio::steady_timer clock_;    // looks for connections that have been waiting too long, once a second
  asio::steady_timer drained_;  // never expires; cancelled when the last connection has gone
  bool ticking_ = false;
  bool stopping_ = false;
  std::time_t second_ = -1;
  imf_fixdate date_{0};
};

}  // namespace tunic::http
