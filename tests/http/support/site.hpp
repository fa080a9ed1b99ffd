#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <asio/io_context.hpp>

#include "http/server/server.hpp"
#include "tests/http/support/memory_stream.hpp"

namespace tunic::http::test {

// Timeouts that no machine is slow enough to reach by itself: only site::after passes them.
inline server_options patient() {
  using std::chrono::hours;
  server_options options;
  options.head_timeout = hours(10);
  options.idle_timeout = hours(75);
  options.content_timeout = hours(30);
  options.send_timeout = hours(60);
  options.linger_timeout = hours(2);
  return options;
}

inline std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\r'));
}

// A server on streams in memory. Nothing in it waits for real time: the io_context runs what is ready, and that is all.
template <class Stream>
struct site {
  template <class H>
  explicit site(H&& h, const server_options& options = patient())
      : serving(io.get_executor(), std::forward<H>(h), options) {}

  peer connect(std::shared_ptr<faults> f = std::make_shared<faults>()) {
    Stream stream(io, std::move(f));
    auto far = stream.other_end();
    serving.serve_connection(std::move(stream));
    settle();
    return far;
  }

  void settle() {
    io.restart();
    io.poll();
  }

  // What the far end has received once nothing moves any more, without the Date fields.
  std::string answer(peer& to, std::string_view text) {
    to.sends(text);
    return rest(to);
  }
  std::string rest(peer& to) {
    std::string all;
    for (;;) {
      settle();
      const auto more = to.receives();
      if (more.empty()) break;
      all += more;
    }
    constexpr std::size_t date_line = 37;  // "Date: " IMF-fixdate CRLF
    for (auto at = all.find("Date: "); at != std::string::npos; at = all.find("Date: ", at)) all.erase(at, date_line);
    return all;
  }
  std::string ask(std::string_view text) {
    auto to = connect();
    return answer(to, text);
  }

  void after(std::chrono::hours time) {
    serving.expire(std::chrono::steady_clock::now() + time);
    settle();
  }

  asio::io_context io;
  server serving;
};

}  // namespace tunic::http::test
