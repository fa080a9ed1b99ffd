// Whether two shards do twice the work of one. Each is a thread with all that a server needs and clients that ask it:
// two stacks on a loopback device, an HTTP server, keep-alive connections. No device and no kernel is in the way, so
// what is missing from twice is what the threads share: cache lines, the allocator, counters.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <latch>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include "drivers/loopback.hpp"
#include "http/server/response.hpp"
#include "http/server/server.hpp"
#include "stack/asio/host.hpp"
#include "stack/asio/tcp_acceptor.hpp"
#include "stack/asio/tcp_socket.hpp"

namespace {

using asio::use_awaitable;

constexpr std::size_t connections = 64;
constexpr std::size_t content_size = 1024;  // octets of a response's content
constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: shard\r\n\r\n";

/// Asks one thing after the other on one connection. All responses have the length of the first.
asio::awaitable<void> ask(tunic::host& from, std::size_t requests) {
  tunic::tcp::socket s{from};
  co_await s.async_connect({asio::ip::make_address("198.51.100.2"), 80}, use_awaitable);
  std::string response;
  co_await asio::async_write(s, asio::buffer(request), use_awaitable);
  const std::size_t head =
      co_await asio::async_read_until(s, asio::dynamic_buffer(response), "\r\n\r\n", use_awaitable);
  const std::size_t had = response.size();
  response.resize(head + content_size);
  co_await asio::async_read(s, asio::buffer(response) + had, use_awaitable);
  for (std::size_t i = 1; i < requests; ++i) {
    co_await asio::async_write(s, asio::buffer(request), use_awaitable);
    co_await asio::async_read(s, asio::buffer(response), use_awaitable);
  }
  if (!response.starts_with("HTTP/1.1 200")) throw std::runtime_error("an answer other than 200");
}

/// One shard: counts down when it is ready to begin, waits for the others, and serves all requests.
void work(std::latch& ready, std::size_t requests) {
  asio::io_context io{1};
  tunic::drivers::loopback_pair link{{.queue = 4096}};
  tunic::host clients{io, link.first(), {.address = "198.51.100.1/24"}};
  tunic::host host{io, link.second(), {.address = "198.51.100.2/24"}};
  tunic::tcp::acceptor acceptor{host, {.port = 80}};
  const auto content = tunic::http::share(std::string(content_size, 'x'));
  tunic::http::server server{io.get_executor(), [&content](const tunic::http::request&) {
                               tunic::http::response out;
                               out.content = content;
                               return out;
                             }};
  asio::co_spawn(io, server.serve(acceptor), [](const std::exception_ptr&) {});
  std::size_t left = connections;
  for (std::size_t i = 0; i < connections; ++i)
    asio::co_spawn(io, ask(clients, requests / connections), [&](const std::exception_ptr& e) {
      if (e) std::rethrow_exception(e);
      if (--left > 0) return;
      clients.close();
      host.close();
      server.close();
      io.stop();
    });
  ready.arrive_and_wait();
  io.run();
}

/// Requests a second by so many shards at once.
double rate(std::size_t shards, std::size_t requests) {
  std::latch ready{static_cast<std::ptrdiff_t>(shards + 1)};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < shards; ++i) threads.emplace_back([&] { work(ready, requests); });
  ready.arrive_and_wait();
  const auto began = std::chrono::steady_clock::now();
  for (std::thread& t : threads) t.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return static_cast<double>(shards * requests) / took.count();
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Two shards against one on devices in the process: requests a second, medians of interleaved rounds.",
               "tunic_shards"};
  std::size_t requests = 200'000, rounds = 5;
  app.add_option("--requests", requests, "of a shard in a round")
      ->capture_default_str()
      ->check(CLI::Range(connections, std::size_t{1'000'000'000}));
  app.add_option("--rounds", rounds, "of one shard and of two")->capture_default_str()->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  std::vector<double> one, two;
  for (std::size_t i = 0; i < rounds; ++i) {
    one.push_back(rate(1, requests));
    two.push_back(rate(2, requests));
  }
  std::printf("1 shard   %8.0f requests/s\n2 shards  %8.0f requests/s\nratio     %8.2f\n", median(one), median(two),
              median(two) / median(one));
  return 0;
}
