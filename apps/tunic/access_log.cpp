#include "apps/tunic/access_log.hpp"

#include <chrono>
#include <ctime>
#include <utility>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "http/server/access_log.hpp"

namespace tunic::app {

log_file open_log(const std::string& name) {
  log_file to;
  if (name == "-")
    to = std::make_shared<spdlog::sinks::stdout_sink_mt>();
  else
    to = std::make_shared<spdlog::sinks::basic_file_sink_mt>(name);
  to->set_pattern("%v");
  return to;
}

access_log::access_log(asio::io_context& io, const log_file& to, log_format as)
    : log_(std::make_shared<spdlog::logger>("access", to)), as_(as), flush_(io) {}

void access_log::write(const http::answered& what) {
  const auto now = std::time(nullptr);
  log_->info(as_ == log_format::json ? http::json_line(what, now) : http::combined_line(what, now));
  if (std::exchange(pending_, true)) return;
  flush_.expires_after(std::chrono::seconds(1));
  flush_.async_wait([this](std::error_code e) {
    if (e) return;
    pending_ = false;
    log_->flush();
  });
}

void access_log::finish() {
  flush_.cancel();
  log_->flush();
}

}  // namespace tunic::app
