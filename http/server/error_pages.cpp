#include "http/server/error_pages.hpp"

namespace tunic::http {

asio::awaitable<void> error_pages::handle(request& in, response& out) {
  try {
    if (auto waits = inner_->handle(in, out); waits.valid()) return wait(std::move(waits), out);
  } catch (...) {
    out = response::of_exception();
  }
  dress(out);
  return {};
}

asio::awaitable<void> error_pages::wait(asio::awaitable<void> inner, response& out) {
  try {
    co_await std::move(inner);
  } catch (...) {
    out = response::of_exception();
  }
  dress(out);
}

void error_pages::dress(response& out) const {
  if (number(out.head.status) < 400) return;
  const auto page = pages_.find(out.head.status);
  if (page == pages_.end()) return;
  for (const auto name : {"Content-Encoding", "Content-Range", "ETag", "Last-Modified"}) out.head.header.remove(name);
  out.set_content(page->second, "text/html; charset=utf-8");
}

}  // namespace tunic::http
