// What an idle connection of an HTTP server costs in memory. Clients written by hand connect to a host through a device
// that is made of them, ask once for a file, and stay.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include "bench/peer.hpp"
#include "bench/resident.hpp"
#include "http/server/server.hpp"
#include "http/server/static_files.hpp"
#include "stack/asio/host.hpp"
#include "stack/asio/tcp_acceptor.hpp"

namespace {

using tunic::bench::peer;

constexpr std::string_view request =
    "GET /file HTTP/1.1\r\nHost: 198.51.100.2\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";

/// A device whose other side is the clients: each says SYN, its request when it hears SYN-ACK, and an acknowledgement
/// when it has heard text.
class crowd final : public tunic::device {
 public:
  explicit crowd(std::uint32_t n) : peers_(n), heard_(n) {
    for (std::uint32_t i = 0; i < n; ++i) peers_[i] = peer{i};
  }
  void connect(std::uint32_t i) {
    says_.push_back({i, what::syn});
    if (waker_) waker_->wake();
  }
  [[nodiscard]] bool was_answered(std::uint32_t i) const { return heard_[i] > 1; }

  [[nodiscard]] tunic::device_capabilities capabilities() const override { return {true, true, true}; }
  [[nodiscard]] std::size_t mtu() const override { return 1500; }
  tunic::packet receive(tunic::pool& from, tunic::instant, std::error_code& e) override {
    e.clear();
    if (says_.empty()) return {};
    const auto [i, said] = says_.front();
    says_.pop_front();
    switch (said) {
      case what::syn: return peers_[i].syn(from);
      case what::ask: return peers_[i].text(from, request);
      case what::ack: break;
    }
    return peers_[i].ack(from);
  }
  std::error_code transmit(const tunic::frame& f, tunic::instant) override {
    const std::uint32_t i = peer::whose(f);
    const std::uint32_t text = peers_[i].hear(f);
    heard_[i] += text;
    if (text == 0 && heard_[i] == 0) {
      heard_[i] = 1;
      says_.push_back({i, what::ask});
    } else if (text > 0) {
      says_.push_back({i, what::ack});
    }
    return {};
  }
  void set_waker(tunic::device_waker* w) override { waker_ = w; }

 private:
  enum class what : std::uint8_t { syn, ask, ack };
  struct saying {
    std::uint32_t who;
    what said;
  };
  std::vector<peer> peers_;
  std::vector<std::uint32_t> heard_;
  std::deque<saying> says_;
  tunic::device_waker* waker_ = nullptr;
};

/// A folder with one file, gone again at the end.
class site {
 public:
  site() : path_(std::filesystem::temp_directory_path() / ("tunic-idle-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(path_);
    std::ofstream{path_ / "file"} << std::string(1024, 'x');
  }
  ~site() { std::filesystem::remove_all(path_); }
  site(const site&) = delete;
  site& operator=(const site&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

class bench {
 public:
  /// Serves that folder.
  bench(std::uint32_t n, const std::string& folder)
      : device_(n),
        host_(io_, device_, {.address = "198.51.100.2/24"}),
        acceptor_(host_, {.port = tunic::bench::our_port}),
        server_(io_.get_executor(), std::make_shared<tunic::http::static_files>(folder)) {
    asio::co_spawn(io_, server_.serve(acceptor_), asio::detached);
  }

  /// Connects the clients of these numbers and waits until each has got its answer.
  void connect(std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t at = from; at < to;) {
      const std::uint32_t end = std::min(to, at + batch);
      for (std::uint32_t i = at; i < end; ++i) device_.connect(i);
      for (; at < end; ++at)
        while (!device_.was_answered(at)) io_.run_one();
    }
    while (io_.poll() > 0) {
    }
  }
  [[nodiscard]] std::size_t connections() const { return server_.connections(); }

 private:
  static constexpr std::uint32_t batch = 100;  // at once, so that nothing is counted that a burst needs

  asio::io_context io_{1};
  crowd device_;
  tunic::host host_;
  tunic::tcp::acceptor acceptor_;
  tunic::http::server server_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Says what an idle connection of an HTTP server costs.", "tunic_idle"};
  std::uint32_t n = 100'000;
  app.add_option("--connections", n)->capture_default_str()->check(CLI::Range(2u, 1'000'000u));
  CLI11_PARSE(app, argc, argv);
  constexpr std::uint32_t warm = 1000;
  std::optional<site> files{std::in_place};
  bench b{n + warm, files->path()};
  b.connect(0, warm);
  const std::size_t before = tunic::bench::resident();
  b.connect(warm, n + warm);
  const std::size_t after = tunic::bench::resident();
  std::printf("%zu connections\n%.0f octets resident a connection idle after a request\n", b.connections(),
              (static_cast<double>(after) - static_cast<double>(before)) / n);
  std::fflush(stdout);
  files.reset();
  std::_Exit(b.connections() == n + warm ? 0 : 1);  // to close so many in order would take its time
}
