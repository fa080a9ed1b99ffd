#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "stack/base/address.hpp"
#include "stack/base/seq.hpp"
#include "stack/base/siphash.hpp"
#include "stack/base/time.hpp"
#include "stack/tcp/ecn.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::tcp {

/// Whether a listener answers SYNs without remembering them; Linux's tcp_syncookies of 0, 1 and 2.
enum class syn_cookie_use : std::uint8_t {
  never,      ///< a SYN is dropped where the SYN queue is full
  when_full,  ///< of the SYN queue
  always      ///< the SYN queue stays empty
};

/// What a SYN and its answer agreed on, as far as the timestamp of a cookie keeps it.
struct cookie_agreement {
  std::optional<wire::window_shift> window_scale;  ///< the peer's
  bool sack = false;
  ecn_feedback ecn = ecn_feedback::none;
};

/// SYN cookies (RFC 4987 §3.6): the peer keeps for us what we would keep of its SYN. The number of the SYN-ACK tells
/// when the SYN came and about how large its MSS was, and nobody without the secret can make such a number. Window
/// scale, SACK and ECN ride in the low bits of the SYN-ACK's timestamp, which the peer echoes; without timestamps they
/// are not agreed on.
class syn_cookies {
 public:
  /// The time in a cookie counts so: one is good in the tick it is made in and in the next.
  static constexpr duration tick = std::chrono::seconds{64};
  static constexpr unsigned ticks = 2;
  static constexpr duration lifetime = ticks * tick;  ///< of the youngest at most

  explicit syn_cookies(const secret& key) : key_(key) {}

  /// The number of the SYN-ACK that answers a SYN with the number `irs`.
  [[nodiscard]] seq make(const four_tuple& ends, seq irs, std::uint16_t peer_mss, instant now) const;
  /// The MSS that the cookie tells, no larger than the peer's was unless that was absurd; nothing where the number is
  /// no cookie of ours for that SYN, or is too old.
  [[nodiscard]] std::optional<std::uint16_t> mss_of(const four_tuple& ends, seq irs, seq cookie, instant now) const;

  /// Our timestamp clock's value with the agreement in its low bits: up to 127 ticks earlier, never later.
  [[nodiscard]] static std::uint32_t stamp(std::uint32_t clock, const cookie_agreement& a);
  [[nodiscard]] static cookie_agreement agreement_of(std::uint32_t stamp);

 private:
  [[nodiscard]] std::uint32_t hash(const four_tuple& ends, seq irs, std::int64_t tick_number) const;

  secret key_;
};

}  // namespace tunic::tcp
