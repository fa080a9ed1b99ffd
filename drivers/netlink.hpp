#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <span>
#include <vector>

#include "drivers/file_descriptor.hpp"

namespace tunic::drivers {

/// A route netlink socket (rtnetlink(7)): what the kernel's links, addresses and routes are read and changed with.
/// Members throw std::system_error where the socket itself fails.
class netlink {
 public:
  struct attribute {
    std::uint16_t type = 0;
    std::span<const std::byte> octets;
  };

  /// The attributes of one message; octets live as long as the visit.
  struct attributes {
    std::vector<attribute> all;
    [[nodiscard]] const attribute* find(std::uint16_t type) const {
      const auto at = std::find_if(all.begin(), all.end(), [&](const attribute& a) { return a.type == type; });
      return at == all.end() ? nullptr : &*at;
    }
  };

  netlink();

  /// The attributes that octets hold, which may be those of an attribute.
  static attributes parse(std::span<const std::byte> octets);

  /// Asks for all objects of a kind, and hands each answer's message and attributes to `visit`.
  template <class Message, class Visit>
  void dump(std::uint16_t type, const Message& m, Visit visit) {
    send(type, NLM_F_REQUEST | NLM_F_DUMP, std::as_bytes(std::span{&m, 1}), {});
    for (bool more = true; more;) {
      more = false;
      for (const answer& a : receive()) {
        more = a.type != NLMSG_DONE && a.type != NLMSG_ERROR;
        if (!more || a.body.size() < sizeof(Message)) continue;
        Message found;
        std::memcpy(&found, a.body.data(), sizeof found);
        visit(found, parse(a.body.subspan(NLMSG_ALIGN(sizeof found))));
      }
    }
  }

  /// Makes something; returns 0 or the kernel's errno.
  template <class Message>
  int request(std::uint16_t type, const Message& m, std::span<const attribute> with) {
    send(type, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, std::as_bytes(std::span{&m, 1}), with);
    return acknowledgement();
  }

 private:
  struct answer {
    std::uint16_t type;
    std::span<const std::byte> body;
  };

  void send(std::uint16_t type, int flags, std::span<const std::byte> message, std::span<const attribute> with);
  std::vector<answer> receive();
  int acknowledgement();

  file_descriptor socket_;
  std::vector<std::byte> room_;
};

}  // namespace tunic::drivers
