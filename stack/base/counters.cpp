#include "stack/base/counters.hpp"

namespace tunic {

std::string_view name(drop reason) {
  switch (reason) {
    case drop::too_short: return "too short";
    case drop::bad_version: return "bad IP version";
    case drop::bad_header_length: return "bad header length";
    case drop::bad_length: return "bad length";
    case drop::bad_checksum: return "bad checksum";
    case drop::bad_option: return "bad option";
    case drop::bad_source: return "bad source address";
    case drop::not_for_us: return "not for us";
    case drop::no_protocol: return "unknown protocol";
    case drop::no_route: return "no route";
    case drop::fragment_overlap: return "overlapping fragments";
    case drop::fragment_bad: return "bad fragment";
    case drop::fragment_limit: return "reassembly limit";
    case drop::fragment_unsteered: return "fragments of TCP";
    case drop::no_listener: return "port closed";
    case drop::bad_flags: return "bad flags";
    case drop::unacceptable_segment: return "unacceptable segment";
    case drop::unacceptable_ack: return "unacceptable acknowledgement";
    case drop::syn_queue_full: return "SYN queue full";
    case drop::accept_queue_full: return "accept queue full";
    case drop::receive_full: return "receive buffer full";
    case drop::rate_limited: return "rate limited";
    case drop::transmit_full: return "transmit queue full";
    case drop::device_error: return "device error";
    case drop::icmp_unrelated: return "unrelated ICMP error";
  }
  return "?";
}

std::array<mib_entry, 10> mib(const counters& c) {
  return {{{"tcpActiveOpens", c.active_opens},
           {"tcpPassiveOpens", c.passive_opens},
           {"tcpAttemptFails", c.attempt_fails},
           {"tcpEstabResets", c.established_resets},
           {"tcpCurrEstab", c.established},
           {"tcpInSegs", c.segments_in},
           {"tcpOutSegs", c.segments_out},
           {"tcpRetransSegs", c.retransmits},
           {"tcpInErrs", c.segments_bad},
           {"tcpOutRsts", c.resets_out}}};
}

}  // namespace tunic
