#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <asio/awaitable.hpp>

#include "http/core/message.hpp"
#include "http/core/uri.hpp"
#include "http/server/file.hpp"
#include "http/transport/transport.hpp"

namespace tunic::http {

// A request as a handler sees it: a valid head, before its content.
struct request : request_head {
  std::string path;  // what the target names: decoded, without dot segments; begins with "/", or is "*" (OPTIONS) or
                     // the authority (CONNECT)

  std::string_view query() const { return query_of(target); }
};

// `length` octets of an open file from `offset` on.
struct file_part {
  std::shared_ptr<const file> source;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// A response as a handler makes it. Content-Length, Transfer-Encoding and Date are the server's to add, and so is
// Connection, save that a handler may ask for "close". The content of an answer to HEAD is counted and not sent.
struct response {
  response_head head;
  std::variant<std::monostate, shared_octets, file_part> content;

  // text/plain in UTF-8.
  static response text(std::string content, status_code status = status_code::ok);
  // The status, its phrase and `why` as text/plain.
  static response error(status_code status, std::string_view why = {});

  void set_content(std::string content, std::string_view media_type);
  // As new, but with its memory kept.
  void clear();
};

// Answers requests. One handler serves all connections of a server; `in` and `out` last until the answer is complete.
class handler {
 public:
  virtual ~handler() = default;

  // Either fills `out` and returns an awaitable that is not valid() — the fast way, no coroutine is made — or returns
  // one that fills it. An exception, thrown here or there, is answered with 500.
  virtual asio::awaitable<void> handle(const request& in, response& out) = 0;
};

// A function as a handler: response(const request&), or asio::awaitable<response>(const request&).
template <class F>
class function_handler final : public handler {
  using result = std::invoke_result_t<F&, const request&>;
  static_assert(std::same_as<result, response> || std::same_as<result, asio::awaitable<response>>);

 public:
  explicit function_handler(F function) : function_(std::move(function)) {}

  asio::awaitable<void> handle(const request& in, response& out) override {
    if constexpr (std::same_as<result, response>) {
      out = function_(in);
      return {};
    } else {
      return wait(in, out);
    }
  }

 private:
  asio::awaitable<void> wait(const request& in, response& out) { out = co_await function_(in); }

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

}  // namespace tunic::http
