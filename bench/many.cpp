// Many connections of one stack: what each costs in memory, and whether a segment costs more where there are more.
//
// Clients written by hand make a real handshake each; then each sends a request, which is answered, and acknowledges
// the answer. Under callgrind with --collect-atstart=no the last phase alone is counted, some segments in and out,
// each of another connection.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench/callgrind.hpp"
#include "bench/peer.hpp"
#include "bench/resident.hpp"

namespace {

using namespace std::chrono_literals;
using tunic::bench::peer;

constexpr std::uint32_t request = 100, stride = 7919;  // octets; and a prime, so that all are visited
constexpr std::size_t response = 200;                  // octets

class server final : tunic::tcp::user, tunic::tcp::listener_user {
 public:
  explicit server(std::uint32_t n) : stack_(peer::config(), tunic::secret{}), peers_(n), tcbs_(n) {
    for (std::uint32_t i = 0; i < n; ++i) peers_[i] = peer{i};
    const auto l = stack_.tcp().listen(
        {.local = {tunic::address::any(tunic::family::v4), tunic::bench::our_port}, .no_delay = true}, *this);
    if (!l) std::abort();
    listener_ = *l;
  }

  void establish(std::uint32_t i) {
    arrive(peers_[i].syn(stack_.pool()));
    transmit();
    arrive(peers_[i].ack(stack_.pool()));
    tcbs_[i] = stack_.tcp().accept(*listener_, *this);
  }

  /// Whether the request was answered in full.
  bool exchange(std::uint32_t i) {
    if (!tcbs_[i]) return false;
    arrive(peers_[i].text(stack_.pool(), request));
    if (stack_.tcp().available(*tcbs_[i]) != request) return false;
    stack_.tcp().consume(*tcbs_[i], request);
    stack_.tcp().send(*tcbs_[i], response_);
    const bool answered = transmit() == response;
    arrive(peers_[i].ack(stack_.pool()));
    return answered;
  }

 private:
  void on_events(tunic::tcp::events) override {}
  void on_acceptable() override {}

  void arrive(tunic::packet p) {
    now_ += 1us;
    if (stack_.next_deadline() <= now_) stack_.on_deadline(now_);
    stack_.on_packet(std::move(p), now_);
  }
  std::size_t transmit() {  // octets of text
    std::size_t text = 0;
    while (stack_.poll_transmit(frame_, now_)) text += peers_[peer::whose(frame_)].hear(frame_);
    return text;
  }

  tunic::stack stack_;
  tunic::tcp::listener* listener_ = nullptr;
  std::vector<peer> peers_;
  std::vector<tunic::tcp::tcb*> tcbs_;
  std::vector<std::byte> response_ = std::vector<std::byte>(response);
  tunic::frame frame_;
  tunic::instant now_{};
};

void say_resident(const char* when, std::size_t before, std::uint32_t n) {
  const std::size_t now = tunic::bench::resident();
  std::printf("%.0f octets resident a connection %s, %.0f MiB in all\n",
              (static_cast<double>(now) - static_cast<double>(before)) / n, when, static_cast<double>(now) / (1 << 20));
}

void run(std::uint32_t n, std::uint32_t exchanges) {
  server s{n};
  s.establish(0);
  const std::size_t before = tunic::bench::resident();
  for (std::uint32_t i = 1; i < n; ++i) s.establish(i);
  say_resident("established", before, n);
  std::uint32_t answered = 0;
  for (std::uint32_t i = 0; i < n; ++i) answered += s.exchange(i);
  std::printf("%u of %u requests answered\n", answered, n);
  say_resident("idle after a request", before, n);
  std::uint32_t i = 0;
  CALLGRIND_TOGGLE_COLLECT;
  for (std::uint32_t k = 0; k < exchanges; ++k) {
    s.exchange(i);
    i = (i + stride) % n;
  }
  CALLGRIND_TOGGLE_COLLECT;
  if (answered != n) std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Establishes many connections with one stack and says what each costs.", "tunic_many"};
  std::uint32_t connections = 100'000, exchanges = 10'000;
  app.add_option("--connections", connections)->capture_default_str()->check(CLI::Range(2u, 10'000'000u));
  app.add_option("--exchanges", exchanges, "counted by callgrind: three segments each")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  run(connections, exchanges);
  return 0;
}
