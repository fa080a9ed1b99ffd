#include <csignal>
#include <exception>
#include <fstream>
#include <iostream>
#include <variant>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "apps/tunic/get.hpp"
#include "apps/tunic/impair/impair.hpp"
#include "apps/tunic/ladder/ladder.hpp"
#include "apps/tunic/options.hpp"
#include "apps/tunic/ping.hpp"
#include "apps/tunic/serve.hpp"

namespace tunic::app {
namespace {

void set_up_log(const network_options& o) {
  auto log = spdlog::stderr_color_mt("tunic");
  log->set_pattern("%^tunic:%$ %v");
  if (o.verbose) {
    log->set_pattern("%T.%f %^%l%$ %v");
    log->set_level(spdlog::level::debug);
  }
  spdlog::set_default_logger(log);
}

exit_code ladder(const ladder_options& o) {
  std::ifstream file;
  if (o.file != "-") {
    file.open(o.file, std::ios::binary);
    if (!file) throw std::system_error(errno, std::generic_category(), "cannot read " + o.file);
  }
  const std::string notice = ladder::print_capture(o.file == "-" ? std::cin : file, std::cout);
  std::cout.flush();
  if (!notice.empty()) spdlog::info("{}: {}", o.file, notice);
  return exit_ok;
}

struct run {
  exit_code operator()(exit_code done) const { return done; }
  exit_code operator()(const serve_options& o) const { return set_up_log(o.network), serve(o); }
  exit_code operator()(const get_options& o) const { return set_up_log(o.network), get(o); }
  exit_code operator()(const ping_options& o) const { return set_up_log(o.network), ping(o); }
  exit_code operator()(const impair_options& o) const { return set_up_log({}), impair(o), exit_ok; }
  exit_code operator()(const ladder_options& o) const { return set_up_log({}), ladder(o); }
};

}  // namespace
}  // namespace tunic::app

int main(int argc, char** argv) {
  using namespace tunic::app;
  std::signal(SIGPIPE, SIG_IGN);  // a reader that is gone is an error of write() like any other
  try {
    return std::visit(run{}, parse_command_line(argc, argv));
  } catch (const std::exception& e) {
    spdlog::error("{}", e.what());
    return exit_failed;
  }
}
