#include "packetdrill/receipts.hpp"

#include <cerrno>
#include <cstring>
#include <linux/errqueue.h>
#include <netinet/in.h>

namespace tunic::packetdrill {

long receipts::take(msghdr& message, int domain) {
  if (!pending()) return -EAGAIN;
  sock_extended_err error{};
  error.ee_origin = SO_EE_ORIGIN_ZEROCOPY;
  error.ee_code = SO_EE_CODE_ZEROCOPY_COPIED;
  error.ee_info = told_;
  error.ee_data = sends_ - 1;
  told_ = sends_;
  const bool v6 = domain == AF_INET6;
  // Behind the error stands whom it came from: nobody.
  const std::size_t size = sizeof error + (v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
  message.msg_namelen = 0;
  message.msg_flags = MSG_ERRQUEUE;
  if (!message.msg_control || message.msg_controllen < CMSG_SPACE(size)) {
    message.msg_flags |= MSG_CTRUNC;
    message.msg_controllen = 0;
    return 0;
  }
  cmsghdr* control = CMSG_FIRSTHDR(&message);
  control->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  control->cmsg_type = v6 ? IPV6_RECVERR : IP_RECVERR;
  control->cmsg_len = CMSG_LEN(size);
  std::memset(CMSG_DATA(control), 0, size);
  std::memcpy(CMSG_DATA(control), &error, sizeof error);
  message.msg_controllen = CMSG_SPACE(size);
  return 0;
}

}  // namespace tunic::packetdrill
