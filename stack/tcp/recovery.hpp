#pragma once

#include <cstdint>

#include "stack/base/seq.hpp"
#include "stack/base/time.hpp"
#include "stack/tcp/congestion_control.hpp"

namespace tunic::tcp {

/// What the retransmission deadline stands for: there is but one of them at a time (RFC 8985 §8).
enum class retransmit_kind : std::uint8_t {
  timeout,     ///< RFC 6298
  reordering,  ///< what RACK waits for may still come (RFC 8985 §6.2, step 5)
  loss_probe,  ///< TLP's PTO (RFC 8985 §7.2)
  persist,     ///< a window too small to send into (RFC 9293 §3.8.6.1)
};

/// Where loss recovery stands, and what it would take back should the loss prove to be none.
struct recovery {
  recovery_phase phase = recovery_phase::open;
  retransmit_kind awaited = retransmit_kind::timeout;

  bool may_undo : 1 = false;      ///< the window was reduced by this episode and can be restored
  bool resent_any : 1 = false;    ///< something was sent again in this episode
  bool frto : 1 = false;          ///< whether the timeout was spurious is not yet clear (RFC 5682)
  bool frto_probing : 1 = false;  ///< new text goes first, to find that out (RFC 5682 §3.1, step 2b)
  bool probing : 1 = false;       ///< a loss probe is on its way (RFC 8985 §7.3, TLP.end_seq)
  bool probe_again : 1 = false;   ///< and it was a retransmission (TLP.is_retrans)
  bool probe_due : 1 = false;     ///< one is to be sent
  bool head_due : 1 = false;      ///< the oldest segment is to be sent again whatever the windows say

  std::uint8_t duplicate_acks = 0;  ///< of a peer without SACK; each has taken a segment from the network
  std::uint16_t reordering = 3;     ///< segments: DupThresh, or as far as reordering was seen to reach

  seq end;                        ///< SND.NXT when the episode began: RecoveryPoint
  seq begin;                      ///< SND.UNA then
  seq probe_end;                  ///< SND.NXT behind the probe
  std::uint32_t undo_octets = 0;  ///< sent again in this episode and not reported needless
  instant resent_at{};            ///< the first retransmission of the episode (RFC 3522's RetransmitTS)
};

}  // namespace tunic::tcp
