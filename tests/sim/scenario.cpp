#include "tests/sim/scenario.hpp"

#include <algorithm>
#include <cmath>

#include "stack/tcp/isn.hpp"

namespace tunic::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t client_port = 40000;
constexpr std::uint16_t server_port = 80;

/// A seed's chances.
class dice {
 public:
  explicit dice(std::uint64_t seed) : random_(seed, 2) {}

  bool chance(double share) { return random_.chance(share); }
  double even(double from, double to) {
    return from + (to - from) * (static_cast<double>(random_.next() >> 11) * 0x1p-53);
  }
  /// Every doubling is as likely as any other.
  double scale(double from, double to) { return std::exp(even(std::log(from), std::log(to))); }
  std::uint64_t scale(std::uint64_t from, std::uint64_t to) {
    return static_cast<std::uint64_t>(std::llround(scale(static_cast<double>(from), static_cast<double>(to))));
  }
  duration scale(duration from, duration to) {
    return duration{static_cast<duration::rep>(
        scale(static_cast<std::uint64_t>(from.count()), static_cast<std::uint64_t>(to.count())))};
  }
  template <class T>
  T one_of(std::initializer_list<T> list) {
    return list.begin()[random_.below(list.size())];
  }
  std::uint64_t next() { return random_.next(); }

 private:
  drivers::random_stream random_;
};

void draw_loss(dice& d, drivers::path_options& p) {
  constexpr double most = 0.1;
  const double kind = d.even(0, 1);
  if (kind < 0.35) return;
  if (kind < 0.75) {
    p.loss = d.scale(0.0001, most);
  } else if (kind < 0.9) {
    const double share = d.scale(0.001, most);
    // Chance runs on with the datagrams, and a sender in trouble sends few: a burst of twenty would outlast them all.
    p.burst_ends = d.even(0.7, 1);
    p.burst_begins = share * p.burst_ends / (1 - share);
  } else {
    // A period that divided the longest timeout, 60 s, would meet every retransmission.
    do p.burst_interval = d.scale(500ms, duration{5s});
    while (60s % p.burst_interval < p.burst_interval / 4 || 60s % p.burst_interval > p.burst_interval * 3 / 4);
    p.burst_size = d.scale(std::uint64_t{2}, std::uint64_t{50});
  }
}

drivers::path_options draw_path(dice& d, duration delay, std::uint64_t rate) {
  drivers::path_options p;
  p.rate = rate;
  p.delay = delay;
  draw_loss(d, p);
  if (d.chance(0.25)) p.duplicate = d.scale(0.001, 0.05);
  if (d.chance(0.2)) p.corrupt = d.scale(0.0001, 0.01);
  if (d.chance(0.4)) {
    p.jitter = d.scale(duration{50us}, std::max<duration>(delay / 2, 100us));
    p.jitter_reorders = d.chance(0.5);
  }
  if (d.chance(0.25)) {
    p.reorder = d.scale(0.001, 0.05);
    p.reorder_by = d.scale(duration{100us}, std::max<duration>(delay, 1ms));
  }
  const double bdp = static_cast<double>(rate) / 8 * std::chrono::duration<double>(2 * delay).count();
  p.queue.octets = static_cast<std::uint64_t>(std::max(bdp * d.scale(0.25, 4), 30'000.0));
  if (d.chance(0.2)) p.queue.packets = d.scale(std::uint64_t{16}, std::uint64_t{1000});
  if (d.chance(0.3)) p.unmarked.octets = p.queue.octets / 4;
  if (d.chance(0.04)) p.largest = 1300;
  return p;
}

void draw_stack(dice& d, side& s, bool ipv6) {
  tcp::config& c = s.host.stack.tcp;
  using enum tcp::congestion_algorithm;
  c.congestion = d.one_of({cubic, cubic, reno, bbr});
  c.pacing = d.chance(0.3);
  c.ecn = d.one_of({tcp::ecn_use::off, tcp::ecn_use::passive, tcp::ecn_use::on, tcp::ecn_use::accurate});
  c.sack = d.chance(0.85);
  c.timestamps = d.chance(0.8);
  c.window_scale = d.chance(0.9);
  c.delayed_ack = d.one_of<duration>({40ms, 40ms, 200ms});
  c.initial_window = d.one_of({10u, 10u, 10u, 2u});
  if (d.chance(0.03)) c.memory = 512u << 10;
  if (d.chance(0.2)) s.host.stack.ip.mtu = d.scale(std::uint64_t{ipv6 ? 1280u : 576u}, std::uint64_t{9000});
  if (d.chance(0.5)) s.host.stack.device = {.checksum = true, .segmentation_v4 = true, .segmentation_v6 = true};
  s.host.ahead = d.scale(duration{1s}, duration{1000h});
  s.host.seed = d.next();
  s.no_delay = d.chance(0.3);
  if (d.chance(0.3)) s.iss_before_wrap = static_cast<std::uint32_t>(d.scale(std::uint64_t{1}, std::uint64_t{60'000}));
}

void draw_user(dice& d, side& s, bool steady) {
  habits& h = s.user;
  constexpr std::uint64_t least = 64u << 10, most = 16u << 20;  // so that the median is 1 MiB
  h.octets = d.scale(least, most);
  h.lets_go = d.chance(0.2);
  h.shares = d.chance(0.3);
  if (steady) return;
  h.write_size = d.scale(std::uint64_t{16}, std::uint64_t{octets::most});
  h.read_size = d.scale(std::uint64_t{16}, std::uint64_t{octets::most});
  if (d.chance(0.4)) {
    h.write_pauses = static_cast<unsigned>(d.scale(std::uint64_t{1}, std::uint64_t{20}));
    h.write_pause = d.scale(duration{1ms}, duration{10s});
  }
  if (d.chance(0.4)) {
    h.read_pauses = static_cast<unsigned>(d.scale(std::uint64_t{1}, std::uint64_t{20}));
    h.read_pause = d.scale(duration{10ms}, duration{20s});
  }
  if (d.chance(0.4))
    s.receive_buffer = static_cast<std::uint32_t>(d.scale(std::uint64_t{2000}, std::uint64_t{1u << 20}));
  if (d.chance(0.4)) s.send_buffer = static_cast<std::uint32_t>(d.scale(std::uint64_t{2000}, std::uint64_t{1u << 20}));
}

/// How far a host's clock is ahead, so that the number it begins with stands where the scenario wants it.
duration ahead_for(const side& s, const endpoint& own, const endpoint& peer, instant at) {
  if (s.iss_before_wrap == 0) return s.host.ahead;
  const seq now = tcp::isn_generator{host::secret_of(s.host.seed)}.next({own, peer}, at + s.host.ahead);
  return s.host.ahead + 4us * std::int64_t{0u - s.iss_before_wrap - now.value()};
}

double lost_share(const drivers::path_counters& c) {
  const std::uint64_t lost = c.lost + c.corrupted + c.too_large;
  return c.came > 0 ? static_cast<double>(lost) / static_cast<double>(c.came) : 0;
}

flow flow_of(const user& sender, const user& receiver, const host& from, const side& s, const drivers::path_options& p,
             duration rtt, duration ahead) {
  flow f;
  f.octets = sender.written();
  // The receiver's user tells its own host's time.
  f.time = receiver.finished_at() == never ? duration{} : receiver.finished_at().time_since_epoch() - ahead;
  f.rate = p.rate;
  f.rtt = rtt;
  f.algorithm = s.host.stack.tcp.congestion;
  f.retransmits = from.stack().counters().retransmits;
  f.timeouts = from.stack().counters().timeouts;
  return f;
}

}  // namespace

duration flow::ideal() const {
  const double bits_a_second = static_cast<double>(rate);
  const double round = std::chrono::duration<double>(rtt).count();
  double left = static_cast<double>(octets) * 8, window = 10 * 1460 * 8, passed = 1.5 * round;
  while (left > window && window < bits_a_second * round) {
    left -= window;
    passed += std::max(round, window / bits_a_second);
    window *= 2;
  }
  return duration{static_cast<duration::rep>((passed + left * 1500 / 1448 / bits_a_second) * 1e9)};
}

scenario random_scenario(std::uint64_t seed) {
  dice d{seed};
  scenario s;
  s.seed = s.path.seed = seed;
  const bool ipv6 = d.chance(0.4);
  const duration delay = d.scale(duration{100us}, duration{300ms});
  const std::uint64_t rate = d.scale(std::uint64_t{1'000'000}, std::uint64_t{1'000'000'000});
  s.path.there = draw_path(d, delay, rate);
  s.path.back =
      draw_path(d, delay, d.chance(0.7) ? rate : d.scale(std::uint64_t{1'000'000}, std::uint64_t{1'000'000'000}));
  s.client.host = {.name = "client", .own = *address::parse(ipv6 ? "2001:db8::1" : "198.51.100.1")};
  s.server.host = {.name = "server", .own = *address::parse(ipv6 ? "2001:db8::2" : "198.51.100.2")};
  s.steady = d.chance(0.5);
  for (side* one : {&s.client, &s.server}) {
    draw_stack(d, *one, ipv6);
    draw_user(d, *one, s.steady);
  }
  if (d.chance(0.3)) (d.chance(0.5) ? s.client : s.server).user.closes_last = true;
  s.simultaneous = d.chance(0.03);
  return s;
}

outcome run(const scenario& s, std::ostream* transcript) {
  constexpr std::uint64_t from_client = 1, from_server = 2;
  const endpoint left{s.client.host.own, client_port}, right{s.server.host.own, server_port};
  network n{s.path, transcript};
  host_options client = s.client.host, server = s.server.host;
  client.ahead = ahead_for(s.client, left, right, instant{});
  server.ahead = ahead_for(s.server, right, left, instant{s.path.there.delay});
  host& l = n.add_left(client);
  host& r = n.add_right(server);

  const auto open = [](const side& one, const endpoint& own, const endpoint& remote) {
    tcp::open_options o;
    o.remote = remote;
    o.local_port = own.port;
    o.no_delay = one.no_delay;
    o.receive_buffer = one.receive_buffer;
    o.send_buffer = one.send_buffer;
    return o;
  };
  const auto serve = [&] {
    tcp::listen_options o;
    o.local = right;
    o.no_delay = s.server.no_delay;
    o.receive_buffer = s.server.receive_buffer;
    o.send_buffer = s.server.send_buffer;
    return o;
  };
  user& a =
      l.opens(s.client.user, open(s.client, left, right), from_client, from_server, s.server.user.octets, n.now());
  user& b = s.simultaneous ? r.opens(s.server.user, open(s.server, right, left), from_server, from_client,
                                     s.client.user.octets, n.now())
                           : r.listens(s.server.user, serve(), from_server, from_client, s.client.user.octets);
  outcome o;
  o.fault = n.run();
  o.time = n.now().time_since_epoch();
  o.longest_silence = n.longest_silence();
  o.patience = n.patience();
  const duration rtt = s.path.there.delay + s.path.back.delay;
  o.flows = {flow_of(a, b, l, s.client, s.path.there, rtt, server.ahead),
             flow_of(b, a, r, s.server, s.path.back, rtt, client.ahead)};
  o.flows[0].loss = lost_share(n.there());
  o.flows[1].loss = lost_share(n.back());
  return o;
}

namespace {

std::string_view name(tcp::ecn_use u) {
  switch (u) {
    case tcp::ecn_use::off: return "off";
    case tcp::ecn_use::passive: return "passive";
    case tcp::ecn_use::on: return "on";
    case tcp::ecn_use::accurate: return "accurate";
  }
  return "?";
}

double ms(duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

void describe_path(const drivers::path_options& p, std::ostream& out) {
  out << static_cast<double>(p.rate) / 1e6 << " Mbit/s, delay " << ms(p.delay) << " ms, queue " << p.queue.octets
      << " octets";
  if (p.queue.packets != UINT64_MAX) out << " or " << p.queue.packets << " datagrams";
  if (p.loss > 0) out << ", loss " << p.loss * 100 << " %";
  if (p.burst_begins > 0) out << ", bursts at " << p.burst_begins * 100 << " % of " << 1 / p.burst_ends;
  if (p.burst_size > 0) out << ", " << p.burst_size << " lost each " << ms(p.burst_interval) << " ms";
  if (p.duplicate > 0) out << ", duplicates " << p.duplicate * 100 << " %";
  if (p.corrupt > 0) out << ", corrupted " << p.corrupt * 100 << " %";
  if (p.jitter > duration{}) out << ", jitter " << ms(p.jitter) << " ms" << (p.jitter_reorders ? " that reorders" : "");
  if (p.reorder > 0) out << ", reordered " << p.reorder * 100 << " % by " << ms(p.reorder_by) << " ms";
  if (p.unmarked.octets != UINT64_MAX) out << ", marks beyond " << p.unmarked.octets << " octets";
  if (p.largest != SIZE_MAX) out << ", nothing beyond " << p.largest << " octets";
  out << '\n';
}

void describe_side(const side& s, std::ostream& out) {
  const tcp::config& c = s.host.stack.tcp;
  const habits& h = s.user;
  out << s.host.name << ": " << tcp::name(c.congestion) << (c.pacing ? ", paced" : "") << ", ecn " << name(c.ecn)
      << (c.sack ? "" : ", no SACK") << (c.timestamps ? "" : ", no timestamps") << (c.window_scale ? "" : ", no scale")
      << ", mtu " << s.host.stack.ip.mtu << (s.host.stack.device.segmentation_v4 ? ", offload" : "")
      << (s.no_delay ? ", no delay" : "") << ", delayed ACK " << ms(c.delayed_ack) << " ms, initial window "
      << c.initial_window << ", memory " << c.memory << ", buffers " << s.receive_buffer << " and " << s.send_buffer;
  if (s.iss_before_wrap > 0) out << ", " << s.iss_before_wrap << " before the wrap";
  out << "\n  sends " << h.octets << " octets by " << h.write_size << ", reads by " << h.read_size;
  if (h.write_pauses > 0) out << ", " << h.write_pauses << " pauses of " << ms(h.write_pause) << " ms in writing";
  if (h.read_pauses > 0) out << ", " << h.read_pauses << " pauses of " << ms(h.read_pause) << " ms in reading";
  out << (h.closes_last ? ", closes last" : "") << (h.lets_go ? ", lets go" : "") << (h.shares ? ", shares" : "")
      << '\n';
}

}  // namespace

void describe(const scenario& s, std::ostream& out) {
  out << "seed " << s.seed << (s.client.host.own.is_v4() ? ", IPv4" : ", IPv6")
      << (s.simultaneous ? ", simultaneous open" : "") << "\nthere: ";
  describe_path(s.path.there, out);
  out << "back: ";
  describe_path(s.path.back, out);
  describe_side(s.client, out);
  describe_side(s.server, out);
}

}  // namespace tunic::sim
