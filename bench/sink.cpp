// Accepts connections on port 5201, reads all they send through the public API, adds it up and throws it away. On each
// connection's end it prints how much came, the sum of all octets, which the sender may compare, and the rate.

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include "drivers/link.hpp"
#include "drivers/tun.hpp"
#include "stack/asio/host.hpp"
#include "stack/asio/tcp_acceptor.hpp"
#include "stack/asio/tcp_socket.hpp"

namespace {

constexpr std::uint16_t port = 5201;

/// The sum of all octets. Lanes of 16 bits are added up for as long as they cannot overflow, four words of eight octets
/// at a time, so that a compiler finds vectors in it.
std::uint64_t sum_of(std::span<const std::byte> octets) {
  constexpr std::uint64_t low = 0x00ff00ff00ff00ff, pairs = 0x0000ffff0000ffff;
  constexpr std::size_t abreast = 4, step = abreast * 8;
  constexpr std::size_t most = 128 * step;  // 128 * 2 * 255 fits into a lane
  std::uint64_t sum = 0;
  while (octets.size() >= step) {
    const std::size_t n = std::min(octets.size() / step * step, most);
    std::array<std::uint64_t, abreast> lanes{};
    for (std::size_t i = 0; i < n; i += step) {
      std::array<std::uint64_t, abreast> w;
      std::memcpy(w.data(), octets.data() + i, step);
      for (std::size_t k = 0; k < abreast; ++k) lanes[k] += (w[k] & low) + (w[k] >> 8 & low);
    }
    for (const std::uint64_t l : lanes) {
      const std::uint64_t halves = (l & pairs) + (l >> 16 & pairs);
      sum += (halves & 0xffffffff) + (halves >> 32);
    }
    octets = octets.subspan(n);
  }
  for (const std::byte o : octets) sum += static_cast<std::uint8_t>(o);
  return sum;
}

class drain : public std::enable_shared_from_this<drain> {
 public:
  explicit drain(tunic::tcp::socket s) : socket_(std::move(s)) {}

  /// Reads what is there where it lies, and waits for more.
  void run() {
    std::error_code e;
    for (;;) {
      const auto octets = socket_.borrow(e);
      if (e) break;
      sum_ += sum_of(octets);
      octets_ += octets.size();
      socket_.consume(octets.size());
    }
    if (e != asio::error::would_block) return finish(e);
    socket_.async_wait(socket_.wait_read, [self = shared_from_this()](std::error_code error) {
      if (error)
        self->finish(error);
      else
        self->run();
    });
  }

 private:
  void finish(std::error_code e) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    std::printf("%llu octets, sum %llu, %.2f Gbit/s%s%s\n", static_cast<unsigned long long>(octets_),
                static_cast<unsigned long long>(sum_), static_cast<double>(octets_) * 8e-9 / seconds,
                e == asio::error::eof ? "" : "; ", e == asio::error::eof ? "" : e.message().c_str());
    std::fflush(stdout);
    socket_.close();
  }

  tunic::tcp::socket socket_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::uint64_t octets_ = 0, sum_ = 0;
};

void accept(tunic::tcp::acceptor& from) {
  from.async_accept([&from](std::error_code e, tunic::tcp::socket s) {
    if (e == asio::error::operation_aborted) return;
    if (!e) std::make_shared<drain>(std::move(s))->run();
    accept(from);
  });
}

void run(const std::string& name, const std::vector<std::string>& addresses, const std::vector<std::string>& kernels) {
  asio::io_context io{1};
  tunic::drivers::tun device{{.name = name}};
  for (const std::string& text : kernels) {
    const auto p = tunic::prefix::parse(text);
    if (!p) throw std::invalid_argument("\"" + text + "\" is no address with a prefix length, such as 198.51.100.1/24");
    tunic::drivers::add_link_address(name, *p);
  }
  if (!kernels.empty()) tunic::drivers::bring_link_up(name);
  tunic::host_options options;
  for (const std::string& text : addresses) options.addresses.emplace_back(text);
  tunic::host host{io, device, options};
  tunic::tcp::acceptor acceptor{host, {.port = port}};
  accept(acceptor);
  asio::signal_set signals{io, SIGINT, SIGTERM};
  signals.async_wait([&](std::error_code, int) { host.close(); });
  std::printf("listening on port %u\n", port);
  std::fflush(stdout);
  io.run();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Accepts on port 5201, reads, adds up and throws away; prints octets, sum and rate of each connection.",
               "tunic_sink"};
  std::string name = "tun0";
  std::vector<std::string> addresses, kernels;
  app.add_option("--tun", name, "TUN device")->capture_default_str();
  app.add_option("--address", addresses, "address of the stack, such as 198.51.100.2/24; may be repeated")
      ->required()
      ->expected(1)
      ->take_all();
  app.add_option("--host-address", kernels, "address for the kernel's side, which is brought up; may be repeated")
      ->expected(1)
      ->take_all();
  CLI11_PARSE(app, argc, argv);
  try {
    run(name, addresses, kernels);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tunic_sink: %s\n", e.what());
    return 1;
  }
}
