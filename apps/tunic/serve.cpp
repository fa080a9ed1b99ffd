#include "apps/tunic/serve.hpp"

#include <chrono>
#include <exception>
#include <iostream>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include "apps/tunic/interruption.hpp"
#include "apps/tunic/network.hpp"
#include "http/server/server.hpp"
#include "http/server/static_files.hpp"
#include "stack/asio/tcp_acceptor.hpp"

namespace tunic::app {
namespace {

constexpr std::chrono::seconds patience{5};   // for connections to close after the first Ctrl-C
constexpr std::size_t most_fast_opens = 256;  // whose handshake is not done

http::server_options server_options_of(const serve_options& o) {
  http::server_options s;
  s.idle_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(o.idle_timeout);
  return s;
}

class service {
 public:
  explicit service(const serve_options& o)
      : network_(io_, o.network),
        server_(io_.get_executor(), std::make_shared<http::static_files>(o.folder), server_options_of(o)),
        acceptor_(network_.host(),
                  tcp::acceptor_options{
                      .port = o.port, .backlog = o.backlog, .fast_open = o.fast_open ? most_fast_opens : 0}),
        deadline_(io_),
        interruption_(
            io_, [this] { stop(); }, [this] { abort(exit_interrupted); }) {}

  exit_code run() {
    asio::co_spawn(io_, work(), [this](const std::exception_ptr& e) { finish(e); });
    io_.run();
    if (failure_) std::rethrow_exception(failure_);
    return code_;
  }

 private:
  asio::awaitable<void> work() {
    co_await server_.serve(acceptor_);
    co_await network_.host().async_drain(asio::use_awaitable);
  }

  void finish(const std::exception_ptr& e) {
    if (!aborted_) failure_ = e;
    interruption_.cancel();
    deadline_.cancel();
    network_.host().close();
  }

  void stop() {
    spdlog::info("closing; once more to abort");
    server_.stop();
    deadline_.expires_after(patience);
    deadline_.async_wait([this](std::error_code e) {
      if (e) return;
      spdlog::warn("connections that did not close within {} s are aborted", patience.count());
      abort(exit_ok);
    });
  }

  void abort(exit_code code) {
    code_ = code;
    aborted_ = true;
    network_.host().close();  // first, so that it finds whom to tell by a RST
    server_.close();
    interruption_.cancel();
    deadline_.cancel();
  }

  asio::io_context io_{1};
  network network_;
  http::server server_;
  tcp::acceptor acceptor_;
  asio::steady_timer deadline_;
  interruption interruption_;
  exit_code code_ = exit_ok;
  bool aborted_ = false;
  std::exception_ptr failure_;
};

}  // namespace

exit_code serve(const serve_options& o) {
  service one{o};
  std::ostream& out = o.network.pcap == "-" ? std::cerr : std::cout;  // the capture has the standard output to itself
  for (const prefix& p : o.network.addresses)
    out << "serving " << o.folder << " on http://" << endpoint{p.address, o.port}.to_string() << "/\n";
  if (o.network.any_address) out << "serving " << o.folder << " on every address, port " << o.port << '\n';
  out.flush();
  return one.run();
}

}  // namespace tunic::app
