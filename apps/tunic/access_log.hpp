#pragma once

#include <memory>
#include <string>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <spdlog/logger.h>

#include "apps/tunic/options.hpp"
#include "http/server/options.hpp"

namespace tunic::app {

/// A file that gets a line for each response. What is written reaches it within a second, and at the end.
class access_log {
 public:
  /// `file`: "-" is the standard output. Throws std::runtime_error where it cannot be written.
  access_log(asio::io_context& io, const std::string& file, log_format as);

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
