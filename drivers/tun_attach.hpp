#pragma once

#include <string>

#include "drivers/file_descriptor.hpp"
#include "drivers/log.hpp"

namespace tunic::drivers {

/// What the kernel granted.
struct tun_attachment {
  std::string name;
  bool multi_queue = false;
  bool segmentation = false;  ///< TCP over IPv4 and IPv6
};

/// Opens /dev/net/tun, non-blocking. Throws std::system_error with a sentence that says what to do.
file_descriptor open_tun();

/// Makes `fd`, from open_tun(), a queue of the device `name`, which is created where it is not there. What the kernel
/// refuses is left out step by step, and each step is logged. A descriptor whose device was deleted may be attached
/// again. Throws std::system_error with a sentence that says what to do.
tun_attachment attach_tun(int fd, const std::string& name, bool multi_queue, bool offload, const log_callback& log);

/// Throws std::system_error where more than so many queues of a device of several are attached to: the kernel would
/// give flows of ours to another process, and the other way round. Of a device with a single one it sees to that
/// itself.
void expect_no_others(const std::string& name, unsigned ours);

}  // namespace tunic::drivers
