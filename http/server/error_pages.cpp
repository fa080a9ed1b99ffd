#include "http/server/error_pages.hpp"

namespace tunic::http {

asio::awaitable<void> error_pages::handle(request& in, response& out) {
  try {
    if (auto waits = inner_->handle(in, out); waits.valid()) return wait(std::move(waits), out);
  } catch (const refusal& why) {
    out = response::error(why.status(), why.what());
  }
  dress(out);
  return {};
}

asio::awaitable<void> error_pages::wait(asio::awaitable<void> inner, response& out) {
  try {
    co_await std::move(inner);
  } catch (const refusal& why) {
    out = response::error(why.status(), why.what());
  }
  dress(out);
}

void error_pages::dress(response& out) const {
  if (number(out.head.status) < 400) return;
  if (const auto page = pages_.find(out.head.status); page != pages_.end())
    out.set_content(page->second, "text/html; charset=utf-8");
}

}  // namespace tunic::http
