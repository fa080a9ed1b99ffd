#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/seq.hpp"
#include "stack/base/time.hpp"

namespace tunic::tcp {

/// What one acknowledgement has brought, gathered while it is judged. Counts are octets.
struct ack_news {
  seq prior_una;
  std::optional<seq> prior_sacked;  ///< the end of the highest octets that were sacked before
  std::uint32_t prior_in_flight = 0;
  std::uint32_t acked = 0;        ///< SND.UNA moved by so much
  std::uint32_t delivered = 0;    ///< arrived, as is known only now
  std::uint32_t lost = 0;         ///< taken for lost, as is known only now
  std::uint32_t marked = 0;       ///< met congestion, as the peer reports (ECN)
  bool duplicate = false;         ///< a duplicate ACK (RFC 5681 §2)
  bool sacked = false;            ///< a SACK block told something new
  bool dsack = false;             ///< something had arrived twice (RFC 2883)
  bool probe_dsack = false;       ///< and it was the loss probe's octets
  bool reordering_known = false;  ///< this path had been seen to reorder before
  bool reordered = false;         ///< something arrived behind what was sent later
  bool original = false;          ///< something arrived that was sent before the episode and never again
  bool timestamp_proves = false;  ///< TSecr is older than the first retransmission: the original arrived (RFC 3522)

  // When what arrived was sent, where it was never sent again.
  std::optional<instant> oldest_acked;
  std::optional<instant> newest_acked;
  std::optional<instant> oldest_sacked;
  std::optional<instant> newest_sacked;
  bool acked_again = false;  ///< some of what is acknowledged was retransmitted (Karn)
};

}  // namespace tunic::tcp
