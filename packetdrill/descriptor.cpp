#include "packetdrill/descriptor.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

namespace tunic::packetdrill {

descriptor::descriptor() : fd_(eventfd(0, EFD_CLOEXEC)) {}

descriptor::~descriptor() {
  ::close(fd_);
}

void descriptor::tell(std::uint32_t what) const {
  for (watcher* w : watchers_) w->on_change(fd_, what);
}

}  // namespace tunic::packetdrill
