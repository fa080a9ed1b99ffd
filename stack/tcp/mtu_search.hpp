#pragma once

#include <cstdint>

#include "stack/base/seq.hpp"
#include "stack/base/time.hpp"

namespace tunic::tcp {

/// The search for the largest segment that the path carries once that is in doubt, without the help of ICMP (RFC 4821,
/// RFC 8899). Sizes are octets of text and options, as MSS counts them.
struct mtu_search {
  std::uint16_t most = 0;     ///< no segment is larger: what is known to pass
  std::uint16_t refused = 0;  ///< the smallest that is known not to pass; 0: none
  bool suspected = false;  ///< segments are smaller because none had, and no probe has told yet whether it is the path
  bool sparing = false;    ///< what a timeout has just taken for it comes back once a smaller one arrives
  bool probing = false;    ///< a larger segment is on its way
  bool repairing = false;  ///< it was lost, and its octets are on their way in smaller ones
  seq probe_begin;         ///< it is this one
  seq probe_end;
  instant next{};  ///< the next probe, no earlier
};

}  // namespace tunic::tcp
