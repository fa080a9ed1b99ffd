#include "drivers/netns.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sched.h>

#include "drivers/failure.hpp"

namespace tunic::drivers {

namespace {

constexpr const char* own = "/proc/thread-self/ns/net";

}  // namespace

netns::netns(std::string name) : name_(std::move(name)) {
  if (name_.empty() || name_ == ".") return;
  const bool is_path = name_.find('/') != std::string::npos;
  fd_ = file_descriptor{::open((is_path ? name_ : "/run/netns/" + name_).c_str(), O_RDONLY | O_CLOEXEC)};
  if (fd_) return;
  const int number = errno;
  if (number == ENOENT && !is_path)
    fail(number, "there is no network namespace '" + name_ + "': 'ip netns add " + name_ +
                     "' makes it, 'ip netns list' shows those there are");
  fail(number, "cannot open the network namespace '" + name_ + "'");
}

file_descriptor netns::enter() const {
  if (!fd_) return {};
  file_descriptor before{::open(own, O_RDONLY | O_CLOEXEC)};
  if (!before) fail(errno, std::string{"cannot open "} + own);
  if (::setns(fd_.get(), CLONE_NEWNET) == 0) return before;
  const int number = errno;
  if (number == EPERM)
    fail(number, "entering the network namespace '" + name_ + "' is not permitted: it needs CAP_SYS_ADMIN; be root");
  if (number == EINVAL) fail(number, "'" + name_ + "' is no network namespace");
  fail(number, "cannot enter the network namespace '" + name_ + "'");
}

void netns::leave(const file_descriptor& before) {
  if (before && ::setns(before.get(), CLONE_NEWNET) != 0) fail(errno, "cannot return from a network namespace");
}

}  // namespace tunic::drivers
