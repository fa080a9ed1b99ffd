#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "http/server/handler.hpp"

namespace tunic::http {

// Chooses a handler by path and method. A pattern is a path whose segments are text, or "{name}" for any one segment,
// or, as the last, "{name...}" for all that is left, nothing included. Text goes before "{name}", that before
// "{name...}". What the names stand for is in request::parameters, decoded.
//
// HEAD is answered by the handler of GET, OPTIONS by what is allowed; a path that has other methods only is 405 with
// Allow, one that has none goes to otherwise(), and without that is 404.
class router final : public handler {
 public:
  router();
  ~router() override;

  // Throws std::invalid_argument for a pattern that does not begin with "/" or has an unfinished "{", and
  // std::logic_error if the pattern has a handler for that method already.
  template <class H>
  router& on(std::string_view method, std::string_view pattern, H&& h) {
    add(method, pattern, make_handler(std::forward<H>(h)));
    return *this;
  }
  template <class H>
  router& get(std::string_view pattern, H&& h) {
    return on("GET", pattern, std::forward<H>(h));
  }
  template <class H>
  router& post(std::string_view pattern, H&& h) {
    return on("POST", pattern, std::forward<H>(h));
  }
  // For every method that the pattern has no other handler for.
  template <class H>
  router& any(std::string_view pattern, H&& h) {
    return on("", pattern, std::forward<H>(h));
  }
  // For every path without a pattern.
  template <class H>
  router& otherwise(H&& h) {
    otherwise_ = make_handler(std::forward<H>(h));
    return *this;
  }

  asio::awaitable<void> handle(request& in, response& out) override;

 private:
  struct node;

  void add(std::string_view method, std::string_view pattern, const std::shared_ptr<handler>& h);
  // The node of a path; the parameters on the way to it are added.
  static const node* find(const node& from, std::string_view rest, request& in);

  std::unique_ptr<node> root_;
  std::shared_ptr<handler> otherwise_;
};

}  // namespace tunic::http
