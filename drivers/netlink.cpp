#include "drivers/netlink.hpp"

#include <cerrno>
#include <sys/socket.h>

#include "drivers/failure.hpp"

namespace tunic::drivers {

namespace {

constexpr std::size_t room = 64 * 1024;  // the kernel fills at most 32 KiB at once

}  // namespace

netlink::netlink() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)), room_(room) {
  if (!socket_) fail(errno, "cannot open a route netlink socket");
}

void netlink::send(std::uint16_t type, int flags, std::span<const std::byte> message, std::span<const attribute> with) {
  std::vector<std::byte> out(NLMSG_HDRLEN);
  const auto append = [&out](std::span<const std::byte> octets) {
    out.insert(out.end(), octets.begin(), octets.end());
    out.resize(NLMSG_ALIGN(out.size()));
  };
  append(message);
  for (const attribute& a : with) {
    const rtattr head{.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(a.octets.size())), .rta_type = a.type};
    append(std::as_bytes(std::span{&head, 1}));
    append(a.octets);
  }
  nlmsghdr head{};
  head.nlmsg_len = static_cast<std::uint32_t>(out.size());
  head.nlmsg_type = type;
  head.nlmsg_flags = static_cast<std::uint16_t>(flags);
  std::memcpy(out.data(), &head, sizeof head);
  if (::send(socket_.get(), out.data(), out.size(), 0) < 0) fail(errno, "cannot ask the kernel by route netlink");
}

std::vector<netlink::answer> netlink::receive() {
  ssize_t got = 0;
  do got = ::recv(socket_.get(), room_.data(), room_.size(), 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) fail(errno, "cannot read the kernel's answer by route netlink");
  std::vector<answer> answers;
  auto rest = std::span<const std::byte>{room_}.first(static_cast<std::size_t>(got));
  while (rest.size() >= sizeof(nlmsghdr)) {
    nlmsghdr head;
    std::memcpy(&head, rest.data(), sizeof head);
    if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len > rest.size()) break;
    answers.push_back({head.nlmsg_type, rest.subspan(NLMSG_HDRLEN, head.nlmsg_len - NLMSG_HDRLEN)});
    rest = rest.subspan(std::min<std::size_t>(NLMSG_ALIGN(head.nlmsg_len), rest.size()));
  }
  return answers;
}

int netlink::acknowledgement() {
  for (const answer& a : receive()) {
    if (a.type != NLMSG_ERROR || a.body.size() < sizeof(int)) continue;
    int number = 0;
    std::memcpy(&number, a.body.data(), sizeof number);
    return -number;
  }
  return EPROTO;
}

netlink::attributes netlink::parse(std::span<const std::byte> octets) {
  attributes found;
  while (octets.size() >= sizeof(rtattr)) {
    rtattr head;
    std::memcpy(&head, octets.data(), sizeof head);
    if (head.rta_len < sizeof head || head.rta_len > octets.size()) break;
    found.all.push_back({head.rta_type, octets.subspan(sizeof head, head.rta_len - sizeof head)});
    octets = octets.subspan(std::min<std::size_t>(RTA_ALIGN(head.rta_len), octets.size()));
  }
  return found;
}

}  // namespace tunic::drivers
