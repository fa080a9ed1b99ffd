#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "stack/base/time.hpp"

namespace tunic::tcp {

/// Which algorithm a connection's congestion control runs.
enum class congestion_algorithm : std::uint8_t { reno, cubic, bbr };

constexpr std::string_view name(congestion_algorithm a) {
  switch (a) {
    case congestion_algorithm::reno: return "reno";
    case congestion_algorithm::cubic: return "cubic";
    case congestion_algorithm::bbr: return "bbr";
  }
  return "?";
}

/// What the sender believes of the path. It decides it; congestion control is told.
enum class recovery_phase : std::uint8_t {
  open,      ///< nothing seems wrong
  disorder,  ///< duplicate ACKs or SACK blocks, but no loss is proven
  cwr,       ///< the window shrinks because of ECN marks (RFC 3168 §6.1.2)
  recovery,  ///< fast recovery: loss was found by ACKs (RFC 6675 §5, RFC 8985 §6.2)
  loss,      ///< the retransmission timer expired (RFC 5681 §3.1)
};

constexpr std::string_view name(recovery_phase p) {
  switch (p) {
    case recovery_phase::open: return "open";
    case recovery_phase::disorder: return "disorder";
    case recovery_phase::cwr: return "cwr";
    case recovery_phase::recovery: return "recovery";
    case recovery_phase::loss: return "loss";
  }
  return "?";
}

/// The threshold before any congestion was met: slow start goes on (RFC 5681 §3.1, arbitrarily high).
inline constexpr std::uint32_t no_threshold = 0x7fffffff;

/// Why the window has to shrink without a timeout.
enum class congestion_cause : std::uint8_t { loss, ecn };

/// How fast the path delivers, measured over the flight of one segment (draft-ietf-ccwg-bbr-04 §4.1).
struct rate_sample {
  std::uint64_t delivered = 0;        ///< octets delivered in `interval`
  duration interval{};                ///< zero: this ACK gave no sample
  std::uint64_t prior_delivered = 0;  ///< octets delivered by the connection when the segment was sent
  std::uint32_t tx_in_flight = 0;     ///< octets in flight just after it was sent
  std::uint32_t lost = 0;             ///< octets declared lost while it was on its way
  bool app_limited = false;           ///< the user had nothing to send then: the path may be faster

  /// Octets a second; 0 where there is no sample.
  [[nodiscard]] std::uint64_t rate() const {
    const auto ns = static_cast<std::uint64_t>(interval.count());
    return ns > 0 ? static_cast<std::uint64_t>(static_cast<double>(delivered) * 1e9 / static_cast<double>(ns)) : 0;
  }
};

/// The newest of the segments that were newly taken for lost (draft-ietf-ccwg-bbr §5.5.10.2). All is octets.
struct loss_sample {
  std::uint32_t octets = 0;        ///< it carried; zero: nothing was newly lost
  std::uint32_t tx_in_flight = 0;  ///< in flight just after it was sent
  std::uint32_t lost = 0;          ///< taken for lost since it was sent, itself included
  bool app_limited = false;        ///< the user had nothing to send then
};

/// What one acknowledgement has brought. All counts are octets.
struct ack_facts {
  instant now{};
  recovery_phase phase = recovery_phase::open;  ///< once this ACK was judged
  std::uint32_t acked = 0;                      ///< SND.UNA moved by so much
  std::uint32_t delivered =
      0;                   ///< newly known to have arrived, acknowledged or selectively so (RFC 9937's DeliveredData)
  std::uint32_t lost = 0;  ///< newly taken for lost
  std::uint32_t in_flight = 0;        ///< RFC 6675's pipe now
  std::uint32_t prior_in_flight = 0;  ///< and before this ACK
  std::uint32_t marked = 0;  ///< newly reported to have met congestion (AccECN's CE octets, or all of an ECE's)
  std::uint64_t total_delivered = 0;  ///< of the connection so far, this ACK's included
  std::uint64_t total_lost = 0;       ///< likewise
  bool round_start = false;           ///< a round trip has passed since this was last true
  bool reordering_seen = false;       ///< this path is known to reorder
  bool paced = false;                 ///< the sender spaces out what it sends
  bool window_limited = false;        ///< the window, not the user, held the sender in the last round
  std::optional<duration> rtt;        ///< of the newest octet this ACK delivers, where no retransmission blurs it
  duration srtt{};                    ///< zero before the first sample
  duration min_rtt{};                 ///< the least of the last five minutes; zero before the first sample
  rate_sample rate;
  loss_sample loss;
};

/// A congestion control: it is told facts and gives back a window in octets and a rate. It knows neither the connection
/// nor the sender, reads no clock and has no pointer back.
class congestion_control {
 public:
  virtual ~congestion_control() = default;

  /// The connection is established: the first call. `window` is the initial window (RFC 6928), `mss` the octets of text
  /// a full segment carries, `rtt` the handshake's where it gave a sample.
  virtual void on_established(std::uint32_t window, std::uint32_t mss, std::optional<duration> rtt, instant now) = 0;
  /// The path's MTU has changed.
  virtual void set_mss(std::uint32_t mss) = 0;

  /// `octets` leave, new or again; `in_flight` before them; `app_limited` where the user had let the path run empty.
  virtual void on_send(std::uint32_t octets, std::uint32_t in_flight, bool app_limited, instant now) = 0;
  /// Every ACK that delivers, or finds losses. Comes after on_congestion where the same ACK begins an episode.
  virtual void on_ack(const ack_facts& f) = 0;
  /// An episode begins (phase recovery or cwr). `in_flight` is the pipe before anything was taken for lost.
  virtual void on_congestion(congestion_cause why, std::uint32_t in_flight, instant now) = 0;
  /// The retransmission timer has expired and everything outstanding is taken for lost (phase loss). `in_flight` as it
  /// was before; `again` where the timer had expired already for the same octets (RFC 5681 §3.1).
  virtual void on_timeout(std::uint32_t in_flight, bool again, instant now) = 0;
  /// An episode ends: what was outstanding when it began is acknowledged.
  virtual void on_recovered(std::uint32_t in_flight, instant now) = 0;
  /// The episode that is under way, or has just ended, was not congestion: everything it took comes back.
  virtual void on_undo(instant now) = 0;
  /// Nothing was sent for longer than an RTO: `window` is the restart window (RFC 5681 §4.1).
  virtual void on_idle(std::uint32_t window, instant now) = 0;

  /// Octets that may be in flight.
  [[nodiscard]] virtual std::uint32_t cwnd() const = 0;
  [[nodiscard]] virtual std::uint32_t ssthresh() const = 0;
  /// Octets a second; 0 where it has no opinion.
  [[nodiscard]] virtual std::uint64_t pacing_rate() const = 0;
  [[nodiscard]] virtual congestion_algorithm algorithm() const = 0;
};

/// A new one, before on_established. `seed` is where BBR takes its chances from: which moment it probes at.
std::unique_ptr<congestion_control> make_congestion_control(congestion_algorithm a, std::uint64_t seed);

/// Octets that may leave at once at so many a second: what a millisecond carries, between two segments and what one
/// super-segment holds (draft-ietf-ccwg-bbr §5.6.3).
constexpr std::uint32_t send_quantum(std::uint64_t pacing_rate, std::uint32_t mss) {
  return std::max(static_cast<std::uint32_t>(std::min<std::uint64_t>(pacing_rate / 1000, 65536)), 2 * mss);
}

}  // namespace tunic::tcp
