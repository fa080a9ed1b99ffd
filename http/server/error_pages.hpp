#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "http/server/handler.hpp"

namespace tunic::http {

// Gives refusals of the handler beneath (400 and above) pages of their own, in HTML. What the server refuses before any
// handler hears of it, a request that breaks a rule, is not dressed.
class error_pages final : public handler {
 public:
  explicit error_pages(std::shared_ptr<handler> inner) : inner_(std::move(inner)) {}

  error_pages& on(status_code status, std::string page) {
    pages_[status] = std::move(page);
    return *this;
  }

  asio::awaitable<void> handle(request& in, response& out) override;

 private:
  asio::awaitable<void> wait(asio::awaitable<void> inner, response& out);
  void dress(response& out) const;

  std::shared_ptr<handler> inner_;
  std::map<status_code, std::string> pages_;
};

}  // namespace tunic::http
