#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "http/server/handler.hpp"

namespace tunic::http {

// Several sites on one server, by the host that a request names (RFC 9110 §7.2), whatever its port.
class hosts final : public handler {
 public:
  // `name`: a host, or "*." and a domain for every name below it. The exact name goes first, then the longest domain.
  template <class H>
  hosts& on(std::string_view name, H&& h) {
    sites_[lower(name)] = make_handler(std::forward<H>(h));
    return *this;
  }
  // For every other host, and for HTTP/1.0 without one; without this they are answered 421 (RFC 9110 §15.5.20).
  template <class H>
  hosts& otherwise(H&& h) {
    otherwise_ = make_handler(std::forward<H>(h));
    return *this;
  }

  asio::awaitable<void> handle(request& in, response& out) override;

 private:
  static std::string lower(std::string_view name);
  handler* site(const std::string& name) const;

  std::unordered_map<std::string, std::shared_ptr<handler>> sites_;
  std::shared_ptr<handler> otherwise_;
};

}  // namespace tunic::http
