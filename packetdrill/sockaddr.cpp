#include "packetdrill/sockaddr.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>

namespace tunic::packetdrill {

result<endpoint, int> endpoint_of(const sockaddr* name, socklen_t length, int domain) {
  if (!name) return EFAULT;
  const bool v6 = domain == AF_INET6;
  if (length < (v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in))) return EINVAL;
  if (name->sa_family != domain) return EAFNOSUPPORT;
  if (v6) {
    sockaddr_in6 in{};
    std::memcpy(&in, name, sizeof in);
    std::array<std::uint8_t, 16> octets{};
    std::memcpy(octets.data(), &in.sin6_addr, octets.size());
    return endpoint{address::v6(octets), ntohs(in.sin6_port)};
  }
  sockaddr_in in{};
  std::memcpy(&in, name, sizeof in);
  return endpoint{address::v4(ntohl(in.sin_addr.s_addr)), ntohs(in.sin_port)};
}

void write_name(const endpoint& e, int domain, sockaddr* name, socklen_t* length) {
  if (!name || !length) return;
  if (domain == AF_INET6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(e.port);
    std::memcpy(&in.sin6_addr, e.address.octets().data(), e.address.octets().size());
    std::memcpy(name, &in, std::min<std::size_t>(*length, sizeof in));
    *length = sizeof in;
  } else {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(e.port);
    in.sin_addr.s_addr = htonl(e.address.v4_value());
    std::memcpy(name, &in, std::min<std::size_t>(*length, sizeof in));
    *length = sizeof in;
  }
}

}  // namespace tunic::packetdrill
