#include "apps/tunic/shard.hpp"

#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/dispatch.hpp>
#include <asio/use_awaitable.hpp>

#include "apps/tunic/echo_site.hpp"
#include "http/server/error_pages.hpp"
#include "http/server/hosts.hpp"
#include "http/server/static_files.hpp"

namespace tunic::app {
namespace {

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

tcp::acceptor_options acceptor_options_of(const serve_options& o) {
  return {.port = o.port,
          .backlog = o.network.share(o.backlog),
          .fast_open = o.fast_open ? o.network.share(most_fast_opens) : 0};
}

}  // namespace

shard::shard(const serve_options& o, drivers::tun& queue, const secret& key, const log_file& log, end_callback ended)
    : ended_(std::move(ended)),
      log_(log ? std::make_unique<access_log>(io_, log, o.log_as) : nullptr),
      network_(io_, o.network, queue, key,
               [this](std::error_code e) { end(std::make_exception_ptr(std::system_error(e))); }),
      server_(io_.get_executor(), make_site(o), server_options_of(o, log_.get())),
      acceptor_(network_.host(), acceptor_options_of(o)) {
  asio::co_spawn(io_, work(), [this](const std::exception_ptr& e) { finish(e); });
}

asio::awaitable<void> shard::work() {
  co_await server_.serve(acceptor_);
  co_await network_.host().async_drain(asio::use_awaitable);
}

void shard::finish(const std::exception_ptr& e) {
  if (log_) log_->finish();
  network_.host().close();
  end(aborted_ ? nullptr : e);
}

void shard::end(const std::exception_ptr& e) {
  if (const auto told = std::exchange(ended_, {})) told(e);
}

void shard::stop() {
  asio::dispatch(io_, [this] { server_.stop(); });
}

void shard::abort() {
  asio::dispatch(io_, [this] {
    aborted_ = true;
    network_.host().close();  // first, so that it finds whom to tell by a RST
    server_.close();
  });
}

}  // namespace tunic::app
