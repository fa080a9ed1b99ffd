// The steady path piece by piece: what a segment, an exchange, a checksum, a lookup and a timer cost.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/callgrind.hpp"
#include "bench/peer.hpp"
#include "stack/base/timer_wheel.hpp"
#include "stack/stack.hpp"
#include "stack/tcp/demux.hpp"
#include "stack/wire/checksum.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic {
namespace {

using namespace std::chrono_literals;

using bench::peer;

/// One connection of a stack with a peer that is written by hand.
class connection final : tcp::user, tcp::listener_user {
 public:
  connection() : stack_(peer::config(), secret{}) {
    const auto l = stack_.tcp().listen({.local = {address::any(family::v4), bench::our_port}, .no_delay = true}, *this);
    if (!l) std::abort();
    arrive(peer_.syn(stack_.pool()));
    transmit();
    arrive(peer_.ack(stack_.pool()));
    tcb_ = stack_.tcp().accept(**l, *this);
    if (!tcb_) std::abort();
  }

  /// A segment of text arrives, which the user takes, and what there is to say to it is said. Returns the frames sent.
  unsigned hear(std::uint32_t text) {
    arrive(peer_.text(stack_.pool(), text));
    stack_.tcp().consume(*tcb_, text);
    return transmit();
  }
  /// The user sends, and the peer acknowledges it. Returns the frames sent.
  unsigned say(std::span<const std::byte> text) {
    stack_.tcp().send(*tcb_, text);
    const unsigned n = transmit();
    arrive(peer_.ack(stack_.pool()));
    return n;
  }
  /// A request arrives and is answered; the acknowledgement of the answer rides on the next request.
  unsigned exchange(std::uint32_t request, std::span<const std::byte> response) {
    arrive(peer_.text(stack_.pool(), request));
    stack_.tcp().consume(*tcb_, request);
    stack_.tcp().send(*tcb_, response);
    return transmit();
  }

 private:
  void on_events(tcp::events) override {}
  void on_acceptable() override {}
  void arrive(packet p) { stack_.on_packet(std::move(p), now_ += 1us); }
  unsigned transmit() {
    unsigned n = 0;
    for (; stack_.poll_transmit(frame_, now_); ++n) peer_.hear(frame_);
    return n;
  }

  tunic::stack stack_;
  frame frame_;
  instant now_{};
  peer peer_;
  tcp::tcb* tcb_ = nullptr;
};

/// The loop of a benchmark: what callgrind counts, where it runs us (bench/instructions).
class counted {
 public:
  explicit counted(const benchmark::State& s) : state_(s) { CALLGRIND_TOGGLE_COLLECT; }
  ~counted() {
    CALLGRIND_TOGGLE_COLLECT;
    iterations += state_.iterations();
  }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  static inline std::int64_t iterations = 0;  // of all loops of this process

 private:
  const benchmark::State& state_;
};

void segment_in_ack_out(benchmark::State& state) {
  connection c;
  const auto text = static_cast<std::uint32_t>(state.range(0));
  std::int64_t frames = 0;
  const counted loop{state};
  for (auto _ : state) frames += c.hear(text);
  state.SetBytesProcessed(state.iterations() * text);
  state.counters["acks"] = benchmark::Counter(static_cast<double>(frames), benchmark::Counter::kAvgIterations);
}
BENCHMARK(segment_in_ack_out)->Arg(2 * 1460)->Arg(64000);  // an ACK each: two full segments, and many

void text_out_ack_in(benchmark::State& state) {
  connection c;
  const std::vector<std::byte> text(static_cast<std::size_t>(state.range(0)));
  const counted loop{state};
  for (auto _ : state) c.say(text);
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(text_out_ack_in)->Arg(1448)->Arg(64000);

void request_and_response(benchmark::State& state) {
  connection c;
  const std::vector<std::byte> response(static_cast<std::size_t>(state.range(0)));
  std::int64_t frames = 0;
  const counted loop{state};
  for (auto _ : state) frames += c.exchange(100, response);
  state.counters["frames"] = benchmark::Counter(static_cast<double>(frames), benchmark::Counter::kAvgIterations);
}
BENCHMARK(request_and_response)->Arg(200)->Arg(1280);

void checksum(benchmark::State& state) {
  const std::vector<std::byte> octets(static_cast<std::size_t>(state.range(0)), std::byte{0x5a});
  const counted loop{state};
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
  const counted loop{state};
  for (auto _ : state) {
    auto parsed = wire::parse_tcp(segment, peer{}.where(), address::v4(bench::our_address), checksum_state::good);
    benchmark::DoNotOptimize(parsed);
  }
}
BENCHMARK(parse_tcp);

four_tuple ends_of(std::uint32_t i) {
  const peer p{i};
  return {{address::v4(bench::our_address), bench::our_port}, {p.where(), p.port()}};
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
  const counted loop{state};
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.find(nodes[i]->ends));
    i = (i + 7919) % n;  // a stride that visits all, so that no cache helps more than it would
  }
}
BENCHMARK(demux_find)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

void timer_arm_and_cancel(benchmark::State& state) {
  timer_wheel wheel;
  std::vector<timer_node> others(static_cast<std::size_t>(state.range(0)));
  for (std::size_t i = 0; i < others.size(); ++i) wheel.arm(others[i], instant{i * 1us});
  timer_node node;
  instant at{};
  const counted loop{state};
  for (auto _ : state) {
    wheel.arm(node, at += 1us);
    timer_wheel::cancel(node);
  }
}
BENCHMARK(timer_arm_and_cancel)->Arg(0)->Arg(100'000);

}  // namespace
}  // namespace tunic

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  std::fprintf(stderr, "%lld iterations\n", static_cast<long long>(tunic::counted::iterations));
  return 0;
}
