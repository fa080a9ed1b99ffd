// The steady path piece by piece: what a segment, an exchange, a checksum, a lookup and a timer cost.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <benchmark/benchmark.h>

#include "stack/base/timer_wheel.hpp"
#include "stack/stack.hpp"
#include "stack/tcp/demux.hpp"
#include "stack/wire/checksum.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t our_port = 80, peers_port = 40000;
const address ours = address::v4(198, 51, 100, 2), peers = address::v4(198, 51, 100, 1);

/// One connection of a stack with a peer that is made of segments written by hand, as a device with offload hands them
/// in.
class connection final : tcp::user, tcp::listener_user {
 public:
  connection() : stack_(config(), secret{}) {
    const auto l = stack_.tcp().listen({.local = {address::any(family::v4), our_port}, .no_delay = true}, *this);
    if (!l) std::abort();
    wire::tcp_header syn = header();
    syn.flags = {.syn = true};
    syn.options.mss = std::uint16_t{1460};
    syn.options.window_scale = wire::window_shift{7};
    arrive(syn, 0);
    if (!stack_.poll_transmit(frame_, now_)) std::abort();
    const auto answer =
        wire::parse_tcp(frame_.header().subspan(wire::ipv4_header::min_size), ours, peers, checksum_state::good);
    if (!answer) std::abort();
    heard_ = answer->seq_number + 1;
    sent_ += 1;
    arrive(header(), 0);
    tcb_ = stack_.tcp().accept(**l, *this);
    if (!tcb_) std::abort();
  }

  /// A segment of text arrives, which the user takes, and what there is to say to it is said. Returns the frames sent.
  unsigned hear(std::uint32_t text) {
    arrive(header(), text);
    sent_ += text;
    stack_.tcp().consume(*tcb_, text);
    return transmit();
  }
  /// A request arrives and is answered; the acknowledgement of the answer rides on the next request.
  unsigned exchange(std::uint32_t request, std::span<const std::byte> response) {
    arrive(header(), request);
    sent_ += request;
    stack_.tcp().consume(*tcb_, request);
    stack_.tcp().send(*tcb_, response);
    heard_ += static_cast<std::uint32_t>(response.size());
    return transmit();
  }

 private:
  static stack_config config() {
    stack_config c;
    c.ip.addresses = {{ours, 24}};
    c.device = {true, true, true};
    return c;
  }
  void on_events(tcp::events) override {}
  void on_acceptable() override {}

  wire::tcp_header header() const {
    wire::tcp_header h;
    h.source_port = peers_port;
    h.destination_port = our_port;
    h.seq_number = sent_;
    h.ack_number = heard_;
    h.flags = {.ack = true};
    h.window.value = 65535;
    return h;
  }
  void arrive(const wire::tcp_header& h, std::uint32_t text) {
    const buffer_ref b = stack_.pool().fitting(128 + text);
    const auto room = b->room();
    const std::size_t tcp = wire::emit_tcp(h, room.subspan(wire::ipv4_header::min_size));
    const std::size_t size = wire::ipv4_header::min_size + tcp + text;
    wire::ipv4_header ip;
    ip.total_length = static_cast<std::uint16_t>(size);
    ip.protocol = static_cast<std::uint8_t>(wire::protocol::tcp);
    ip.source = peers;
    ip.destination = ours;
    wire::emit_ipv4(ip, room);
    now_ += 1us;
    stack_.on_packet({.octets = pool::view(b, size), .checksum = checksum_state::partial}, now_);
  }
  unsigned transmit() {
    unsigned n = 0;
    while (stack_.poll_transmit(frame_, now_)) ++n;
    return n;
  }

  tunic::stack stack_;
  frame frame_;
  instant now_{};
  seq sent_{1000}, heard_;
  tcp::tcb* tcb_ = nullptr;
};

void segment_in_ack_out(benchmark::State& state) {
  connection c;
  const auto text = static_cast<std::uint32_t>(state.range(0));
  std::int64_t frames = 0;
  for (auto _ : state) frames += c.hear(text);
  state.SetBytesProcessed(state.iterations() * text);
  state.counters["acks"] = benchmark::Counter(static_cast<double>(frames), benchmark::Counter::kAvgIterations);
}
BENCHMARK(segment_in_ack_out)->Arg(1448)->Arg(64000);

void request_and_response(benchmark::State& state) {
  connection c;
  const std::vector<std::byte> response(static_cast<std::size_t>(state.range(0)));
  std::int64_t frames = 0;
  for (auto _ : state) frames += c.exchange(100, response);
  state.counters["frames"] = benchmark::Counter(static_cast<double>(frames), benchmark::Counter::kAvgIterations);
}
BENCHMARK(request_and_response)->Arg(200)->Arg(1280);

void checksum(benchmark::State& state) {
  const std::vector<std::byte> octets(static_cast<std::size_t>(state.range(0)), std::byte{0x5a});
  for (auto _ : state) {
    wire::checksum sum;
    sum.add(octets);
    benchmark::DoNotOptimize(sum.finish());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(checksum)->Arg(1460)->Arg(65536);

void parse_tcp(benchmark::State& state) {
  wire::tcp_header h;
  h.flags = {.ack = true};
  h.options.timestamps = wire::tcp_timestamps{1, 2};
  std::array<std::byte, wire::tcp_header::max_size> room{};
  const auto segment = std::span{room}.first(wire::emit_tcp(h, room));
  for (auto _ : state) {
    auto parsed = wire::parse_tcp(segment, peers, ours, checksum_state::good);
    benchmark::DoNotOptimize(parsed);
  }
}
BENCHMARK(parse_tcp);

four_tuple ends_of(std::uint32_t i) {
  return {{ours, our_port}, {address::v4(0xc6336400 + i / 60000), static_cast<std::uint16_t>(1024 + i % 60000)}};
}

void demux_find(benchmark::State& state) {
  tcp::demux table{secret{}};
  const auto n = static_cast<std::uint32_t>(state.range(0));
  std::vector<std::unique_ptr<tcp::demux_node>> nodes;
  for (std::uint32_t i = 0; i < n; ++i) {
    nodes.push_back(std::make_unique<tcp::demux_node>(tcp::demux_kind::tcb, ends_of(i)));
    table.insert(*nodes.back());
  }
  std::uint32_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.find(nodes[i]->ends));
    i = (i + 7919) % n;  // a stride that visits all, so that no cache helps more than it would
  }
}
BENCHMARK(demux_find)->Arg(1'000)->Arg(100'000);

void timer_arm_and_cancel(benchmark::State& state) {
  timer_wheel wheel;
  std::vector<timer_node> others(static_cast<std::size_t>(state.range(0)));
  for (std::size_t i = 0; i < others.size(); ++i) wheel.arm(others[i], instant{i * 1us});
  timer_node node;
  instant at{};
  for (auto _ : state) {
    wheel.arm(node, at += 1us);
    timer_wheel::cancel(node);
  }
}
BENCHMARK(timer_arm_and_cancel)->Arg(0)->Arg(100'000);

}  // namespace
}  // namespace tunic

BENCHMARK_MAIN();
