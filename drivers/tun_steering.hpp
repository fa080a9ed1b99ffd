#pragma once

#include <system_error>

namespace tunic::drivers {

/// Has the kernel choose the queue for a datagram of the TUN device behind `fd`, now and for whoever attaches later, by
/// a keyed hash of the addresses and ports alone: those of the datagram that it quotes for an ICMP error, the addresses
/// for whatever has no ports, fragments included. The kernel's own choice follows the queue that a flow was last
/// answered on, forgets that after three seconds, and gives ICMP errors to any queue. An error where it is not
/// permitted (it takes CAP_BPF, unless programs of eBPF are everybody's) or not known (before Linux 4.16).
std::error_code steer_by_flow(int fd);

}  // namespace tunic::drivers
