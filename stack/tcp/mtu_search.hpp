#pragma once

#include <cstdint>

#include "stack/base/seq.hpp"
#include "stack/base/time.hpp"

namespace tunic::tcp {

/// The search for the largest segment that the path carries, without the help of ICMP (RFC 4821, RFC 8899). Sizes are
/// octets of text and options, as MSS counts them.
struct mtu_search {
  std::uint16_t most = 0;     ///< no segment is larger: what is known to pass; 0: nothing was ever in doubt
  std::uint16_t refused = 0;  ///< the smallest that is known not to pass; 0: none
  bool passed = false;        ///< a full segment has arrived
  bool suspected = false;     ///< none ever has, smaller ones have taken their place, and no probe has confirmed it
  bool probing = false;       ///< a larger segment is on its way
  bool repairing = false;     ///< it was lost, and its octets are on their way in smaller ones
  seq probe_begin;            ///< it is this one
  seq probe_end;
  instant next{};  ///< the next probe, no earlier
};

}  // namespace tunic::tcp
