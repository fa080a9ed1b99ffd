#include "drivers/loopback.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/drivers/frames.hpp"

namespace tunic::drivers {
namespace {

using namespace test;

struct counting_waker final : device_waker {
  int woken = 0;
  void wake() override { ++woken; }
};

class loopback : public ::testing::Test {
 protected:
  std::string next_text(loopback_pair::end& from) {
    std::error_code error;
    const packet p = from.receive(buffers, {}, error);
    EXPECT_FALSE(error);
    if (!p) return "nothing";
    return text_of(p.octets.octets().subspan(28));  // behind IPv4 and UDP
  }
  static std::error_code send(loopback_pair::end& to, const std::string& text) {
    frame f;
    make_udp(f, 7, 7, text);
    return to.transmit(f, {});
  }
  pool buffers;
};

TEST_F(loopback, carries_datagrams_in_order_both_ways) {
  loopback_pair pair;
  EXPECT_FALSE(send(pair.first(), "one"));
  EXPECT_FALSE(send(pair.first(), "two"));
  EXPECT_FALSE(send(pair.second(), "back"));
  EXPECT_EQ(next_text(pair.second()), "one");
  EXPECT_EQ(next_text(pair.second()), "two");
  EXPECT_EQ(next_text(pair.second()), "nothing");
  EXPECT_EQ(next_text(pair.first()), "back");
}

TEST_F(loopback, passes_a_super_segment_as_it_is) {
  loopback_pair pair;
  frame f;
  const std::string text = pattern(60000);
  make_tcp(f, acknowledging(), text.substr(0, 25000), 1460);
  f.text.push_back(shared(text.substr(25000)));
  ASSERT_FALSE(pair.first().transmit(f, {}));

  std::error_code error;
  const packet p = pair.second().receive(buffers, {}, error);
  EXPECT_EQ(p.segment_size, 1460);
  EXPECT_EQ(p.checksum, checksum_state::partial);
  EXPECT_EQ(text_of(p.octets.octets().first(f.header_size)), text_of(f.header()));
  EXPECT_EQ(text_of(p.octets.octets().subspan(f.header_size)), text);
}

TEST_F(loopback, outlives_its_end_in_the_packets_it_gave) {
  auto pair = std::make_unique<loopback_pair>();
  send(pair->first(), "kept");
  std::error_code error;
  const packet p = pair->second().receive(buffers, {}, error);
  pair.reset();
  EXPECT_EQ(text_of(p.octets.octets().subspan(28)), "kept");
}

TEST_F(loopback, without_offload_refuses_what_needs_it) {
  loopback_pair pair{{.offload = false}};
  EXPECT_FALSE(pair.first().capabilities().checksum);
  EXPECT_FALSE(pair.first().capabilities().segmentation_v4);
  frame f;
  make_udp(f, 7, 7, "text");
  EXPECT_EQ(pair.first().transmit(f, {}), std::errc::not_supported);
  f.partial_checksum = false;
  ASSERT_FALSE(pair.first().transmit(f, {}));
  std::error_code error;
  EXPECT_EQ(pair.second().receive(buffers, {}, error).checksum, checksum_state::unknown);
}

TEST_F(loopback, refuses_a_datagram_beyond_the_mtu) {
  loopback_pair pair{{.mtu = 576}};
  EXPECT_FALSE(send(pair.first(), pattern(576 - 28)));
  EXPECT_EQ(send(pair.first(), pattern(576 - 28 + 1)), std::errc::message_size);
  frame f;
  make_tcp(f, acknowledging(), pattern(5000), 576 - 40 + 1);
  EXPECT_EQ(pair.first().transmit(f, {}), std::errc::message_size);
}

TEST_F(loopback, loses_and_counts_what_its_queue_cannot_hold) {
  loopback_pair pair{{.queue = 2}};
  for (const char* text : {"one", "two", "three"}) EXPECT_FALSE(send(pair.first(), text));
  EXPECT_EQ(pair.second().dropped(), 1u);
  EXPECT_EQ(next_text(pair.second()), "one");
  EXPECT_FALSE(send(pair.first(), "four"));
  EXPECT_EQ(next_text(pair.second()), "two");
  EXPECT_EQ(next_text(pair.second()), "four");
  EXPECT_EQ(next_text(pair.second()), "nothing");
}

TEST_F(loopback, wakes_its_peer_once_until_that_has_seen_the_queue_empty) {
  loopback_pair pair;
  counting_waker waker;
  pair.second().set_waker(&waker);
  EXPECT_EQ(pair.second().descriptor(), -1);
  send(pair.first(), "one");
  send(pair.first(), "two");
  EXPECT_EQ(waker.woken, 1);
  EXPECT_EQ(next_text(pair.second()), "one");
  send(pair.first(), "three");
  EXPECT_EQ(waker.woken, 1);
  while (next_text(pair.second()) != "nothing") continue;
  send(pair.first(), "four");
  EXPECT_EQ(waker.woken, 2);
}

TEST_F(loopback, wakes_for_what_had_come_before_the_waker_was_set) {
  loopback_pair pair;
  counting_waker waker;
  send(pair.first(), "early");
  pair.second().set_waker(&waker);
  EXPECT_EQ(waker.woken, 1);
}

TEST_F(loopback, survives_text_in_a_mapping_that_has_shrunk) {
  const int file = ::memfd_create("text", MFD_CLOEXEC);
  ASSERT_EQ(::ftruncate(file, 4096), 0);
  void* const mapping = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0);
  frame f;
  make_udp(f, 7, 7, "");
  f.text.push_back(adopt(nullptr, {static_cast<const std::byte*>(mapping), 1000}));
  loopback_pair pair;
  EXPECT_FALSE(pair.first().transmit(f, {}));
  ASSERT_EQ(::ftruncate(file, 0), 0);
  EXPECT_EQ(pair.first().transmit(f, {}), std::errc::bad_address);
  f.clear();
  ::munmap(mapping, 4096);
  ::close(file);
}

}  // namespace
}  // namespace tunic::drivers
