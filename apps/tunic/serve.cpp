#include "apps/tunic/serve.hpp"

#include <chrono>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include "apps/tunic/access_log.hpp"
#include "apps/tunic/echo_site.hpp"
#include "apps/tunic/interruption.hpp"
#include "apps/tunic/network.hpp"
#include "http/server/error_pages.hpp"
#include "http/server/hosts.hpp"
#include "http/server/server.hpp"
#include "http/server/static_files.hpp"
#include "stack/asio/tcp_acceptor.hpp"

namespace tunic::app {
namespace {

constexpr std::chrono::seconds patience{4};   // for connections to close after the first Ctrl-C
constexpr std::size_t most_fast_opens = 256;  // whose handshake is not done

constexpr std::uint64_t most_echoed = std::uint64_t{1} << 40;  // octets of a content, unless told otherwise

std::chrono::milliseconds milliseconds(std::chrono::duration<double> time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

http::server_options server_options_of(const serve_options& o, access_log* log) {
  http::server_options s;
  s.head_timeout = milliseconds(o.head_timeout);
  s.idle_timeout = milliseconds(o.idle_timeout);
  s.content_timeout = milliseconds(o.content_timeout);
  s.send_timeout = milliseconds(o.send_timeout);
  s.least_rate = o.least_rate;
  s.connections_of_a_client = o.connections_of_a_client;
  s.trace = o.trace;
  if (o.echo) s.bounds.body = most_echoed;
  if (o.most_content != 0) s.bounds.body = o.most_content;
  if (log != nullptr) s.on_answered = [log](const http::answered& what) { log->write(what); };
  return s;
}

std::string content_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string all{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw std::runtime_error("cannot read " + file);
  return all;
}

std::shared_ptr<http::handler> make_site(const serve_options& o) {
  const http::static_options how{.listing = o.listing, .code = !o.plain};
  const auto folder = [&](const std::string& path) { return std::make_shared<http::static_files>(path, how); };
  const std::shared_ptr<http::handler> site = o.echo ? make_echo_site() : folder(o.folder);
  std::shared_ptr<http::handler> all = site;
  if (!o.hosts.empty()) {
    auto hosts = std::make_shared<http::hosts>();
    for (const auto& host : o.hosts) hosts->on(host.name, folder(host.folder));
    hosts->otherwise(site);
    all = hosts;
  }
  if (!o.error_pages.empty()) {
    auto pages = std::make_shared<http::error_pages>(all);
    for (const auto& page : o.error_pages) pages->on(http::status_code{page.status}, content_of(page.file));
    all = pages;
  }
  return all;
}

class service {
 public:
  explicit service(const serve_options& o)
      : log_(o.access_log.empty() ? nullptr : std::make_unique<access_log>(io_, o.access_log, o.log_as)),
        network_(io_, o.network),
        server_(io_.get_executor(), make_site(o), server_options_of(o, log_.get())),
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
    if (log_) log_->finish();
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
  std::unique_ptr<access_log> log_;
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
  // A capture or a log has the standard output to itself.
  std::ostream& out = o.network.pcap == "-" || o.access_log == "-" ? std::cerr : std::cout;
  const std::string what = o.echo ? "the echo site" : o.folder;
  for (const prefix& p : o.network.addresses)
    out << "serving " << what << " on http://" << endpoint{p.address, o.port}.to_string() << "/\n";
  if (o.network.any_address) out << "serving " << what << " on every address, port " << o.port << '\n';
  out.flush();
  return one.run();
}

}  // namespace tunic::app
