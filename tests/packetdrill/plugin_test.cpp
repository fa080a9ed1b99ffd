#include "tests/packetdrill/plugin.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

// The plug-in by its table, as packetdrill calls it.

namespace tunic::test {
namespace {

constexpr std::int64_t second = 1'000'000;

TEST(packetdrill_plugin, accepts_a_connection_under_a_descriptor_of_the_kernels) {
  plugin p;
  const int listener = p.listening();
  EXPECT_EQ(errno_of(p->accept(p.self(), listener, nullptr, nullptr)), EAGAIN);
  p.arrives("S 0:0(0) win 65535 <mss 1460>");
  const auto answer = p.emits();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->header.flags.syn && answer->header.flags.ack);
  p.arrives(". 1:1(0) ack 1");
  sockaddr_in name{};
  socklen_t length = sizeof name;
  const int fd = p->accept(p.self(), listener, reinterpret_cast<sockaddr*>(&name), &length);
  ASSERT_GE(fd, 0);
  EXPECT_GE(::fcntl(fd, F_GETFD), 0);  // libc knows it
  EXPECT_EQ(ntohs(name.sin_port), 40000);
  EXPECT_EQ(p->close(p.self(), fd), 0);
  EXPECT_LT(::fcntl(fd, F_GETFD), 0);
}

TEST(packetdrill_plugin, tells_mapped_names_to_an_ipv6_socket) {
  plugin p{AF_INET6};
  const int listener = p.listening();
  p.arrives("S 0:0(0) win 65535 <mss 1460>");
  ASSERT_TRUE(p.emits());
  p.arrives(". 1:1(0) ack 1");
  sockaddr_in6 name{};
  socklen_t length = sizeof name;
  ASSERT_GE(p->accept(p.self(), listener, reinterpret_cast<sockaddr*>(&name), &length), 0);
  EXPECT_EQ(length, sizeof name);
  EXPECT_TRUE(IN6_IS_ADDR_V4MAPPED(&name.sin6_addr));
}

TEST(packetdrill_plugin, speaks_ipv6) {
  plugin p{AF_INET6, "sysctls=/dev/null", true};
  EXPECT_EQ(p.writes(p.established(), 100), 100);
  const auto s = p.emits();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->text, 100u);
}

TEST(packetdrill_plugin, jumps_over_time_to_the_next_datagram) {
  plugin p;
  const int fd = p.stream();
  const std::int64_t begin = p.now();
  EXPECT_EQ(errno_of(p.dial(fd)), EINPROGRESS);
  const auto first = p.emits();
  const auto again = p.emits();
  ASSERT_TRUE(first && again);
  EXPECT_LE(first->at - begin, 10);          // the clock moves by a microsecond a look, and by nothing else
  EXPECT_EQ(again->at - first->at, second);  // RFC 6298 §2.1
  EXPECT_GE(p.now(), again->at);
}

TEST(packetdrill_plugin, keeps_what_was_emitted_while_the_script_slept) {
  plugin p;
  EXPECT_EQ(errno_of(p.dial(p.stream())), EINPROGRESS);
  const std::int64_t begin = p.now();
  EXPECT_EQ(p->usleep(p.self(), 5 * second), 0);
  EXPECT_NEAR(static_cast<double>(p.now() - begin), 5.0 * second, 10);
  const auto first = p.emits();
  const auto again = p.emits();
  ASSERT_TRUE(first && again);
  EXPECT_EQ(again->at - first->at, second);
}

TEST(packetdrill_plugin, has_a_clock_that_moves_by_itself) {
  plugin p;
  const std::int64_t before = p.now();
  EXPECT_EQ(p.now() - before, 1);
}

TEST(packetdrill_plugin, says_so_where_nothing_will_ever_be_emitted) {
  plugin p;
  EXPECT_FALSE(p.emits());
  const int fd = p.stream(false);
  EXPECT_EQ(errno_of(p->poll(p.self(), nullptr, 0, 0)), 0);
  EXPECT_EQ(errno_of(p->accept(p.self(), fd, nullptr, nullptr)), EINVAL);
}

TEST(packetdrill_plugin, cuts_super_segments) {
  plugin p;
  const int fd = p.established();
  EXPECT_EQ(p.writes(fd, 4000), 4000);
  std::uint32_t next = 1;
  for (const std::uint32_t size : {1460u, 1460u, 1080u}) {
    const auto s = p.emits();
    ASSERT_TRUE(s);
    EXPECT_EQ(s->begin, next);
    EXPECT_EQ(s->text, size);
    EXPECT_EQ(s->header.flags.psh, size == 1080);
    next += size;
  }
}

TEST(packetdrill_plugin, fails_as_linux_fails) {
  plugin p;
  const int fresh = p.stream();
  char octet = 0;
  EXPECT_EQ(errno_of(p->read(p.self(), fresh, &octet, 1)), ENOTCONN);
  EXPECT_EQ(errno_of(p->write(p.self(), fresh, &octet, 1)), EPIPE);
  EXPECT_EQ(errno_of(p->shutdown(p.self(), fresh, SHUT_WR)), ENOTCONN);
  const int on = 1;
  EXPECT_EQ(errno_of(p->setsockopt(p.self(), fresh, SOL_SOCKET, 9999, &on, sizeof on)), ENOPROTOOPT);
  EXPECT_EQ(errno_of(p->socket(p.self(), AF_INET, SOCK_STREAM, IPPROTO_UDP)), EPROTONOSUPPORT);
  EXPECT_EQ(errno_of(p->bind(p.self(), fresh, nullptr, 0)), EFAULT);
  EXPECT_EQ(errno_of(p->listen(p.self(), 12345, 1)), EBADF);

  const int fd = p.established();
  EXPECT_EQ(errno_of(p->read(p.self(), fd, &octet, 1)), EAGAIN);
  EXPECT_EQ(errno_of(p->write(p.self(), fd, nullptr, 1)), EFAULT);
  EXPECT_EQ(errno_of(p.dial(fd)), EISCONN);
  p.arrives("P. 1:2(1) ack 1");
  EXPECT_EQ(errno_of(p->read(p.self(), fd, nullptr, 1)), EFAULT);
  EXPECT_EQ(p->read(p.self(), fd, &octet, 1), 1);
  EXPECT_EQ(p->shutdown(p.self(), fd, SHUT_WR), 0);
  EXPECT_EQ(errno_of(p->write(p.self(), fd, &octet, 1)), EPIPE);
}

TEST(packetdrill_plugin, tells_of_a_reset_once) {
  plugin p;
  const int fd = p.established();
  p.arrives("R 1:1(0)");
  EXPECT_EQ(errno_of(p.reads(fd, 1)), ECONNRESET);
  EXPECT_EQ(p.reads(fd, 1), 0);
  EXPECT_EQ(errno_of(p.writes(fd, 1)), EPIPE);
  EXPECT_EQ(p.number(fd, SOL_SOCKET, SO_ERROR), 0);
}

TEST(packetdrill_plugin, connects_without_waiting) {
  plugin p;
  const int fd = p.stream();
  EXPECT_EQ(errno_of(p.dial(fd)), EINPROGRESS);
  EXPECT_EQ(errno_of(p.dial(fd)), EALREADY);
  EXPECT_EQ(errno_of(p.writes(fd, 1)), EAGAIN);
  ASSERT_TRUE(p.emits());
  p.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  EXPECT_EQ(p.dial(fd), 0);
  EXPECT_EQ(errno_of(p.dial(fd)), EISCONN);
}

TEST(packetdrill_plugin, tells_of_a_refusal_once_and_dials_again) {
  plugin p;
  const int fd = p.stream();
  EXPECT_EQ(errno_of(p.dial(fd)), EINPROGRESS);
  ASSERT_TRUE(p.emits());
  p.arrives("R. 0:0(0) ack 1");
  EXPECT_EQ(p.number(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
  EXPECT_EQ(errno_of(p.dial(fd)), ECONNABORTED);
  EXPECT_EQ(errno_of(p.dial(fd)), EINPROGRESS);
}

TEST(packetdrill_plugin, moves_time_for_a_blocking_call_of_the_script_itself) {
  plugin p;
  const int fd = p.stream(false);
  EXPECT_EQ(errno_of(p.dial(fd)), ETIMEDOUT);
  EXPECT_GT(p.now(), 60 * second);
}

TEST(packetdrill_plugin, lets_a_sleeper_look_at_the_clock_before_time_moves_on) {
  plugin p;
  const int fd = p.established(false);
  std::atomic<pid_t> thread = 0;
  std::int64_t woken = 0;
  ssize_t got = 0;
  std::thread reader{[&] {
    thread = gettid();
    got = p.reads(fd, 100);
    woken = p.now();
  }};
  while (thread == 0 || !is_asleep(thread)) std::this_thread::yield();
  p->usleep(p.self(), second);
  const std::int64_t arrival = p.now();
  p.arrives("P. 1:51(50) ack 1");
  p->usleep(p.self(), second);
  reader.join();
  EXPECT_EQ(got, 50);
  EXPECT_LE(woken - arrival, 2);
}

TEST(packetdrill_plugin, wakes_a_sleeper_at_its_own_time) {
  plugin p;
  const int fd = p.established();
  std::atomic<pid_t> thread = 0;
  std::int64_t woken = 0;
  int ready = -1;
  const std::int64_t begin = p.now();
  std::thread poller{[&] {
    thread = gettid();
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    ready = p->poll(p.self(), &entry, 1, 300);
    woken = p.now();
  }};
  while (thread == 0 || !is_asleep(thread)) std::this_thread::yield();
  p->usleep(p.self(), second);
  poller.join();
  EXPECT_EQ(ready, 0);
  EXPECT_NEAR(static_cast<double>(woken - begin), 300'000, 5);
}

TEST(packetdrill_plugin, gathers_the_pieces_of_a_write) {
  plugin p;
  const int fd = p.established();
  char octets[100] = {};
  const iovec pieces[] = {{octets, 0}, {octets, 40}, {octets, 60}};
  EXPECT_EQ(p->writev(p.self(), fd, pieces, 3), 100);
  const auto s = p.emits();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->text, 100u);
}

TEST(packetdrill_plugin, gives_one_receipt_for_the_zero_copy_sends_before_it) {
  plugin p;
  const int fd = p.established();
  const int on = 1;
  EXPECT_EQ(p->setsockopt(p.self(), fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on), 0);
  const char octets[100] = {};
  EXPECT_EQ(p->send(p.self(), fd, octets, sizeof octets, MSG_ZEROCOPY), 100);
  EXPECT_EQ(p->send(p.self(), fd, octets, sizeof octets, MSG_ZEROCOPY), 100);
  pollfd entry{.fd = fd, .events = 0, .revents = 0};
  EXPECT_EQ(p->poll(p.self(), &entry, 1, 0), 1);
  EXPECT_EQ(entry.revents, POLLERR);
  alignas(cmsghdr) char control[128];
  msghdr message{};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  EXPECT_EQ(p->recvmsg(p.self(), fd, &message, MSG_ERRQUEUE), 0);
  EXPECT_EQ(message.msg_flags, MSG_ERRQUEUE);
  const cmsghdr* first = CMSG_FIRSTHDR(&message);
  ASSERT_TRUE(first);
  sock_extended_err receipt{};
  std::memcpy(&receipt, CMSG_DATA(first), sizeof receipt);
  EXPECT_EQ(receipt.ee_origin, SO_EE_ORIGIN_ZEROCOPY);
  EXPECT_EQ(receipt.ee_info, 0u);
  EXPECT_EQ(receipt.ee_data, 1u);
  EXPECT_EQ(errno_of(p->recvmsg(p.self(), fd, &message, MSG_ERRQUEUE)), EAGAIN);
}

TEST(packetdrill_plugin, counts_what_waits) {
  plugin p;
  const int fd = p.established();
  int n = -1;
  p.arrives("P. 1:101(100) ack 1");
  EXPECT_EQ(p->ioctl(p.self(), fd, SIOCINQ, &n), 0);
  EXPECT_EQ(n, 100);
  EXPECT_EQ(p.writes(fd, 300), 300);
  EXPECT_EQ(p->ioctl(p.self(), fd, SIOCOUTQ, &n), 0);
  EXPECT_EQ(n, 300);
  EXPECT_EQ(p->ioctl(p.self(), fd, SIOCOUTQNSD, &n), 0);
  EXPECT_EQ(n, 0);
}

TEST(packetdrill_plugin, has_socket_options_as_linux_has_them) {
  plugin p;
  const int fd = p.established();
  const int wanted = 21000, on = 1;
  EXPECT_EQ(p->setsockopt(p.self(), fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted), 0);
  EXPECT_EQ(p.number(fd, SOL_SOCKET, SO_SNDBUF), 42000);
  EXPECT_EQ(p->setsockopt(p.self(), fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
  EXPECT_EQ(p.number(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(p->setsockopt(p.self(), fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on), 0);
  EXPECT_EQ(p.number(fd, IPPROTO_TCP, TCP_CORK), 1);
  EXPECT_EQ(p.number(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 0);
  EXPECT_EQ(p->setsockopt(p.self(), fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &wanted, sizeof wanted), 0);
  EXPECT_EQ(p.number(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), wanted);
  EXPECT_EQ(p.number(fd, IPPROTO_TCP, TCP_MAXSEG), 1460);
  ::tcp_info info{};
  socklen_t length = sizeof info;
  EXPECT_EQ(p->getsockopt(p.self(), fd, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
  EXPECT_EQ(info.tcpi_state, TCP_ESTABLISHED);
  EXPECT_EQ(info.tcpi_snd_cwnd, 10u);
  EXPECT_EQ(info.tcpi_snd_mss, 1460u);
}

TEST(packetdrill_plugin, fills_the_buffer_that_it_has_begun_as_linux_does) {
  plugin p;
  const int fd = p.established();
  const int most = 4000;
  EXPECT_EQ(p->setsockopt(p.self(), fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most), 0);
  const ssize_t half = 65535 / 2 / 1460 * 1460;  // of the peer's window: what one of Linux's buffers holds
  EXPECT_EQ(p.writes(fd, 100'000), 10 * 1460 + half);
}

TEST(packetdrill_plugin, lets_what_is_corked_go_where_asked) {
  plugin p;
  const int fd = p.established();
  const int on = 1;
  EXPECT_EQ(p->setsockopt(p.self(), fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on), 0);
  EXPECT_EQ(p.writes(fd, 100), 100);
  EXPECT_EQ(p->setsockopt(p.self(), fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
  const std::int64_t before = p.now();
  const auto s = p.emits();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->text, 100u);
  EXPECT_LE(s->at, before);
}

TEST(packetdrill_plugin, lets_a_listener_change_its_mind_about_connections_to_come) {
  plugin p;
  const int listener = p.listening();
  const int wanted = 1100;
  EXPECT_EQ(p->setsockopt(p.self(), listener, IPPROTO_TCP, TCP_MAXSEG, &wanted, sizeof wanted), 0);
  EXPECT_EQ(p.number(listener, IPPROTO_TCP, TCP_MAXSEG), 1100);
  p.arrives("S 0:0(0) win 65535 <mss 1460>");
  const auto answer = p.emits();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.options.mss, 1100);
}

TEST(packetdrill_plugin, reads_settings_when_a_connection_is_dialled) {
  const std::filesystem::path folder =
      std::filesystem::path{testing::TempDir()} / ("sysctls" + std::to_string(getpid()));
  std::filesystem::create_directories(folder / "ipv4");
  plugin p{AF_INET, "sysctls=" + folder.string()};
  EXPECT_EQ(errno_of(p.dial(p.stream())), EINPROGRESS);
  auto syn = p.emits();
  ASSERT_TRUE(syn);
  EXPECT_TRUE(syn->header.options.timestamps);
  std::ofstream{folder / "ipv4/tcp_timestamps"} << "0\n";
  EXPECT_EQ(errno_of(p.dial(p.stream())), EINPROGRESS);
  syn = p.emits();
  ASSERT_TRUE(syn);
  EXPECT_FALSE(syn->header.options.timestamps);
  std::filesystem::remove_all(folder);
}

TEST(packetdrill_plugin, copies_between_a_pipe_and_a_socket) {
  plugin p;
  const int fd = p.established();
  int ends[2];
  ASSERT_EQ(p->pipe(p.self(), ends), 0);
  p.arrives("P. 1:101(100) ack 1");
  EXPECT_EQ(p->splice(p.self(), fd, nullptr, ends[1], nullptr, 1000, 0), 100);
  EXPECT_EQ(p->splice(p.self(), ends[0], nullptr, fd, nullptr, 1000, 0), 100);
  auto s = p.emits();
  if (s && s->text == 0) s = p.emits();  // what arrived may have been acknowledged by itself
  ASSERT_TRUE(s);
  EXPECT_EQ(s->text, 100u);
  EXPECT_EQ(errno_of(p->splice(p.self(), fd, nullptr, fd, nullptr, 1, 0)), EINVAL);
  EXPECT_EQ(p->close(p.self(), ends[0]), 0);
  EXPECT_EQ(p->close(p.self(), ends[1]), 0);
}

TEST(packetdrill_plugin_death, names_a_flag_that_it_does_not_know) {
  EXPECT_EXIT((plugin{AF_INET, "mtu=much"}), testing::ExitedWithCode(2), "mtu=much is no MTU");
  EXPECT_EXIT((plugin{AF_INET, "colour=red"}), testing::ExitedWithCode(2), "there is no flag 'colour'");
}

}  // namespace
}  // namespace tunic::test
