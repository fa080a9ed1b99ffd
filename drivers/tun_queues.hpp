#pragma once

#include <memory>
#include <vector>

#include "drivers/tun.hpp"

namespace tunic::drivers {

/// `n` queues of the device `o.name`, each for a stack of its own, which may live on a thread of its own. All are
/// attached when this returns, so that a flow comes to one queue from its beginning to its end; that holds for as long
/// as all of them exist, and as the device does. (One that is deleted and made again is attached to by each queue for
/// itself: the connections are lost.) Where the kernel may not be told how to choose (steer_by_flow), a flow still has
/// one queue, but an ICMP error comes to any, which is logged. Throws as tun does, and where the device has a single
/// queue.
std::vector<std::unique_ptr<tun>> open_queues(tun_options o, unsigned n);

}  // namespace tunic::drivers
