#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include <asio/awaitable.hpp>

#include "http/server/request.hpp"
#include "http/server/response.hpp"

namespace tunic::http {

// Answers requests. One handler serves all connections of a server; `in` and `out` last until the answer is complete.
class handler {
 public:
  virtual ~handler() = default;

  // Either fills `out` and returns an awaitable that is not valid() — the fast way, no coroutine is made — or returns
  // one that fills it, and that is cancelled when the client's connection breaks (a client that only ends its side
  // still waits). It reads and writes one exchange from one coroutine. A refusal, thrown here or there, is answered
  // with its status, any other exception with 500.
  virtual asio::awaitable<void> handle(request& in, response& out) = 0;
};

// A function as a handler: response(const request&), or asio::awaitable<response>(request&).
template <class F>
class function_handler final : public handler {
  using result = std::invoke_result_t<F&, request&>;
  static_assert(std::same_as<result, response> || std::same_as<result, asio::awaitable<response>>);

 public:
  explicit function_handler(F function) : function_(std::move(function)) {}

  asio::awaitable<void> handle(request& in, response& out) override {
    if constexpr (std::same_as<result, response>) {
      out = function_(in);
      return {};
    } else {
      return wait(in, out);
    }
  }

 private:
  asio::awaitable<void> wait(request& in, response& out) { out = co_await function_(in); }

  F function_;
};

// A handler from what a user has at hand: a handler, or a function that is wrapped in one.
template <class H>
std::shared_ptr<handler> make_handler(H&& h) {
  if constexpr (std::convertible_to<H, std::shared_ptr<handler>>)
    return std::forward<H>(h);
  else
    return std::make_shared<function_handler<std::decay_t<H>>>(std::forward<H>(h));
}

// The handler beneath a middleware.
class next_handler {
 public:
  explicit next_handler(handler& inner) : inner_(inner) {}
  asio::awaitable<void> operator()(request& in, response& out) const {
    auto waits = inner_.handle(in, out);
    if (waits.valid()) co_await std::move(waits);
  }

 private:
  handler& inner_;
};

// A middleware: asio::awaitable<void>(request&, response&, next_handler). It answers by itself, or awaits the next one
// and changes the request before or the response after.
template <class F, class H>
std::shared_ptr<handler> make_middleware(F around, H&& inner) {
  class middleware final : public handler {
   public:
    middleware(F f, std::shared_ptr<handler> h) : around_(std::move(f)), inner_(std::move(h)) {}
    asio::awaitable<void> handle(request& in, response& out) override {
      return around_(in, out, next_handler(*inner_));
    }

   private:
    F around_;
    std::shared_ptr<handler> inner_;
  };
  return std::make_shared<middleware>(std::move(around), make_handler(std::forward<H>(inner)));
}

}  // namespace tunic::http
