#include "drivers/tun_attach.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "drivers/failure.hpp"
#include "drivers/link.hpp"
#include "drivers/virtio_net.hpp"

namespace tunic::drivers {

namespace {

// Since Linux 6.2; the headers of Debian 12 do not know them.
constexpr unsigned offload_uso4 = 0x20;
constexpr unsigned offload_uso6 = 0x40;

// From the most to the least; USO4 and USO6 are granted together only.
constexpr struct {
  unsigned flags;
  const char* refused;
} offload_steps[] = {
    {TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | offload_uso4 | offload_uso6,
     "the kernel refuses UDP segmentation offload (since Linux 6.2); going on without it"},
    {TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6,
     "the kernel refuses TCP segmentation offload; going on without it, many times slower"},
    {TUN_F_CSUM, "the kernel refuses checksum offload; going on with no offload at all"},
    {0, "the kernel refuses to be asked for no offload"},
};

constexpr const char* ways_to_permission =
    "one of three helps: give the program the right with 'setcap cap_net_admin+ep PROGRAM'; have root make a device of "
    "yours with 'ip tuntap add dev NAME mode tun user YOU'; or run in a user namespace of your own with 'unshare -Urn'";

// What is known of the device `name` by its driver: "tun" and "tun" or "tap" for ours, empty where there is none.
struct kind {
  std::string driver;
  std::string bus;
};

kind kind_of(const std::string& name) {
  const file_descriptor control{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&info);
  if (::ioctl(control.get(), SIOCETHTOOL, &request) != 0) return {};
  return {info.driver, info.bus_info};
}

[[noreturn]] void fail_for_others(const std::string& device) {
  fail(EBUSY, device + " is in use by another process; stop that process or choose another name");
}

[[noreturn]] void fail_to_attach(int number, const std::string& name) {
  const std::string device = "TUN device " + name;
  const bool exists = link_exists(name);
  if (number == EPERM && exists)
    fail(number, device + " belongs to another user or to root, and attaching is not permitted; " + ways_to_permission);
  if (number == EPERM) fail(number, device + " is not there, and creating it is not permitted; " + ways_to_permission);
  if (number == EBUSY) fail_for_others(device);
  if (number == E2BIG) fail(number, device + " has as many queues attached as the kernel allows");
  if (number == EINVAL && exists) {
    const kind found = kind_of(name);
    if (found.driver == "tun" && found.bus == "tap")
      fail(number,
           name +
               " is a TAP device (Ethernet frames) and no TUN device (IP datagrams); choose another name, or make "
               "it with 'ip tuntap add dev NAME mode tun'");
    if (found.driver != "tun")
      fail(number, name + " is a network interface that is no TUN device; choose another name");
  }
  fail(number, "cannot attach to " + device);
}

void check_name(const std::string& name) {
  // What the kernel takes for a device's name, and no '%': it would be replaced by a number, and the name be another
  // one.
  const bool good = !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
                    name.find_first_of("/:% \t\n\v\f\r") == std::string::npos;
  if (!good)
    fail(EINVAL, "'" + name + "' cannot name a TUN device: 1 to 15 characters without '/', ':', '%' and blanks");
}

int set_device(int fd, const std::string& name, bool multi_queue) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | (multi_queue ? IFF_MULTI_QUEUE : 0));
  return ::ioctl(fd, TUNSETIFF, &request) == 0 ? 0 : errno;
}

bool set_offload(int fd, unsigned flags) {
  return ::ioctl(fd, TUNSETOFFLOAD, static_cast<unsigned long>(flags)) == 0;
}

}  // namespace

file_descriptor open_tun() {
  file_descriptor fd{::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)};
  if (fd) return fd;
  const int number = errno;
  switch (number) {
    case ENOENT:
      fail(number,
           "there is no /dev/net/tun: load the driver with 'modprobe tun', or hand the device to the container "
           "('--device /dev/net/tun' with docker and podman)");
    case ENODEV:
    case ENXIO: fail(number, "the kernel has no TUN driver behind /dev/net/tun: load it with 'modprobe tun'");
    case EACCES:
    case EPERM:
      fail(number,
           "opening /dev/net/tun is not permitted: 'chmod 0666 /dev/net/tun' lets everybody open it, which is safe "
           "because attaching is checked apart; a container must allow the device 'c 10:200'");
    default: fail(number, "cannot open /dev/net/tun");
  }
}

tun_attachment attach_tun(int fd, const std::string& name, bool multi_queue, bool offload, const log_callback& log) {
  const auto say = [&](const char* what) {
    if (log) log(name + ": " + what);
  };
  check_name(name);
  tun_attachment granted{.name = name, .multi_queue = multi_queue};

  int number = set_device(fd, name, multi_queue);
  if (number == EINVAL && (multi_queue || link_exists(name))) {
    // A device has been made with or without several queues, and attaching must say the same.
    if (set_device(fd, name, !multi_queue) == 0) {
      number = 0;
      granted.multi_queue = !multi_queue;
      say(multi_queue ? "the device was made with a single queue; attached to that"
                      : "the device was made with multi-queue; attached as one of its queues");
    }
  }
  if (number != 0) fail_to_attach(number, name);

  // A persistent device may remember another length from an earlier process.
  const int header_size = sizeof(virtio_net_header);
  if (::ioctl(fd, TUNSETVNETHDRSZ, &header_size) != 0)
    fail(errno, "cannot set the virtio-net header of TUN device " + name);

  if (!offload) {
    set_offload(fd, 0);
    return granted;
  }
  for (const auto& [flags, refused] : offload_steps) {
    if (set_offload(fd, flags)) {
      granted.segmentation = (flags & TUN_F_TSO4) != 0;
      return granted;
    }
    say(refused);
  }
  return granted;
}

void expect_no_others(const std::string& name, unsigned ours) {
  if (attached_queues(name).value_or(0) > ours) fail_for_others("TUN device " + name);
}

}  // namespace tunic::drivers
