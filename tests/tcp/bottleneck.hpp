#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <vector>

#include "stack/tcp/congestion_control.hpp"

namespace tunic::test {

/// A path with one bottleneck: a rate, a queue in front of it that drops what does not fit, and chance.
struct path {
  double rate = 20e6 / 8;  ///< octets a second
  duration rtt = std::chrono::milliseconds{50};
  double queue = 1e9;       ///< octets
  double loss = 0;          ///< the chance of each segment to be lost before the queue
  double mark_above = 1e9;  ///< octets in the queue above which a segment is marked CE
  duration aggregate{};     ///< ACKs arrive together, at multiples of it
  std::uint64_t seed = 1;
};

class bottleneck;

/// One sender, in virtual time, and no more of TCP than congestion control sees: segments in order of their sending,
/// acknowledged one by one; three later ones delivered make one lost (RFC 6675 without reordering); a timer for the
/// rest.
class flow {
 public:
  flow(bottleneck& b, std::unique_ptr<tcp::congestion_control> cc, instant start);

  [[nodiscard]] const tcp::congestion_control& cc() const { return *cc_; }
  [[nodiscard]] std::uint64_t delivered() const { return total_delivered_; }
  [[nodiscard]] std::uint64_t lost() const { return total_lost_; }
  [[nodiscard]] std::uint32_t in_flight() const { return in_flight_; }
  [[nodiscard]] unsigned timeouts() const { return timeouts_; }
  [[nodiscard]] unsigned episodes() const { return episodes_; }
  [[nodiscard]] duration srtt() const { return srtt_; }
  /// The user sends in bursts of so many octets a second, or all the time (0).
  void limit(double rate) { user_rate_ = rate; }
  /// The user has nothing new to send until then.
  void pause(instant until) { paused_until_ = until; }

  static constexpr std::uint32_t mss = 1460;

 private:
  friend class bottleneck;
  struct transmission {
    std::uint64_t segment = 0;
    instant sent{};
    instant first_sent{};
    instant delivered_at{};
    std::uint64_t delivered = 0;
    std::uint64_t lost = 0;
    std::uint32_t in_flight = 0;
    bool app_limited = false;
    bool again = false;
    bool gone = false;  // delivered, or taken for lost
  };

  void send(instant now);
  void arrives(std::uint64_t number, bool marked, instant now);
  void expires(instant now);
  void lose(transmission& t, tcp::ack_facts& f);
  void arm(instant now);

  bottleneck& path_;
  std::unique_ptr<tcp::congestion_control> cc_;
  std::deque<transmission> sent_;  // in the order of sending; the first has the number base_
  std::uint64_t base_ = 0;
  std::vector<bool> got_;            // by segment
  std::deque<std::uint64_t> again_;  // segments to be sent again
  std::uint64_t una_ = 0, next_ = 0, recovery_point_ = 0;
  std::uint64_t total_delivered_ = 0, total_lost_ = 0, round_end_ = 0, app_limited_until_ = 0, user_sent_ = 0;
  instant delivered_at_{}, first_sent_{}, next_send_{}, timer_{}, start_{};
  duration srtt_{}, rttvar_{}, min_rtt_{}, rto_ = std::chrono::seconds{1};
  std::uint32_t in_flight_ = 0, most_in_flight_ = 0;
  std::uint64_t limited_at_ = 0;
  double user_rate_ = 0;
  instant paused_until_{};
  unsigned timeouts_ = 0, episodes_ = 0, backoff_ = 0;
  bool established_ = false, waiting_ = false, limited_ = false;
  tcp::recovery_phase phase_ = tcp::recovery_phase::open;
};

class bottleneck {
 public:
  explicit bottleneck(path p) : p_(p), chance_(p.seed) {}

  flow& add(tcp::congestion_algorithm a, instant start = instant{}, std::uint64_t seed = 1);
  /// Until then; `each` is called at every millisecond.
  void run(instant until, const std::function<void(instant)>& each = {});

  path& settings() { return p_; }
  [[nodiscard]] double queued(instant now) const;
  [[nodiscard]] double most_queued() const { return most_queued_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  friend class flow;
  enum class kind { arrival, send, timer };
  struct event {
    instant when;
    std::uint64_t order;
    kind what;
    flow* who;
    std::uint64_t number;
    bool marked;
    bool operator>(const event& o) const { return when != o.when ? when > o.when : order > o.order; }
  };

  void carry(flow& f, std::uint64_t number, instant now);
  void at(instant when, kind what, flow& f, std::uint64_t number = 0, bool marked = false);

  path p_;
  std::mt19937_64 chance_;
  std::vector<std::unique_ptr<flow>> flows_;
  std::priority_queue<event, std::vector<event>, std::greater<>> events_;
  instant free_{};  // when the bottleneck has served all it holds
  std::uint64_t order_ = 0, dropped_ = 0;
  double most_queued_ = 0;
};

/// Goodput of `f` as a share of `rate` octets a second, between two moments of a run.
double share(bottleneck& b, const flow& f, instant from, instant until, double rate);

}  // namespace tunic::test
