#include "tests/sim/network.hpp"

#include <algorithm>
#include <sstream>

namespace tunic::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t large = 65536;  // octets of a datagram at most, in the queue

// The longest that a datagram takes.
duration worst(const drivers::path_options& o) {
  duration d = o.delay + o.jitter + o.reorder_by;
  if (o.rate > 0) {
    const std::uint64_t waiting = std::min(o.queue.octets, std::min<std::uint64_t>(o.queue.packets, 1u << 20) * 1500);
    d += duration{static_cast<duration::rep>(static_cast<double>(waiting + large) * 8e9 / static_cast<double>(o.rate))};
  }
  return d;
}

duration patience_on(const network_options& o) {
  constexpr duration longest = 60s;  // config::rto_max
  duration rto = std::max<duration>(1s, 200ms + 3 * (worst(o.there) + worst(o.back)));
  duration sum{};
  for (int i = 0; i < 12; ++i, rto *= 2) sum += std::min(rto, longest);
  return sum;
}

host* addressee(const std::vector<std::unique_ptr<host>>& side, wire::octets datagram) {
  if (side.size() == 1) return side.front().get();
  const bool v4 = datagram.size() >= 20 && wire::load8(datagram.data()) >> 4 == 4;
  const bool v6 = datagram.size() >= 40 && wire::load8(datagram.data()) >> 4 == 6;
  if (!v4 && !v6) return nullptr;
  const auto to = v4 ? datagram.subspan(16, 4) : datagram.subspan(24, 16);
  for (const auto& h : side) {
    const auto own = std::as_bytes(std::span{h->own().octets()}).last(to.size());
    if (h->own().is_v4() == v4 && std::equal(to.begin(), to.end(), own.begin())) return h.get();
  }
  return nullptr;
}

}  // namespace

network::network(const network_options& o, std::ostream* transcript)
    : there_(o.there, o.seed), back_(o.back, ~o.seed), transcript_(transcript), patience_(patience_on(o)) {}

host& network::add(hosts& side, const host_options& o) {
  side.push_back(std::make_unique<host>(o, transcript_));
  return *side.back();
}

template <class F>
void network::each(F f) {
  for (auto& h : left_) f(*h, there_);
  for (auto& h : right_) f(*h, back_);
}

void network::deliver(drivers::path& p, hosts& side) {
  for (slice d = p.pop(now_); !d.empty(); d = p.pop(now_)) {
    if (host* h = addressee(side, d.octets())) h->on_datagram(d.octets(), now_);
  }
}

std::string network::step() {
  deliver(there_, right_);
  deliver(back_, left_);
  std::string wrong;
  std::uint64_t progress = 0;
  instant awake = now_;
  bool busy = false;
  each([&](host& h, drivers::path& out) {
    h.on_deadline(now_);
    h.act(out, now_);
    if (wrong.empty()) wrong = h.fault();
    progress += h.progress();
    awake = std::max(awake, h.pause(now_));
    busy = busy || h.busy();
  });
  if (progress != progress_ || awake > now_) {
    progress_ = progress;
    if (busy_) longest_ = std::max(longest_, now_ - last_progress_);
    last_progress_ = awake;
    busy_ = busy;
  }
  return wrong;
}

std::string network::failed(const std::string& what) const {
  std::ostringstream out;
  out << what << ", after " << std::chrono::duration<double>(now_.time_since_epoch()).count() << " s";
  for (const hosts* side : {&left_, &right_}) {
    for (const auto& h : *side) out << "; " << h->describe();
  }
  return out.str();
}

std::string network::run(instant until) {
  for (;;) {
    if (std::string wrong = step(); !wrong.empty()) return failed(wrong);
    instant next = std::min(there_.next_deadline(), back_.next_deadline());
    bool finished = true;
    each([&](host& h, drivers::path&) {
      next = std::min(next, h.next_deadline());
      finished = finished && h.finished();
    });
    if (finished && next == never) break;
    if (next > until) {
      now_ = until;
      return {};
    }
    if (next == never) return failed("stalled for ever");
    if (!finished && next - last_progress_ > patience_) return failed("stalled");
    constexpr unsigned too_many = 1u << 20;
    if (next > now_) {
      now_ = next;
      idle_steps_ = 0;
    } else if (++idle_steps_ > too_many) {
      return failed("busy, and no time passes");
    }
  }
  std::string wrong;
  each([&](host& h, drivers::path&) {
    if (wrong.empty()) wrong = h.leak();
  });
  return wrong.empty() ? wrong : failed(wrong);
}

}  // namespace tunic::sim
