#include "apps/tunic/impair/options.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>

#include <CLI/CLI.hpp>

namespace tunic::app {
namespace {

using namespace std::chrono_literals;
using text = std::string_view;

constexpr std::uint64_t least_default_queue = 100'000;  // octets; some 66 datagrams of 1,500
constexpr duration least_default_reorder = 1ms;

template <class To, class T>
bool assign(To& to, const std::optional<T>& value) {
  if (value) to = *value;
  return value.has_value();
}

/// Both halves of "A,B".
std::pair<text, std::optional<text>> halves(text t) {
  const auto comma = t.find(',');
  if (comma == text::npos) return {t, std::nullopt};
  return {t.substr(0, comma), t.substr(comma + 1)};
}

bool set_jitter(impair_direction& d, text t) {
  const auto [most, order] = halves(t);
  d.path.jitter_reorders = order.has_value();
  return assign(d.path.jitter, parse_time(most)) && (!order || *order == "reorder");
}

bool set_burst(impair_direction& d, text t) {
  const auto [begins, ends] = halves(t);
  return ends && assign(d.path.burst_begins, parse_share(begins)) && assign(d.path.burst_ends, parse_share(*ends));
}

bool set_period(impair_direction& d, text t) {
  const auto [interval, count] = halves(t);
  if (!count || !assign(d.path.burst_interval, parse_time(interval)) || d.path.burst_interval == 0s) return false;
  const char* const end = count->data() + count->size();
  return std::from_chars(count->data(), end, d.path.burst_size) == std::from_chars_result{end, std::errc{}};
}

bool set_reorder(impair_direction& d, text t) {
  const auto [share, by] = halves(t);
  d.reorder_by.reset();
  return assign(d.path.reorder, parse_share(share)) && (!by || assign(d.reorder_by, parse_time(*by)));
}

bool set_largest(impair_direction& d, text t) {
  const char* const end = t.data() + t.size();
  return std::from_chars(t.data(), end, d.path.largest) == std::from_chars_result{end, std::errc{}};
}

const struct {
  const char* name;
  const char* type;
  bool (*set)(impair_direction&, text);  // false where the text is no such value
  const char* expected;
  const char* help;
} impairments[] = {
    {"delay", "TIME", [](impair_direction& d, text t) { return assign(d.path.delay, parse_time(t)); },
     "a time, such as 50ms", "one way: 50ms make a round trip of 100 ms"},
    {"jitter", "TIME[,reorder]", set_jitter, "a time, such as 5ms, or 5ms,reorder",
     "at most so much more delay, drawn for each datagram; order is kept\nunless \",reorder\" follows"},
    {"rate", "RATE", [](impair_direction& d, text t) { return assign(d.path.rate, parse_rate(t)); },
     "a rate, such as 20mbit", "of a bottleneck, with a queue before it: kbit, mbit, gbit"},
    {"queue", "LENGTH", [](impair_direction& d, text t) { return assign(d.queue, parse_queue(t)); },
     "the length of a queue, such as 200p (packets), 64kB or bdp:2",
     "of that queue: 200p packets, 64kB, or bdp:2, twice what the rate carries\nin a round trip; what comes when it is "
     "full is dropped\n(default: bdp:1, at least 100kB)"},
    {"ecn-mark", "LENGTH", [](impair_direction& d, text t) { return assign(d.unmarked, parse_queue(t)); },
     "the length of a queue, such as 20p (packets), 30kB or bdp:0.5",
     "mark CE what makes the queue longer than this, where it is ECN-capable"},
    {"loss", "SHARE", [](impair_direction& d, text t) { return assign(d.path.loss, parse_share(t)); },
     "a share, such as 1%", "lost, each datagram by itself"},
    {"loss-burst", "P,R", set_burst, "two shares, such as 0.5%,25%",
     "a burst of losses begins at a share P of the datagrams and ends at a\nshare R of those in it (Gilbert-Elliott): "
     "0.5%,25% lose 2 %, 4 at a time"},
    {"burst-every", "TIME,N", set_period, "a time and a number, such as 1s,5",
     "lose the first N datagrams of each such period but the first, where they\ncome within a tenth of it"},
    {"reorder", "SHARE[,TIME]", set_reorder, "a share, such as 2%, or with a time, such as 2%,3ms",
     "held back for that time, while others overtake them\n(default: a quarter of the delay, at least 1ms)"},
    {"duplicate", "SHARE", [](impair_direction& d, text t) { return assign(d.path.duplicate, parse_share(t)); },
     "a share, such as 1%", "sent twice"},
    {"corrupt", "SHARE", [](impair_direction& d, text t) { return assign(d.path.corrupt, parse_share(t)); },
     "a share, such as 1%", "one bit of each is flipped"},
    {"mtu-hole", "OCTETS", set_largest, "a number of octets, such as 1300",
     "larger datagrams vanish, and no ICMP error tells"},
};

void add_direction(CLI::App& command, const std::string& prefix, std::initializer_list<impair_direction*> to) {
  for (const auto& i : impairments) {
    const std::string name = "--" + prefix + i.name;
    command
        .add_option_function<std::string>(
            name,
            [targets = std::vector<impair_direction*>{to}, name, &i](const std::string& t) {
              for (impair_direction* d : targets)
                if (!i.set(*d, t)) throw CLI::ValidationError(name, '"' + t + "\" is not " + i.expected);
            },
            i.help)
        ->type_name(i.type)
        ->group(prefix.empty() ? "The path" : "");  // one direction's are told of in the footer
  }
}

void add_end(CLI::App& command, const char* name, impair_end& end, const char* help) {
  command
      .add_option_function<std::string>(
          name,
          [&end, name](const std::string& t) {
            const auto colon = t.rfind(':');
            if (colon == std::string::npos || colon + 1 == t.size())
              throw CLI::ValidationError(name, '"' + t +
                                                   "\" is not NETNS:DEVICE, such as left:tun0, or .:tun0 in the "
                                                   "present network namespace");
            end = {t.substr(0, colon), t.substr(colon + 1), t};
          },
          help)
      ->required()
      ->type_name("");
}

void resolve(impair_direction& d, duration round_trip) {
  drivers::path_options& p = d.path;
  p.reorder_by = d.reorder_by.value_or(std::max<duration>(p.delay / 4, least_default_reorder));
  // What the link carries in a round trip, in octets.
  const double product = static_cast<double>(p.rate) / 8 * std::chrono::duration<double>{round_trip}.count();
  const auto fix = [&](const char* option, const std::optional<queue_size>& size, drivers::queue_length& to) {
    if (!size || p.rate == 0) return;
    if (size->round_trips && round_trip == 0s)
      throw CLI::ValidationError(option, "bdp needs a --delay: without one a round trip takes no time");
    to = size->length;
    if (size->round_trips) to.octets = static_cast<std::uint64_t>(product * *size->round_trips);
  };
  if (p.rate > 0) p.queue.octets = std::max(static_cast<std::uint64_t>(product), least_default_queue);
  fix("--queue", d.queue, p.queue);
  fix("--ecn-mark", d.unmarked, p.unmarked);
}

}  // namespace

CLI::App* add_impair(CLI::App& app, impair_options& o) {
  CLI::App* c = app.add_subcommand("impair", "Connect two TUN devices by a path that loses, delays and limits");
  add_end(*c, "FIRST", o.first,
          "NETNS:DEVICE, a TUN device in a network namespace; made if there is none of that name");
  add_end(*c, "SECOND", o.second, "the other one");
  add_direction(*c, "", {&o.there, &o.back});
  // CLI11 calls back in the order of definition, so that one direction's own value wins.
  add_direction(*c, "there-", {&o.there});
  add_direction(*c, "back-", {&o.back});

  const char* const run = "The run";
  c->add_option("--seed", o.seed, "of all that is drawn: one seed treats the n-th datagram of a direction alike")
      ->capture_default_str()
      ->type_name("N")
      ->group(run);
  c->add_option("--count", o.count, "end after so many datagrams of both directions, once they have arrived")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->group(run);
  c->add_option_function<std::string>(
       "--duration",
       [&o](const std::string& t) {
         if (!assign(o.time, parse_time(t)) || o.time == 0s)
           throw CLI::ValidationError("--duration", '"' + t + "\" is not a time, such as 60s");
       },
       "end after so long (default: Ctrl-C ends)")
      ->type_name("TIME")
      ->group(run);
  c->footer(
      "Each option of the path holds both ways. --there-delay, --there-loss and so on are for the way from FIRST to\n"
      "SECOND alone, --back-delay, --back-loss and so on for the way back; they win over --delay, --loss and so on.\n"
      "NETNS is a name of 'ip netns list', a path such as /proc/PID/ns/net, or \".\" for the present one. Of the "
      "kernel's\n"
      "side nothing is touched: addresses, routes and MTU are yours to set. Super-segments of the kernel's are cut, "
      "so\n"
      "that the path acts on the segments of a wire. The relay has real-time priority where that is permitted.\n\n"
      "It says when it relays. Ctrl-C ends it, and it prints of each direction what became of the datagrams that "
      "came:\n"
      "passed, lost by chance, dropped at a full queue, too large for the hole; of those that passed how many others\n"
      "overtook, were doubled, corrupted, marked CE, or refused by the device; and how much later than due they left,\n"
      "the mean and the most.\n\n"
      "Example, as root: two namespaces, 20 Mbit/s, a round trip of 100 ms, 1 % loss on the way there\n"
      "  ip netns add left && ip netns add right\n"
      "  ip -n left tuntap add tun0 mode tun && ip -n right tuntap add tun0 mode tun\n"
      "  ip -n left address add 198.51.100.1/24 dev tun0 && ip -n left link set tun0 up\n"
      "  ip -n right address add 198.51.100.2/24 dev tun0 && ip -n right link set tun0 up\n"
      "  tunic impair left:tun0 right:tun0 --rate 20mbit --delay 50ms --there-loss 1% &\n"
      "  ip netns exec left ping 198.51.100.2\n\n"
      "Exit codes: 0 ended as asked, 1 failure of a device or a namespace, 2 wrong usage.");
  return c;
}

void resolve(impair_options& o) {
  if (o.first.device == o.second.device && o.first.netns == o.second.netns)
    throw CLI::ValidationError("SECOND", "is the device that FIRST is; a path has two ends");
  if (o.there.path.rate == 0 && o.back.path.rate == 0)
    for (const impair_direction* d : {&o.there, &o.back})
      if (d->queue || d->unmarked)
        throw CLI::ValidationError(d->queue ? "--queue" : "--ecn-mark",
                                   "needs a --rate: nothing waits where there is no bottleneck");
  const duration round_trip = o.there.path.delay + o.back.path.delay;
  resolve(o.there, round_trip);
  resolve(o.back, round_trip);
}

}  // namespace tunic::app
