// What the server asks of malloc once it has warmed up. Real time passes, for the timers of Asio are part of it.
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <gtest/gtest.h>

#include "http/server/representation.hpp"
#include "http/server/server.hpp"
#include "http/server/static_files.hpp"
#include "stack/asio/host.hpp"
#include "stack/asio/tcp_acceptor.hpp"
#include "tests/allocation/clients.hpp"
#include "tests/allocation/counting.hpp"
#include "tests/http/support/temporary_folder.hpp"

namespace tunic::test {
namespace {

using namespace std::chrono_literals;

const std::string get =
    "GET /small.html HTTP/1.1\r\nHost: tunic.example\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n\r\n";

/// A host with its network of clients.
class scene {
 public:
  scene(std::size_t many, clients::arrivals a) : peers(many, a) {}

  template <class Done>
  void run_until(Done done) {
    const auto limit = std::chrono::steady_clock::now() + 20s;
    while (!done()) {
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("nothing happens any more");
      io.run_one_for(1s);
    }
  }
  void run_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) io.run_one_until(end);
  }
  /// Blocks that are allocated from when it begins, inside a handler as all does, until it is done.
  template <class Begin, class Done>
  std::uint64_t blocks_while(Begin begin, Done done) {
    std::uint64_t before = 0;
    asio::post(io, [&] {
      before = blocks_by_now();
      begin();
    });
    run_until(done);
    return blocks_by_now() - before;
  }
  void connect() {
    peers.connect();
    run_until([this] { return peers.connected() == peers.count(); });
  }
  /// Every client asks so often, and for so long nothing else happens, so that timers are due. Returns the blocks that
  /// were allocated meanwhile.
  std::uint64_t ask(unsigned times, std::chrono::milliseconds stall = 0ms) {
    const auto goal = peers.answers() + times * peers.count();
    const auto begin = [&] {
      peers.ask(times);
      std::this_thread::sleep_for(stall);
    };
    return blocks_while(begin, [&] { return peers.answers() == goal; });
  }

  asio::io_context io{1};
  clients peers;
  host server{io, peers, {.address = "198.51.100.2/24", .key = secret{1, 2, 3}}};
  tcp::acceptor acceptor{server, {.port = 80, .backlog = 16 * 1024}};
};

/// With a server of HTTP.
class site : public scene {
 public:
  site(std::size_t many, clients::arrivals a, std::shared_ptr<http::handler> h)
      : scene(many, a), web(io.get_executor(), std::move(h)) {
    asio::co_spawn(io, web.serve(acceptor), [](const std::exception_ptr&) {});
    peers.will_say(get);
    connect();
    run_until([&] { return web.connections() == many; });
  }
  ~site() {
    server.close();
    web.close();
    io.run_for(10ms);
  }

  http::server web;
};

/// Answers at once by what it has in memory.
class at_once final : public http::handler {
 public:
  at_once() {
    one_.header.add("Content-Type", "text/plain; charset=utf-8");
    one_.content = http::share("OK");
  }
  asio::awaitable<void> handle(http::request& in, http::response& out) override {
    http::answer_with(in, one_, out);
    return {};
  }

 private:
  http::representation one_;
};

TEST(counting, sees_new_and_malloc) {
  const auto at_first = blocks_by_now();
  const auto one = std::make_unique<std::uint64_t>(1);
  void* volatile seen = one.get();  // what nobody sees a compiler may leave out
  const auto then = blocks_by_now();
  EXPECT_GT(then, at_first);
  seen = std::malloc(100);
  const auto now = blocks_by_now();
  EXPECT_GT(now, then);
  std::free(seen);
}

class allocation : public testing::TestWithParam<clients::arrivals> {};

TEST_P(allocation, a_request_of_a_small_file_allocates_nothing) {
  const http::test::temporary_folder folder;
  folder.write("small.html", std::string(1024, 'x'));
  site s(64, GetParam(), std::make_shared<http::static_files>(folder.path().string()));
  s.run_for(100ms);  // a file that has just changed is not kept
  s.ask(50);
  EXPECT_EQ(s.ask(100), 0u);
  EXPECT_EQ(s.peers.ends(), 0u);
}

TEST_P(allocation, a_timer_that_fires_while_there_is_work_allocates_nothing) {
  site s(64, GetParam(), std::make_shared<at_once>());
  s.ask(50);
  EXPECT_EQ(s.ask(4, 300ms), 0u) << "longer than it takes until something would be retransmitted";
}

TEST_P(allocation, a_request_that_is_answered_at_once_allocates_nothing) {
  site s(64, GetParam(), std::make_shared<at_once>());
  s.ask(50);
  EXPECT_EQ(s.ask(100), 0u);
  EXPECT_EQ(s.peers.ends(), 0u);
}

TEST_P(allocation, one_client_that_asks_again_and_again_allocates_nothing) {
  site s(1, GetParam(), std::make_shared<at_once>());
  s.ask(500);
  EXPECT_EQ(s.ask(5000), 0u);
}

/// A user of a socket by plain handlers, as any program may be.
class conversation {
 public:
  explicit conversation(tcp::socket s) : socket_(std::move(s)) {}

  /// Answers each read by as much.
  void echo() {
    socket_.async_read_some(asio::buffer(room_), [this](std::error_code e, std::size_t n) {
      if (e) return;
      taken_ += n;
      socket_.async_write_some(asio::buffer(room_.data(), n), [this](std::error_code failed, std::size_t) {
        if (!failed) echo();
      });
    });
  }
  void read() {
    socket_.async_read_some(asio::buffer(room_), [this](std::error_code e, std::size_t n) {
      taken_ += n;
      if (!e) read();
    });
  }
  void write() {
    socket_.async_write_some(asio::buffer(room_), [this](std::error_code e, std::size_t) {
      if (!e) write();
    });
  }
  [[nodiscard]] std::size_t taken() const { return taken_; }

 private:
  tcp::socket socket_;
  std::vector<std::byte> room_ = std::vector<std::byte>(64 * 1024);
  std::size_t taken_ = 0;
};

/// One client, and a socket for it.
class pair : public scene {
 public:
  explicit pair(clients::arrivals a) : scene(1, a) {
    connect();
    std::error_code e;
    run_until([&] {
      auto s = acceptor.accept(e);
      if (!e) ours.emplace(std::move(s));
      return ours.has_value();
    });
  }
  ~pair() {
    server.close();
    io.run_for(10ms);
  }

  std::optional<conversation> ours;
};

TEST_P(allocation, reading_and_writing_by_sockets_allocates_nothing) {
  pair p(GetParam());
  p.peers.will_say("hello");
  p.ours->echo();
  p.ask(500);
  EXPECT_EQ(p.ask(5000), 0u);
}

TEST_P(allocation, a_bulk_flow_to_us_allocates_nothing) {
  pair p(GetParam());
  p.ours->read();
  const auto upload = [&](unsigned segments) {
    const auto goal = p.ours->taken() + std::size_t{segments} * clients::upload_segment;
    return p.blocks_while([&] { p.peers.upload(segments); }, [&] { return p.ours->taken() == goal; });
  };
  upload(2000);
  EXPECT_EQ(upload(20000), 0u);
}

TEST_P(allocation, a_bulk_flow_from_us_allocates_nothing) {
  pair p(GetParam());
  p.ours->write();
  constexpr std::uint64_t warm = 256 << 20, more = 512 << 20;
  p.run_until([&] { return p.peers.received() > warm; });
  const auto before = blocks_by_now();
  p.run_until([&] { return p.peers.received() > warm + more; });
  EXPECT_EQ(blocks_by_now() - before, 0u);
}

INSTANTIATE_TEST_SUITE_P(arrivals, allocation,
                         testing::Values(clients::arrivals::by_waker, clients::arrivals::by_descriptor),
                         [](const auto& p) {
                           return std::string{p.param == clients::arrivals::by_waker ? "by_waker" : "by_descriptor"};
                         });

}  // namespace
}  // namespace tunic::test
