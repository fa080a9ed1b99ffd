#include "apps/tunic/ping.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <unistd.h>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "apps/tunic/interruption.hpp"
#include "apps/tunic/network.hpp"
#include "stack/asio/echo.hpp"
#include "stack/asio/endpoint.hpp"

namespace tunic::app {
namespace {

constexpr std::chrono::seconds reply_patience{1};  // for answers to the last request

double milliseconds(duration d) {
  return std::chrono::duration<double, std::milli>{d}.count();
}

const char* words(wire::unreachable_code code) {
  switch (code) {
    case wire::unreachable_code::network: return "Destination network unreachable";
    case wire::unreachable_code::host: return "Destination host unreachable";
    case wire::unreachable_code::protocol: return "Destination protocol unreachable";
    case wire::unreachable_code::port: return "Destination port unreachable";
    case wire::unreachable_code::prohibited: return "Communication administratively prohibited";
    case wire::unreachable_code::other: break;
  }
  return "Destination unreachable";
}

const char* words(const echo_answer& a) {
  switch (*a.error) {
    case wire::icmp_kind::destination_unreachable: return words(a.unreachable);
    case wire::icmp_kind::packet_too_big: return "Packet too big";
    case wire::icmp_kind::time_exceeded: return "Time to live exceeded";
    case wire::icmp_kind::parameter_problem: return "Parameter problem";
    case wire::icmp_kind::echo_request:
    case wire::icmp_kind::echo_reply:
    case wire::icmp_kind::other: break;
  }
  return "ICMP error";
}

class pinger {
 public:
  explicit pinger(const ping_options& o)
      : options_(o),
        network_(io_, o.network),
        echo_(network_.host(), static_cast<std::uint16_t>(::getpid())),
        timer_(io_),
        interruption_(
            io_, [this] { stop(); }, [this] { stop(); }),
        out_(o.network.pcap == "-" ? stderr : stdout) {}

  exit_code run() {
    std::fprintf(out_, "PING %s: %zu octets of text\n", options_.destination.to_string().c_str(), options_.size);
    asio::co_spawn(io_, send(), asio::detached);
    asio::co_spawn(io_, receive(), asio::detached);
    io_.run();
    print_summary();
    return received_ > 0 ? exit_ok : exit_failed;
  }

 private:
  asio::awaitable<void> send() {
    std::vector<std::byte> text(options_.size);
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::byte>(i);
    std::error_code e;
    auto next = std::chrono::steady_clock::now();
    first_ = network_.host().now();
    while (!stopped_ && (options_.count == 0 || sent_ < options_.count)) {
      const auto sequence = static_cast<std::uint16_t>(++sent_);
      waiting_[sequence] = last_ = network_.host().now();
      echo_.send(to_asio(options_.destination), sequence, text, 0, e);
      if (e) {
        std::fprintf(out_, "icmp_seq=%u cannot be sent: %s\n", sequence, e.message().c_str());
        waiting_.erase(sequence);
      }
      std::fflush(out_);
      next += std::chrono::duration_cast<std::chrono::nanoseconds>(options_.interval);
      timer_.expires_at(next);
      if (sent_ != options_.count) co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, e));
    }
    all_sent_ = true;
    if (!stopped_ && !waiting_.empty()) {
      timer_.expires_after(reply_patience);
      co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, e));
    }
    stop();
  }

  asio::awaitable<void> receive() {
    for (;;) {
      std::error_code e;
      const echo_answer a = co_await echo_.async_receive(asio::redirect_error(asio::use_awaitable, e));
      if (e) co_return;
      print(a);
      if (all_sent_ && waiting_.empty()) timer_.cancel();
    }
  }

  void print(const echo_answer& a) {
    const auto asked = waiting_.find(a.sequence);
    const std::string from = a.from.to_string();
    if (a.error) {
      std::fprintf(out_, "From %s icmp_seq=%u %s\n", from.c_str(), a.sequence, words(a));
      ++errors_;
    } else if (asked == waiting_.end()) {
      std::fprintf(out_, "%zu bytes from %s: icmp_seq=%u ttl=%u (DUP!)\n", a.text.size() + wire::icmp_header::size,
                   from.c_str(), a.sequence, a.hop_limit);
    } else {
      const double time = milliseconds(a.at - asked->second);
      std::fprintf(out_, "%zu bytes from %s: icmp_seq=%u ttl=%u time=%.3f ms\n",
                   a.text.size() + wire::icmp_header::size, from.c_str(), a.sequence, a.hop_limit, time);
      ++received_;
      least_ = received_ == 1 ? time : std::min(least_, time);
      most_ = std::max(most_, time);
      sum_ += time;
      squares_ += time * time;
    }
    if (asked != waiting_.end()) waiting_.erase(asked);
    std::fflush(out_);
  }

  void print_summary() {
    const auto n = static_cast<double>(received_);
    const double lost = sent_ == 0 ? 0 : 100 * (1 - n / static_cast<double>(sent_));
    std::fprintf(out_, "\n--- %s ping statistics ---\n", options_.destination.to_string().c_str());
    std::fprintf(out_, "%llu packets transmitted, %llu received, ", static_cast<unsigned long long>(sent_),
                 static_cast<unsigned long long>(received_));
    if (errors_ > 0) std::fprintf(out_, "+%llu errors, ", static_cast<unsigned long long>(errors_));
    std::fprintf(out_, "%.3g%% packet loss, time %.0f ms\n", lost, milliseconds(last_ - first_));
    if (received_ == 0) return;
    const double mean = sum_ / n;
    std::fprintf(out_, "rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", least_, mean, most_,
                 std::sqrt(std::max(0.0, squares_ / n - mean * mean)));
  }

  void stop() {
    stopped_ = true;
    timer_.cancel();
    interruption_.cancel();
    network_.host().close();
  }

  const ping_options& options_;
  asio::io_context io_{1};
  network network_;
  echo echo_;
  asio::steady_timer timer_;
  interruption interruption_;
  std::FILE* out_;
  bool stopped_ = false, all_sent_ = false;
  std::uint64_t sent_ = 0, received_ = 0, errors_ = 0;
  std::map<std::uint16_t, instant> waiting_;  // the last 65,536 requests without an answer
  instant first_{}, last_{};
  double least_ = 0, most_ = 0, sum_ = 0, squares_ = 0;  // milliseconds
};

}  // namespace

exit_code ping(const ping_options& o) {
  return pinger{o}.run();
}

}  // namespace tunic::app
