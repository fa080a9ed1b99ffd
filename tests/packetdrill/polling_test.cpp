// poll and epoll of the plug-in, by its table.
#include <cerrno>
#include <poll.h>
#include <sys/epoll.h>

#include <gtest/gtest.h>

#include "tests/packetdrill/plugin.hpp"

namespace tunic::test {
namespace {

TEST(packetdrill_plugin, polls) {
  plugin p;
  pollfd entries[] = {{.fd = p.established(), .events = POLLIN | POLLOUT, .revents = 0},
                      {.fd = 12345, .events = POLLIN, .revents = 0}};
  EXPECT_EQ(p->poll(p.self(), entries, 2, 0), 2);
  EXPECT_EQ(entries[0].revents, POLLOUT);
  EXPECT_EQ(entries[1].revents, POLLNVAL);
  p.arrives("F. 1:1(0) ack 1");
  EXPECT_EQ(p->poll(p.self(), entries, 1, 0), 1);
  EXPECT_EQ(entries[0].revents, POLLIN | POLLOUT);
}

TEST(packetdrill_plugin, tells_an_edge_once_and_a_level_always) {
  plugin p;
  const int fd = p.established();
  const int edge = p->epoll_create(p.self(), 1);
  const int level = p->epoll_create(p.self(), 1);
  epoll_event wanted{.events = EPOLLIN | EPOLLET, .data = {.fd = fd}};
  EXPECT_EQ(p->epoll_ctl(p.self(), edge, EPOLL_CTL_ADD, fd, &wanted), 0);
  EXPECT_EQ(errno_of(p->epoll_ctl(p.self(), edge, EPOLL_CTL_ADD, fd, &wanted)), EEXIST);
  wanted.events = EPOLLIN;
  EXPECT_EQ(errno_of(p->epoll_ctl(p.self(), level, EPOLL_CTL_MOD, fd, &wanted)), ENOENT);
  EXPECT_EQ(p->epoll_ctl(p.self(), level, EPOLL_CTL_ADD, fd, &wanted), 0);
  epoll_event got{};
  const auto told = [&](int set) { return p->epoll_wait(p.self(), set, &got, 1, 0); };
  EXPECT_EQ(told(edge), 0);
  for (int i = 0; i < 2; ++i) {
    p.arrives(i == 0 ? "P. 1:11(10) ack 1" : "P. 11:21(10) ack 1");
    EXPECT_EQ(told(edge), 1);
    EXPECT_EQ(got.events, static_cast<std::uint32_t>(EPOLLIN));
    EXPECT_EQ(got.data.fd, fd);
    EXPECT_EQ(told(edge), 0);
    EXPECT_EQ(told(level), 1);
    EXPECT_EQ(told(level), 1);
  }
  EXPECT_EQ(p.reads(fd, 100), 20);
  EXPECT_EQ(told(level), 0);
}

TEST(packetdrill_plugin, tells_a_one_shot_once_until_it_is_armed_again) {
  plugin p;
  const int fd = p.established();
  const int set = p->epoll_create(p.self(), 1);
  epoll_event wanted{.events = EPOLLOUT | EPOLLONESHOT, .data = {}};
  epoll_event got{};
  EXPECT_EQ(p->epoll_ctl(p.self(), set, EPOLL_CTL_ADD, fd, &wanted), 0);
  EXPECT_EQ(p->epoll_wait(p.self(), set, &got, 1, 0), 1);
  EXPECT_EQ(p->epoll_wait(p.self(), set, &got, 1, 0), 0);
  EXPECT_EQ(p->epoll_ctl(p.self(), set, EPOLL_CTL_MOD, fd, &wanted), 0);
  EXPECT_EQ(p->epoll_wait(p.self(), set, &got, 1, 0), 1);
  EXPECT_EQ(p->close(p.self(), fd), 0);
  EXPECT_EQ(p->epoll_wait(p.self(), set, &got, 1, 0), 0);
}

}  // namespace
}  // namespace tunic::test
