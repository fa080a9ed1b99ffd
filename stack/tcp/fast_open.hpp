#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "stack/base/address.hpp"
#include "stack/base/siphash.hpp"
#include "stack/base/time.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::tcp {

/// Whether a connection opens fast (RFC 7413). Text that goes with a SYN may reach its user twice, so only who bears
/// that asks for it (§2, §6.1).
enum class fast_open_use : std::uint8_t {
  off,
  on,             ///< by a cookie; a client that has none asks for one
  without_cookie  ///< text goes with the SYN, and is taken from it, whoever sent it: where no stranger can (§6.3.3)
};

/// What a listener's cookies are made with. One made under the backup is taken, and answered by a fresh one.
struct fast_open_keys {
  secret primary{};
  std::optional<secret> backup{};
};

/// A server's cookie for a client: SipHash-2-4 of the client's address and then ours, as Linux makes them, so that
/// several servers of one address may share a key. Ports do not count (RFC 7413 §4.1.2).
wire::fast_open fast_open_cookie(const secret& key, const address& client, const address& server);

/// The keys where the user gives none: of the stack's secret and the period, so that a cookie expires when its
/// period and the next are over (RFC 7413 §4.1.2).
fast_open_keys derived_keys(const secret& key, duration period, instant now);

/// How many connections of a listener have been opened by their SYN alone: RFC 7413 §5.1's PendingFastOpenRequests.
/// One that a RST ends goes on counting for a while: a victim of forged SYNs sends them.
class pending_fast_opens {
 public:
  /// Counts one more, unless there are `most`.
  [[nodiscard]] bool take(std::size_t most, instant now);
  void give_back() { --count_; }
  void give_back_at(instant later) { resets_.push_back(later); }

 private:
  std::size_t count_ = 0;
  std::vector<instant> resets_;  // ascending; as many as count_ at most
};

/// What a connection's Fast Open needs until its handshake is over.
struct fast_opening {
  // Of an active open.
  fast_open_use use = fast_open_use::off;
  bool waits_for_text = false;  ///< the SYN does, for the first SEND
  bool asked = false;           ///< it carried the option
  bool experimental = false;    ///< in its old form

  // Of a passive one.
  std::optional<wire::fast_open> answer{};      ///< of the SYN-ACK
  std::shared_ptr<pending_fast_opens> counted;  ///< where this connection is; null where it was not opened fast
  instant answered_at{};                        ///< when the SYN-ACK left, for the round trip
};

}  // namespace tunic::tcp
