#pragma once

#include <chrono>
#include <functional>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

namespace tunic::app {

/// SIGINT and SIGTERM.
class interruption {
 public:
  /// `first` is called for the first signal, `again` for every one after it.
  interruption(asio::io_context& io, std::function<void()> first, std::function<void()> again);

  /// Waits no more, so that the io_context can run out of work.
  void cancel() { signals_.cancel(); }

 private:
  void wait();

  asio::signal_set signals_;
  std::function<void()> next_, again_;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace tunic::app
