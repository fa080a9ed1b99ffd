// Accepts connections on port 5201, reads all they send through the public API, adds it up and throws it away. On each
// connection's end it prints how much came, the sum of all octets, which the sender may compare, and the rate.

#include <chrono>
#include <csignal>
#include <cstdio>
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

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace {

constexpr std::uint16_t port = 5201;

/// The sum of all octets, as fast as they come out of the cache where the processor can do that.
std::uint64_t sum_of(std::span<const std::byte> octets) {
  std::uint64_t sum = 0;
#ifdef __SSE2__
  const __m128i zero = _mm_setzero_si128();
  __m128i even = zero, odd = zero;
  for (; octets.size() >= 32; octets = octets.subspan(32)) {
    const auto* const at = reinterpret_cast<const __m128i*>(octets.data());
    even = _mm_add_epi64(even, _mm_sad_epu8(_mm_loadu_si128(at), zero));
    odd = _mm_add_epi64(odd, _mm_sad_epu8(_mm_loadu_si128(at + 1), zero));
  }
  const __m128i both = _mm_add_epi64(even, odd);
  sum += static_cast<std::uint64_t>(_mm_cvtsi128_si64(both));
  sum += static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(both, both)));
#endif
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
