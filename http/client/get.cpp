#include "http/client/get.hpp"

#include <asio/error.hpp>

#include "http/core/reader.hpp"
#include "http/core/state.hpp"
#include "http/core/writer.hpp"

namespace tunic::http {
namespace {

constexpr std::string_view user_agent = "tunic";

std::string request_for(const url& from, const get_options& options) {
  request_head request;
  request.method = options.method;
  request.target = from.target;
  request.header.add("Host", from.authority());  // RFC 9112 §3.2: first
  request.header.add("User-Agent", user_agent);
  request.header.add("Accept", "*/*");
  for (const auto [name, value] : options.header) request.header.remove(name);
  for (const auto [name, value] : options.header) request.header.add(name, value);
  request.header.set("Connection", "close");
  std::string out;
  begin_head(out, request);
  end_head(out);
  return out;
}

// One exchange, from the client's side.
class exchange {
 public:
  exchange(transport& stream, const get_options& options, const sink& into)
      : stream_(stream), into_(into), reader_(head_, options.method, options.bounds) {
    states_.disable_keep_alive();
  }

  asio::awaitable<response_head> run(const std::string& request) {
    states_.on(role::client, happening::request);
    states_.on(role::client, happening::end_of_message);
    std::error_code error;
    const auto octets = std::as_bytes(std::span(request));
    const auto done = stream_.try_write(octets, error);
    if (error && !would_block(error)) throw std::system_error(error, "sending the request");
    error = {};
    for (auto rest = octets.subspan(done); !rest.empty() && !error;)
      rest = rest.subspan(co_await stream_.write_some(rest, error));
    // A server may answer and close before it has read the request: the answer counts, so it is read all the same.

    while (states_.of(role::server) != state::must_close) {
      const auto input = stream_.borrow(error);
      if (would_block(error)) {
        co_await stream_.readable(error);
        if (error == asio::error::operation_aborted) throw std::system_error(error);
        continue;
      }
      if (error) {
        end_of_stream(error);
        continue;
      }
      auto rest = input;
      take(rest);
      stream_.consume(input.size() - rest.size());
    }
    stream_.close();
    co_return std::move(head_);
  }

 private:
  void take(std::span<const std::byte>& input) {
    while (states_.of(role::server) != state::must_close) {
      const auto happened = reader_.next(input);
      if (happened == event::need_more) return;
      on(happened);
    }
  }

  void on(event happened) {
    switch (happened) {
      case event::need_more: break;
      case event::head: on_head(); break;
      case event::body:
        states_.on(role::server, happening::data);
        into_.content(reader_.body());
        break;
      case event::end:
        // RFC 9110 §15.2: a 1xx response is followed by the final one
        if (states_.of(role::server) == state::send_body) states_.on(role::server, happening::end_of_message);
        break;
      case event::failed: throw std::system_error(client_error::bad_response, std::string(reader_.error().why));
    }
  }

  void on_head() {
    if (number(head_.status) < 200) {
      states_.on(role::server, happening::informational);
      return;
    }
    states_.on(role::server, happening::response);
    into_.head(head_);
  }

  void end_of_stream(const std::error_code& error) {
    const bool begun = states_.of(role::server) == state::send_body || !reader_.between_messages();
    if (error == asio::error::connection_reset) throw std::system_error(client_error::reset);
    if (error != asio::error::eof) throw std::system_error(error, "receiving the response");
    if (!begun) throw std::system_error(client_error::no_response);
    if (reader_.finish() != event::end) throw std::system_error(client_error::truncated);
    on(event::end);
  }

  transport& stream_;
  const sink& into_;
  response_head head_;
  response_reader reader_;
  states states_;
};

}  // namespace

asio::awaitable<response_head> get(transport& stream, const url& from, const get_options& options, const sink& into) {
  const std::string request = request_for(from, options);
  exchange one(stream, options, into);
  co_return co_await one.run(request);
}

std::optional<url> redirect_of(const url& from, const response_head& response) {
  switch (number(response.status)) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308: break;
    default: return std::nullopt;
  }
  const auto location = response.header.find("Location");
  if (!location) return std::nullopt;
  auto next = resolve(from, *location);
  if (!next) throw std::system_error(client_error::unsupported_redirect, std::string(*location));
  return next;
}

}  // namespace tunic::http
