#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <system_error>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "http/server/service.hpp"
#include "http/transport/stream_transport.hpp"

namespace tunic::http {

// An HTTP/1.1 server on any acceptor and any stream. Used from one thread (or strand); a shard has a server of its own.
class server {
 public:
  // `h` is a std::shared_ptr<handler>, or a function as make_handler takes it.
  template <class H>
  server(const asio::any_io_executor& executor, H&& h, const server_options& options = {})
      : service_(std::make_shared<service>(executor, make_handler(std::forward<H>(h)), options)) {}
  // Closes what is still open.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  // Accepts connections and serves them until stop() or close(), and completes when the last one has gone. Throws
  // std::system_error if the acceptor fails. `acceptor` has async_accept(token) that yields a stream, and close(error).
  template <class Acceptor>
  asio::awaitable<void> serve(Acceptor& acceptor);

  // Serves one stream that is already connected.
  template <class Stream>
  void serve_connection(Stream stream);

  // Ends gracefully: takes what has connected, closes the acceptors and the idle connections at once; the others end
  // when the requests that have come are answered, the last of them with "Connection: close".
  void stop();
  // Ends everything now.
  void close();
  // Ends the connections whose time is over at `now`. The server does so by itself once a second.
  void expire(std::chrono::steady_clock::time_point now);

  std::size_t connections() const;

 private:
  static constexpr std::size_t read_size = 16 * 1024;  // octets; for streams that do not lend their own buffers

  template <class Stream>
  static void start(service& on, Stream stream);
  // Whoever has connected before a server stops may have asked already.
  template <class Acceptor>
  static void accept_what_waits(service& on, Acceptor& acceptor);

  std::shared_ptr<service> service_;
};

// Serves until the acceptor fails or the coroutine is cancelled: a server in one line.
template <class Acceptor, class H>
asio::awaitable<void> serve(Acceptor& acceptor, H h, server_options options = {}) {
  server one(co_await asio::this_coro::executor, std::move(h), options);
  co_await one.serve(acceptor);
}

template <class Acceptor>
asio::awaitable<void> server::serve(Acceptor& acceptor) {
  const auto shared = service_;  // outlives the server if that goes while we wait
  struct registration {
    service::acceptor_list& list;
    service::acceptor_list::iterator at;
    ~registration() { list.erase(at); }
  };
  auto& all = shared->acceptors();
  const registration entry{all, all.insert(all.end(), [&acceptor, &shared](bool accepts_the_rest) {
                             std::error_code ignored;
                             if (accepts_the_rest) accept_what_waits(*shared, acceptor);
                             acceptor.close(ignored);
                           })};
  while (!shared->stopping()) {
    std::error_code error;
    auto stream = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
      start(*shared, std::move(stream));
      // The others that came with it, where looking costs no system call.
      if constexpr (!requires { acceptor.non_blocking(true, error); }) accept_what_waits(*shared, acceptor);
      continue;
    }
    if (shared->stopping()) break;
    const bool goes_on = co_await shared->recover(error);
    if (!goes_on) throw std::system_error(error, "accepting connections");
  }
  co_await shared->drained();
}

template <class Stream>
void server::serve_connection(Stream stream) {
  start(*service_, std::move(stream));
}

template <class Stream>
void server::start(service& on, Stream stream) {
  on.start(std::make_unique<stream_transport<Stream>>(std::move(stream), read_size));
}

template <class Acceptor>
void server::accept_what_waits(service& on, Acceptor& acceptor) {
  std::error_code error;
  if constexpr (requires { acceptor.non_blocking(true, error); }) acceptor.non_blocking(true, error);
  if constexpr (requires { acceptor.accept(error).get_executor(); }) {
    while (!error) {
      auto stream = acceptor.accept(error);
      if (!error) start(on, std::move(stream));
    }
  }
}

}  // namespace tunic::http
