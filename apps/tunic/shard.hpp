#pragma once

#include <exception>
#include <functional>
#include <memory>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include "apps/tunic/access_log.hpp"
#include "apps/tunic/network.hpp"
#include "apps/tunic/options.hpp"
#include "drivers/tun.hpp"
#include "http/server/server.hpp"
#include "stack/asio/tcp_acceptor.hpp"

namespace tunic::app {

/// What one thread serves with: a loop, a stack on a queue of the device, a server with files in its cache. Shards
/// share nothing, but for the file of the access log where there is one.
class shard {
 public:
  /// Told once, on the shard's thread, when it has served to the end or why it cannot go on.
  using end_callback = std::function<void(std::exception_ptr)>;

  /// Best made on the thread that runs it. Throws as network does. `log` may be empty.
  shard(const serve_options& o, drivers::tun& queue, const secret& key, const log_file& log, end_callback ended);
  shard(const shard&) = delete;
  shard& operator=(const shard&) = delete;

  [[nodiscard]] asio::io_context& io() { return io_; }
  /// Serves until stop() or abort().
  void run() { io_.run(); }
  /// From any thread: finishes the responses under way, and closes.
  void stop();
  /// From any thread: resets what is open.
  void abort();

 private:
  asio::awaitable<void> work();
  void finish(const std::exception_ptr& e);
  void end(const std::exception_ptr& e);

  asio::io_context io_{1};
  end_callback ended_;
  std::unique_ptr<access_log> log_;
  network network_;
  http::server server_;
  tcp::acceptor acceptor_;
  bool aborted_ = false;
};

}  // namespace tunic::app
