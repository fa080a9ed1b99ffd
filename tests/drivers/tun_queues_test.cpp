#include "drivers/tun_queues.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <fstream>
#include <functional>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>

#include "drivers/link.hpp"
#include "drivers/tun_steering.hpp"
#include "stack/wire/icmp.hpp"
#include "tests/drivers/frames.hpp"
#include "tests/drivers/network_namespace.hpp"

namespace tunic::drivers {
namespace {

using namespace test;

constexpr std::uint16_t open_port = 7;  // ours

/// Waits until the kernel takes datagrams to 2001:db8::1, which can be bound a little earlier.
void await_local_route() {
  for (int tries = 0; tries < 2500; ++tries) {
    std::ifstream routes{"/proc/thread-self/net/ipv6_route"};
    for (std::string line; std::getline(routes, line);)
      if (line.starts_with("20010db8000000000000000000000001 80 ")) return;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  FAIL() << "the kernel has no route to its own address";
}

class tun_queues : public network_namespace {
 protected:
  void open(unsigned n) {
    queues = open_queues({.log = [this](std::string_view s) { said += s; }}, n);
    bring_link_up("tun0");
    add_link_address("tun0", *prefix::parse("198.51.100.1/24"));
    add_link_address("tun0", *prefix::parse("2001:db8::1/64"));
    await_link("tun0");
    await_local_route();
  }
  [[nodiscard]] bool steered() const { return said.find("told which queue") == std::string::npos; }

  /// The queue that the next such datagram comes to; nothing where none comes.
  std::optional<std::size_t> next(const std::function<bool(std::span<const std::byte>)>& wanted) {
    for (;;) {
      std::vector<pollfd> all;
      for (const auto& q : queues) all.push_back({q->descriptor(), POLLIN, 0});
      if (::poll(all.data(), all.size(), 5000) <= 0) return std::nullopt;
      for (std::size_t i = 0; i < queues.size(); ++i) {
        std::error_code error;
        for (packet p = queues[i]->receive(buffers, {}, error); p; p = queues[i]->receive(buffers, {}, error))
          if (wanted(p.octets.octets())) return i;
      }
    }
  }

  std::vector<std::unique_ptr<tun>> queues;
  pool buffers;
  std::string said;
};

/// A kernel UDP socket, of either version, that sends to us from a port.
void send_from(bool v6, std::uint16_t port) {
  const file_descriptor socket{::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  const auto end = [v6](const char* four, const char* six, std::uint16_t at) {
    sockaddr_storage all{};
    if (v6) {
      auto& a = reinterpret_cast<sockaddr_in6&>(all);
      a.sin6_family = AF_INET6;
      a.sin6_port = htons(at);
      ::inet_pton(AF_INET6, six, &a.sin6_addr);
    } else {
      auto& a = reinterpret_cast<sockaddr_in&>(all);
      a.sin_family = AF_INET;
      a.sin_port = htons(at);
      ::inet_pton(AF_INET, four, &a.sin_addr);
    }
    return all;
  };
  const auto here = end("198.51.100.1", "2001:db8::1", port), there = end("198.51.100.2", "2001:db8::2", open_port);
  const socklen_t size = v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), size), 0) << std::strerror(errno);
  ASSERT_EQ(::sendto(socket.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&there), size), 1);
}

std::uint16_t port_at(std::span<const std::byte> d, std::size_t offset) {
  return d.size() < offset + 2 ? std::uint16_t{0} : wire::load16(d.data() + offset);
}

class tun_queues_of_a_version : public tun_queues, public testing::WithParamInterface<bool> {
 protected:
  [[nodiscard]] bool v6() const { return GetParam(); }
  [[nodiscard]] std::size_t header() const { return v6() ? 40 : 20; }
  /// Where a UDP datagram from that port of the kernel's comes to.
  std::optional<std::size_t> queue_of_flow(std::uint16_t port) {
    send_from(v6(), port);
    return next([&](std::span<const std::byte> d) {
      return d[v6() ? 6 : 9] == std::byte{17} && port_at(d, header()) == port && port_at(d, header() + 2) == open_port;
    });
  }
  /// Where the kernel's ICMP error about a datagram of ours to that port, which is closed, comes to.
  std::optional<std::size_t> queue_of_error(std::uint16_t port) {
    frame f;
    start_frame(f, v6(), wire::protocol::udp, 8);
    wire::emit_udp({.source_port = open_port, .destination_port = port, .length = 8},
                   std::span{f.header_room}.subspan(header()));
    f.header_size = header() + 8;
    leave_partial(f, wire::protocol::udp, 8, 6);
    EXPECT_FALSE(queues[0]->transmit(f, {}));
    return next([&](std::span<const std::byte> d) {
      const std::size_t quoted = header() + 8 + header();
      return d[v6() ? 6 : 9] == std::byte{v6() ? std::uint8_t{58} : std::uint8_t{1}} && port_at(d, quoted + 2) == port;
    });
  }
};

INSTANTIATE_TEST_SUITE_P(versions, tun_queues_of_a_version, testing::Bool(),
                         [](const auto& p) { return p.param ? "v6" : "v4"; });

TEST_P(tun_queues_of_a_version, share_flows_among_them) {
  open(2);
  std::array<int, 2> flows{};
  for (std::uint16_t port = 4000; port < 4064; ++port) {
    const auto queue = queue_of_flow(port);
    ASSERT_TRUE(queue);
    ++flows[*queue];
  }
  EXPECT_GT(flows[0], 12);
  EXPECT_GT(flows[1], 12);
}

TEST_P(tun_queues_of_a_version, get_the_icmp_errors_of_their_flows) {
  open(3);
  if (!steered()) GTEST_SKIP() << "NOT CHECKED: " << said;
  // The kernel bounds its errors, of all namespaces together: here of none.
  std::ofstream{"/proc/sys/net/ipv4/icmp_ratemask"} << "0\n";
  std::ofstream{"/proc/sys/net/ipv6/icmp/ratemask"} << "\n";
  for (std::uint16_t port = 4000; port < 4006; ++port) {
    const auto flow = queue_of_flow(port);
    const auto error = queue_of_error(port);
    ASSERT_TRUE(flow && error) << port;
    EXPECT_EQ(*flow, *error) << port;
  }
}

TEST_P(tun_queues_of_a_version, keep_a_flow_whatever_queue_it_was_answered_on) {
  open(2);
  if (!steered()) GTEST_SKIP() << "NOT CHECKED: " << said;
  const auto before = queue_of_flow(4000);
  ASSERT_TRUE(before);
  frame f;
  start_frame(f, v6(), wire::protocol::udp, 8);
  wire::emit_udp({.source_port = open_port, .destination_port = 4000, .length = 8},
                 std::span{f.header_room}.subspan(header()));
  f.header_size = header() + 8;
  leave_partial(f, wire::protocol::udp, 8, 6);
  ASSERT_FALSE(queues[1 - *before]->transmit(f, {}));
  EXPECT_EQ(queue_of_flow(4000), before);
}

TEST_F(tun_queues, one_is_a_plain_device) {
  open(1);
  EXPECT_FALSE(queues.front()->multi_queue());
}

TEST_F(tun_queues, need_a_device_of_several) {
  make_persistent("tun0", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
  try {
    open_queues({}, 2);
    ADD_FAILURE() << "taken";
  } catch (const std::system_error& e) {
    const std::string sentence = e.what();
    for (const char* const step : {"ip link delete tun0", "ip tuntap add dev tun0 mode tun multi_queue"})
      EXPECT_NE(sentence.find(step), std::string::npos) << sentence;
  }
}

TEST_F(tun_queues, are_not_shared_with_another_process) {
  const auto refusal = [](unsigned n) -> std::string {
    try {
      open_queues({.mtu = 1300}, n);
    } catch (const std::system_error& e) {
      return e.what();
    }
    return "";
  };
  open(2);
  const auto mtu = link_mtu("tun0");
  EXPECT_NE(refusal(1).find("in use by another process"), std::string::npos);
  EXPECT_NE(refusal(2).find("in use by another process"), std::string::npos);
  EXPECT_EQ(attached_queues("tun0"), 2u);  // who was refused has let go, and changed nothing
  EXPECT_EQ(link_mtu("tun0"), mtu);
}

TEST_F(tun_queues, attach_to_a_persistent_device_of_several) {
  make_persistent("tun0", IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE);
  open(4);
  EXPECT_EQ(queues.size(), 4u);
}

}  // namespace
}  // namespace tunic::drivers
