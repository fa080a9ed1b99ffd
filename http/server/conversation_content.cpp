// What of a connection is on its way while a handler is at work: the content of a request, and that of its response.
#include <stdexcept>
#include <utility>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "http/server/connection.hpp"
#include "http/server/conversation.hpp"

namespace tunic::http {

// Awaits what a handler does, and cancels that when the client goes.
asio::awaitable<void> conversation::await_guarded(asio::awaitable<void> work) {
  on_->watch_client();
  co_await asio::co_spawn(co_await asio::this_coro::executor, std::move(work),
                          asio::bind_cancellation_slot(gone_.slot(), asio::use_awaitable));
}

// The octets are lent to the handler, and given back with its next call.
asio::awaitable<std::span<const std::byte>> conversation::read_content() {
  on_->stream().consume(std::exchange(lent_, 0));
  // Not once the final response has begun: 100 would be part of its content then.
  if (is_doubtful() && !content_read_ && states_.of(role::server) == state::send_response) {
    continued_ = true;
    std::error_code error;
    if (on_->stream().borrow(error).empty()) {  // else it has begun already, and needs no telling
      states_.on(role::server, happening::informational);
      sender_.out().append("HTTP/1.1 100 Continue\r\n\r\n");
      co_await sender_.flush();
    }
  }
  const auto give_up = [this](const problem& why) {
    states_.disable_keep_alive();
    return refusal(why);
  };
  while (!content_read_) {
    std::error_code error;
    const auto input = on_->stream().borrow(error);
    auto rest = input;
    const auto happened = reader_.next(rest);
    const auto used = input.size() - rest.size();
    if (happened == event::body) {
      states_.on(role::client, happening::data);
      lent_ = used;
      patience_.progressed(used, service_.options().least_rate);
      co_return reader_.body();
    }
    on_->stream().consume(used);
    if (happened == event::failed) throw give_up(reader_.error());
    if (happened == event::end) {
      states_.on(role::client, happening::end_of_message);
      content_read_ = true;
      break;
    }
    if (error == asio::error::eof) throw give_up({status_code::bad_request, "the content is cut short"});
    if (error && !would_block(error)) {
      sender_.fail(error);
      throw std::system_error(error, "reading the content of a request");
    }
    if (!error) continue;
    on_->wait().begin(waiting::phase::content, patience_);
    std::error_code ignored;  // told again by borrow
    co_await on_->stream().readable(ignored);
    on_->wait().end();
    if (on_->wait().timed_out()) throw give_up({status_code::request_timeout, "the content did not arrive in time"});
  }
  co_return std::span<const std::byte>{};
}

asio::awaitable<void> conversation::send_content() {
  const auto content = std::exchange(response_.content, std::monostate{});
  const auto send = [this](const auto& one) -> asio::awaitable<void> {
    co_await sender_.send(one);
    if (sender_.failure()) co_return;
    if constexpr (requires { one.length; })
      content_sent_ += one.length;
    else
      content_sent_ += one.octets.size();
  };
  if (const auto* octets = std::get_if<shared_octets>(&content)) {
    co_await send(*octets);
  } else if (const auto* part = std::get_if<file_part>(&content)) {
    co_await send(*part);
  } else if (const auto* made = std::get_if<produced>(&content)) {
    co_await produce(*made);
  } else {
    for (const auto& piece : std::get<pieces>(content).all) {
      if (const auto* text = std::get_if<shared_octets>(&piece))
        co_await send(*text);
      else
        co_await send(std::get<file_part>(piece));
    }
  }
  end_of_response();
}

asio::awaitable<void> conversation::produce(const produced& content) {
  content_sink::trailer.clear();
  co_await sender_.flush();  // the head does not wait for what takes its time
  bool whole = false;
  try {
    if (!sender_.failure()) co_await await_guarded(content.produce(*this));
    whole = !sender_.failure();
  } catch (...) {  // told below
  }
  on_->stream().consume(std::exchange(lent_, 0));
  if (is_large_unread()) states_.disable_keep_alive();
  if (whole && body_.finish(sender_.out(), content_sink::trailer)) co_return;
  // The client learns it from the end of the connection, and what it has got until then stays as it is.
  cut_short_ = true;
  states_.disable_keep_alive();
}

asio::awaitable<void> conversation::write(std::span<const std::byte> octets) {
  if (!body_.begin(sender_.out(), octets.size())) throw std::length_error("more content than was announced");
  if (sender_.gathers(octets.size())) {
    sender_.out().append(reinterpret_cast<const char*>(octets.data()), octets.size());
    body_.end(sender_.out());
    co_await sender_.flush();
  } else {
    co_await sender_.send(octets);
    body_.end(sender_.out());
  }
  if (sender_.failure()) throw std::system_error(sender_.failure(), "sending the content of a response");
  content_sent_ += octets.size();
}

// The stream is another protocol's from here on, until that ends.
asio::awaitable<void> conversation::hand_over() {
  const auto next = std::get<upgrade>(std::exchange(response_.content, std::monostate{}));
  co_await sender_.flush();
  end_of_response();
  if (sender_.failure()) co_return;
  try {
    co_await await_guarded(next.run(on_->stream()));
  } catch (...) {  // its stream ends with it, and there is nobody else to tell
  }
}

}  // namespace tunic::http
