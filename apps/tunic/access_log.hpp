#pragma once

#include <memory>
#include <string>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/sink.h>

#include "apps/tunic/options.hpp"
#include "http/server/options.hpp"

namespace tunic::app {

/// What several logs append whole lines to, each from a thread of its own.
using log_file = std::shared_ptr<spdlog::sinks::sink>;
/// `name`: "-" is the standard output. Throws std::runtime_error where it cannot be written.
log_file open_log(const std::string& name);

/// Writes a line for each response. What is written reaches the file within a second, and at the end.
class access_log {
 public:
  access_log(asio::io_context& io, const log_file& to, log_format as);

  void write(const http::answered& what);
  /// Nothing is written after this.
  void finish();

 private:
  std::shared_ptr<spdlog::logger> log_;
  log_format as_;
  asio::steady_timer flush_;
  bool pending_ = false;  ///< flush_ runs
};

}  // namespace tunic::app
