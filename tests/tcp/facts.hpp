#pragma once

#include "stack/tcp/congestion_control.hpp"

namespace tunic::test {

using namespace std::chrono_literals;
using tcp::ack_facts;
using tcp::congestion_algorithm;
using tcp::congestion_cause;
using tcp::recovery_phase;

inline constexpr std::uint32_t seg = 1000;  // octets of a segment
inline constexpr instant start{std::chrono::hours{1}};

/// A sender without a network: tells a congestion control what happens, in segments, and moves the time on.
struct teller {
  std::unique_ptr<tcp::congestion_control> cc;
  instant now = start;
  duration rtt = 100ms;
  duration queueing{};  // of it
  std::uint32_t in_flight = 0;
  recovery_phase phase = recovery_phase::open;
  bool limited = true;
  bool reorders = false;
  std::uint64_t delivered = 0;

  explicit teller(congestion_algorithm a, std::uint32_t initial = 10, duration first_rtt = 100ms)
      : cc(tcp::make_congestion_control(a, 1)), rtt(first_rtt) {
    cc->on_established(initial * seg, seg, first_rtt, now);
  }

  [[nodiscard]] double cwnd() const { return cc->cwnd() / static_cast<double>(seg); }
  [[nodiscard]] double ssthresh() const { return cc->ssthresh() / static_cast<double>(seg); }

  void sends(std::uint32_t segments) {
    cc->on_send(segments * seg, in_flight, false, now);
    in_flight += segments * seg;
  }
  /// Sends what the window allows.
  void fills() {
    if (cc->cwnd() > in_flight) sends((cc->cwnd() - in_flight) / seg);
  }

  struct what {
    std::uint32_t delivered = 1;  // segments
    std::uint32_t acked = 1;
    std::uint32_t lost = 0;
    std::uint32_t marked = 0;
    bool round = false;
    bool reordering = false;
  };
  void ack(what w) {
    ack_facts f;
    f.now = now;
    f.phase = phase;
    f.acked = w.acked * seg;
    f.delivered = w.delivered * seg;
    f.lost = w.lost * seg;
    f.marked = w.marked * seg;
    f.prior_in_flight = in_flight;
    in_flight -= std::min(in_flight, (w.delivered + w.lost) * seg);
    f.in_flight = in_flight;
    delivered += w.delivered * seg;
    f.total_delivered = delivered;
    f.round_start = w.round;
    f.reordering_seen = reorders || w.reordering;
    f.window_limited = limited;
    f.rtt = f.srtt = rtt;
    f.min_rtt = rtt - queueing;
    cc->on_ack(f);
  }
  /// The window is sent, a round trip passes and all of it is acknowledged, `each` segments an ACK.
  void round_trip(std::uint32_t each = 1) {
    fills();
    now += rtt;
    bool first = true;
    for (std::uint32_t left = in_flight / seg; left > 0;) {
      const std::uint32_t n = std::min(each, left);
      ack({.delivered = n, .acked = n, .round = std::exchange(first, false)});
      left -= n;
    }
  }
  /// A loss is found by the ACK that reports so many segments selectively, `lost` of them.
  void loses(std::uint32_t lost = 1, std::uint32_t sacked = 1) {
    phase = recovery_phase::recovery;
    cc->on_congestion(congestion_cause::loss, in_flight, now);
    ack({.delivered = sacked, .acked = 0, .lost = lost});
  }
  /// The episode ends, with the ACK of so many segments, all but `late` of which had been reported before.
  void recovers(std::uint32_t acked = 1, std::uint32_t late = 1) {
    phase = recovery_phase::open;
    cc->on_recovered(in_flight, now);
    ack({.delivered = late, .acked = acked});
  }
  void times_out(bool again = false) {
    phase = recovery_phase::loss;
    const auto before = in_flight;
    in_flight = 0;
    cc->on_timeout(before, again, now);
  }
};

}  // namespace tunic::test
