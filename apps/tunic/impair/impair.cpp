#include "apps/tunic/impair/impair.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include "apps/tunic/impair/relay.hpp"
#include "drivers/link.hpp"
#include "drivers/netns.hpp"
#include "drivers/tun.hpp"

namespace tunic::app {
namespace {

/// Attaches to a device in its namespace.
void open(std::optional<drivers::tun>& device, const impair_end& end) {
  const auto log = [where = end.text](std::string_view sentence) { spdlog::info("{}: {}", where, sentence); };
  drivers::netns{end.netns}.inside([&] {
    device.emplace(drivers::tun_options{.name = end.device, .log = log});
    drivers::await_link(end.device);
    const auto all = drivers::link_addresses();
    const bool has_address = std::any_of(all.begin(), all.end(), [&](auto& a) { return a.link == end.device; });
    if (drivers::link_is_up(end.device) && has_address) return;
    const std::string ip = end.netns.empty() || end.netns == "." ? "ip" : "ip -n " + end.netns;
    spdlog::info("{} is not up yet or has no address: '{} address add A/LEN dev {}', '{} link set {} up'", end.text, ip,
                 end.device, ip, end.device);
  });
}

std::string describe(const drivers::path_options& p) {
  const drivers::path_options none;
  std::string all;
  const auto say = [&](const std::string& what) { all += (all.empty() ? "" : ", ") + what; };
  if (p.rate > 0) say("rate " + print_rate(p.rate) + ", queue " + print_queue(p.queue));
  if (p.rate > 0 && std::min(p.unmarked.packets, p.unmarked.octets) != UINT64_MAX)
    say("CE above " + print_queue(p.unmarked));
  if (p.delay > none.delay) say("delay " + print_time(p.delay));
  if (p.jitter > none.jitter) say("jitter " + print_time(p.jitter) + (p.jitter_reorders ? " out of order" : ""));
  if (p.loss > 0) say("loss " + print_share(p.loss));
  if (p.burst_begins > 0) say("bursts " + print_share(p.burst_begins) + " to " + print_share(p.burst_ends));
  if (p.burst_interval > none.burst_interval && p.burst_size > 0)
    say(fmt::format("{} lost every {}", p.burst_size, print_time(p.burst_interval)));
  if (p.reorder > 0) say(print_share(p.reorder) + " held back " + print_time(p.reorder_by));
  if (p.duplicate > 0) say("duplicates " + print_share(p.duplicate));
  if (p.corrupt > 0) say("corrupt " + print_share(p.corrupt));
  if (p.largest != none.largest) say(fmt::format("nothing above {} octets", p.largest));
  return all.empty() ? "clean" : all;
}

void print_summary(const impair_end& from, const impair_end& to, const relay_direction& d) {
  const drivers::path_counters& c = d.path().counters();
  fmt::print(
      "{} -> {}: came {}, passed {} ({} octets), lost {}, queue-drops {}, too-large {}, reordered {}, duplicated {}, "
      "corrupted {}, marked {}, refused {}, under-way {}, late {:.3f} ms (at most {:.3f})\n",
      from.text, to.text, c.came, c.passed, c.passed_octets, c.lost, c.queue_drops, c.too_large, c.reordered,
      c.duplicated, c.corrupted, c.marked, d.refused(), d.path().under_way(),
      static_cast<double>(d.mean_lateness().count()) / 1e6, static_cast<double>(d.most_lateness().count()) / 1e6);
}

}  // namespace

void impair(const impair_options& o) {
  std::optional<drivers::tun> first, second;
  open(first, o.first);
  open(second, o.second);
  relay_direction there{o.first.text, *first, *second, o.there.path, o.seed};
  relay_direction back{o.second.text, *second, *first, o.back.path, ~o.seed};
  relay r{there, back, {o.count, o.time}};
  fmt::print("relaying {} <-> {}; there: {}; back: {}; seed {}\n", o.first.text, o.second.text, describe(o.there.path),
             describe(o.back.path), o.seed);
  std::fflush(stdout);

  const auto summarise = [&] {
    print_summary(o.first, o.second, there);
    print_summary(o.second, o.first, back);
    std::fflush(stdout);
  };
  try {
    r.run();
  } catch (...) {
    summarise();
    throw;
  }
  summarise();
}

}  // namespace tunic::app
