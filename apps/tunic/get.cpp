#include "apps/tunic/get.hpp"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include "apps/tunic/interruption.hpp"
#include "apps/tunic/network.hpp"
#include "apps/tunic/output.hpp"
#include "apps/tunic/progress.hpp"
#include "http/client/get.hpp"
#include "http/core/writer.hpp"
#include "stack/asio/tcp_socket.hpp"

namespace tunic::app {
namespace {

constexpr std::chrono::seconds patience{5};  // for the connection to close

class fetcher {
 public:
  explicit fetcher(const get_options& o)
      : options_(o),
        network_(io_, o.network),
        output_(o.output),
        deadline_(io_),
        interruption_(
            io_, [this] { interrupt(); }, [] { std::_Exit(exit_interrupted); }) {}

  exit_code run() {
    asio::co_spawn(io_, work(), asio::detached);
    io_.run();
    return code_;
  }

 private:
  asio::awaitable<void> work() {
    try {
      co_await fetch();
    } catch (const std::exception& e) {
      bar_.clear();
      std::string sentence = interrupted_ ? "interrupted" : e.what();
      if (const std::string kept = output_.give_up(); !kept.empty()) sentence += "; " + kept;
      spdlog::error("{}: {}", options_.url, sentence);
      code_ = interrupted_ ? exit_interrupted : exit_failed;
    }
    if (!interrupted_) co_await close();
    deadline_.cancel();
    interruption_.cancel();
    network_.host().close();
  }

  asio::awaitable<void> fetch() {
    http::get_options asked;
    if (options_.head) asked.method = "HEAD";
    const http::sink into{[this](const http::response_head& head) { on_head(head); },
                          [this](std::span<const std::byte> octets) { on_content(octets); }};
    const auto connect = [this](std::string host, std::uint16_t port) { return this->connect(std::move(host), port); };
    const auto url = http::parse_url(options_.url);
    if (!url) throw std::invalid_argument("not an http:// URL");
    began_ = clock::now();
    const auto head = co_await http::fetch(connect, *url, asked, into);
    bar_.clear();
    report(head);
  }

  asio::awaitable<tcp::socket> connect(std::string host, std::uint16_t port) {
    const auto to = address::parse(host);
    if (!to) throw std::invalid_argument("names are not resolved yet: give an address in place of " + host);
    const endpoint remote{*to, port};
    tcp::socket s{network_.host()};
    if (options_.fast_open) s.set_option(tcp::fast_open_connect{true});
    std::error_code e;
    co_await s.async_connect(to_asio<asio::ip::tcp>(remote), asio::redirect_error(asio::use_awaitable, e));
    if (e) throw std::system_error(e, "cannot connect to " + remote.to_string());
    spdlog::debug("{:.3f} ms: connected to {}", elapsed(), remote.to_string());
    co_return s;
  }

  void on_head(const http::response_head& head) {
    spdlog::debug("{:.3f} ms: the response begins: {}", elapsed(), number(head.status));
    if (const auto length = head.header.find("Content-Length")) {
      std::uint64_t n = 0;
      const auto [end, error] = std::from_chars(length->data(), length->data() + length->size(), n);
      if (error == std::errc{}) expected_ = n;
    }
    failed_ = number(head.status) >= 400;
    if (failed_ && !options_.head) return;
    output_.open();
    if (!options_.head) return;
    std::string text;
    http::begin_head(text, head);
    output_.write(std::as_bytes(std::span{text}));
  }

  void on_content(std::span<const std::byte> octets) {
    if (failed_) return;
    output_.write(octets);
    bar_.show(output_.written(), expected_);
  }

  void report(const http::response_head& head) {
    if (!failed_ || options_.head) output_.finish();
    if (failed_) {
      const std::string reason{head.reason.empty() ? http::reason_phrase(head.status) : std::string_view{head.reason}};
      spdlog::error("{}: the server answers {} {}", options_.url, number(head.status), reason);
      code_ = exit_http_status;
      return;
    }
    const double seconds = elapsed() / 1000;
    spdlog::debug("{:.3f} ms: complete: {} ({} octets) in {:.3f} s, {:.2f} Gbit/s", elapsed(),
                  octets_text(output_.written()), output_.written(), seconds,
                  static_cast<double>(output_.written()) * 8e-9 / seconds);
  }

  /// Lets the connection finish: both FINs and their acknowledgements.
  asio::awaitable<void> close() {
    deadline_.expires_after(patience);
    deadline_.async_wait([this](std::error_code e) {
      if (!e) network_.host().close();
    });
    std::error_code ignored;
    co_await network_.host().async_drain(asio::redirect_error(asio::use_awaitable, ignored));
    spdlog::debug("{:.3f} ms: closed", elapsed());
  }

  void interrupt() {
    interrupted_ = true;
    network_.host().close();
  }

  using clock = std::chrono::steady_clock;
  [[nodiscard]] double elapsed() const {
    return std::chrono::duration<double, std::milli>{clock::now() - began_}.count();
  }

  const get_options& options_;
  asio::io_context io_{1};
  network network_;
  output output_;
  progress bar_;
  asio::steady_timer deadline_;
  interruption interruption_;
  clock::time_point began_{};
  std::optional<std::uint64_t> expected_;  // octets of content
  bool failed_ = false;                    // by the status
  bool interrupted_ = false;
  exit_code code_ = exit_ok;
};

}  // namespace

exit_code get(const get_options& o) {
  return fetcher{o}.run();
}

}  // namespace tunic::app
