#include "drivers/tun_queues.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include "drivers/tun_attach.hpp"
#include "drivers/tun_steering.hpp"

namespace tunic::drivers {

std::vector<std::unique_ptr<tun>> open_queues(tun_options o, unsigned n) {
  o.multi_queue = n > 1;
  if (o.multi_queue) expect_no_others(o.name, 0);
  std::vector<std::unique_ptr<tun>> all;
  all.push_back(std::make_unique<tun>(o));
  if (n == 1) return all;
  if (!all.front()->multi_queue())
    throw std::system_error{EINVAL, std::system_category(),
                            "TUN device " + o.name + " has a single queue where " + std::to_string(n) +
                                " are asked for: delete it ('ip link delete " + o.name +
                                "') and make it anew with 'ip tuntap add dev " + o.name + " mode tun multi_queue'"};
  while (all.size() < n) all.push_back(std::make_unique<tun>(o));
  expect_no_others(o.name, n);  // who has come meanwhile
  const std::error_code e = steer_by_flow(all.front()->descriptor());
  if (e && o.log)
    o.log(o.name + ": the kernel is not to be told which queue a datagram is for (" + e.message() +
          "); ICMP errors may come to the wrong one, so that the MTU of a path is found by probing alone");
  return all;
}

}  // namespace tunic::drivers
