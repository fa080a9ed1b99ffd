#include "drivers/impairment.hpp"

#include <optional>
#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "drivers/loopback.hpp"
#include "stack/buffer/flatten.hpp"
#include "tests/drivers/frames.hpp"

namespace tunic::drivers {
namespace {

using namespace test;
using namespace std::chrono_literals;

/// The near end of a loopback pair behind a bad path.
class impaired : public ::testing::Test {
 protected:
  void start(const impairment_options& options, loopback_options link = {}) {
    pair.emplace(link);
    device.emplace(pair->first(), options);
  }
  packet receive() {
    std::error_code error;
    packet p = device->receive(buffers, now, error);
    EXPECT_FALSE(error);
    return p;
  }
  packet far_receive() {
    std::error_code error;
    return pair->second().receive(buffers, now, error);
  }
  void send(const std::string& text, std::uint16_t segment_size, bool v6 = false) {
    make_tcp(f, acknowledging(), text, segment_size, v6);
    EXPECT_FALSE(device->transmit(f, now));
  }
  void far_send(const std::string& text, std::uint16_t segment_size, bool v6 = false) {
    make_tcp(f, acknowledging(), text, segment_size, v6);
    EXPECT_FALSE(pair->second().transmit(f, now));
  }

  std::optional<loopback_pair> pair;
  std::optional<impairment> device;
  pool buffers;
  frame f;
  instant now{100s};
};

/// The text of a TCP segment of test frames, whose checksums must be good and finished.
std::string text_of_segment(const packet& p, bool v6, std::uint32_t* number = nullptr) {
  EXPECT_EQ(p.checksum, checksum_state::unknown);
  EXPECT_EQ(p.segment_size, 0);
  const auto octets = p.octets.octets();
  if (v6 ? !wire::parse_ipv6(octets) : !wire::parse_ipv4(octets)) return "bad IP";
  const auto segment = octets.subspan(v6 ? 40 : 20);
  const auto tcp = v6 ? wire::parse_tcp(segment, our_side_v6, kernel_side_v6, checksum_state::unknown)
                      : wire::parse_tcp(segment, our_side, kernel_side, checksum_state::unknown);
  if (!tcp) return "bad TCP";
  if (number) *number = tcp->seq_number.value();
  return text_of(segment.subspan(tcp->header_length));
}

class impaired_cut : public impaired, public ::testing::WithParamInterface<bool> {};

TEST_P(impaired_cut, sends_super_segments_as_wire_segments) {
  start({}, {.offload = false});  // the other device can do nothing by itself
  EXPECT_TRUE(device->capabilities().checksum);
  EXPECT_TRUE(device->capabilities().segmentation_v4);
  EXPECT_TRUE(device->capabilities().segmentation_v6);
  EXPECT_EQ(device->mtu(), 1500u);
  const std::string text = pattern(4321);
  send(text, 1000, GetParam());
  for (std::uint32_t i = 0; i < 5; ++i) {
    std::uint32_t number = 0;
    EXPECT_EQ(text_of_segment(far_receive(), GetParam(), &number), text.substr(i * 1000, 1000));
    EXPECT_EQ(number, i * 1000);
  }
  EXPECT_FALSE(far_receive());
  EXPECT_EQ(device->out().passed, 5u);
}

TEST_P(impaired_cut, receives_super_segments_as_wire_segments) {
  start({});
  const std::string text = pattern(4000);
  far_send(text, 1000, GetParam());
  far_send({}, 0, GetParam());  // an acknowledgement alone
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_EQ(text_of_segment(receive(), GetParam()), text.substr(i * 1000, 1000));
  EXPECT_EQ(text_of_segment(receive(), GetParam()), "");
  EXPECT_FALSE(receive());
  EXPECT_EQ(device->in().passed, 5u);
}
INSTANTIATE_TEST_SUITE_P(both_versions, impaired_cut, ::testing::Bool(),
                         [](const auto& test) { return std::string{test.param ? "v6" : "v4"}; });

TEST_F(impaired, loses_single_segments_of_a_super_segment_in_each_direction_by_itself) {
  start({.out = {.loss = 0.5}, .in = {.loss = 0.1}});
  send(pattern(60'000), 500);
  far_send(pattern(60'000), 500);
  while (receive()) {
  }
  EXPECT_NEAR(static_cast<double>(device->out().lost), 60, 28);
  EXPECT_NEAR(static_cast<double>(device->in().lost), 12, 11);
  EXPECT_EQ(device->out().came, 120u);
  EXPECT_EQ(device->in().came, 120u);
}

TEST_F(impaired, seeds_the_two_directions_apart) {
  start({.out = {.loss = 0.5}, .in = {.loss = 0.5}});
  std::string out, in;
  for (int i = 0; i < 64; ++i) {
    send("x", 0);
    out += far_receive() ? '.' : 'x';
    far_send("x", 0);
    in += receive() ? '.' : 'x';
  }
  EXPECT_NE(out, in);
}

TEST_F(impaired, hands_on_what_is_due_at_its_deadline) {
  start({.out = {.delay = 50ms}, .in = {.delay = 20ms}});
  EXPECT_EQ(device->next_deadline(), never);
  send("there", 0);
  EXPECT_FALSE(far_receive());
  EXPECT_EQ(device->next_deadline(), now + 50ms);
  far_send("back", 0);
  EXPECT_FALSE(receive());
  EXPECT_EQ(device->next_deadline(), now + 20ms);

  now += 20ms;
  EXPECT_EQ(text_of_segment(receive(), false), "back");
  EXPECT_FALSE(far_receive());
  EXPECT_EQ(device->next_deadline(), now + 30ms);
  now += 30ms;
  EXPECT_FALSE(receive());
  EXPECT_EQ(text_of_segment(far_receive(), false), "there");
  EXPECT_EQ(device->next_deadline(), never);
}

TEST_F(impaired, comes_back_at_once_for_what_is_beyond_a_batch) {
  start({.in = {.delay = 1s}});
  for (unsigned i = 0; i < impairment::batch + 1; ++i) far_send("x", 0);
  EXPECT_FALSE(receive());
  EXPECT_EQ(device->in().came, impairment::batch);
  EXPECT_LE(device->next_deadline(), now);
  EXPECT_FALSE(receive());
  EXPECT_EQ(device->in().came, impairment::batch + 1);
  EXPECT_EQ(device->next_deadline(), now + 1s);
}

TEST_F(impaired, lets_a_checksum_find_what_it_flips) {
  start({.out = {.corrupt = 1}});
  for (int i = 0; i < 200; ++i) {
    send(pattern(100), 0);
    const std::string read = text_of_segment(far_receive(), false);
    EXPECT_TRUE(read == "bad IP" || read == "bad TCP") << read;
  }
  EXPECT_EQ(device->out().corrupted, 200u);
}

TEST_F(impaired, refuses_what_is_beyond_the_mtu) {
  start({});
  make_tcp(f, acknowledging(), pattern(1461));
  EXPECT_EQ(device->transmit(f, now), std::errc::message_size);
  make_tcp(f, acknowledging(), pattern(3000), 1461);
  EXPECT_EQ(device->transmit(f, now), std::errc::message_size);
  make_tcp(f, acknowledging(), pattern(3000), 1460);
  EXPECT_FALSE(device->transmit(f, now));
}

TEST_F(impaired, refuses_text_whose_mapping_has_shrunk) {
  start({});
  const int file = ::memfd_create("text", MFD_CLOEXEC);
  ASSERT_EQ(::ftruncate(file, 4096), 0);
  void* const mapping = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0);
  ASSERT_EQ(::ftruncate(file, 0), 0);
  make_tcp(f, acknowledging(), {});
  f.text.push_back(adopt(nullptr, {static_cast<const std::byte*>(mapping), 1000}));
  EXPECT_EQ(device->transmit(f, now), std::errc::bad_address);
  EXPECT_FALSE(far_receive());
  ::munmap(mapping, 4096);
  ::close(file);
}

/// A device that has some datagrams and then fails, until it is mended.
struct failing final : tunic::device {
  [[nodiscard]] device_capabilities capabilities() const override { return {}; }
  [[nodiscard]] std::size_t mtu() const override { return 1500; }
  packet receive(pool&, instant, std::error_code& error) override {
    if (!at_hand.empty()) {
      packet p = std::move(at_hand.back());
      at_hand.pop_back();
      return p;
    }
    if (broken) error = std::make_error_code(std::errc::no_such_device);
    return {};
  }
  std::error_code transmit(const frame&, instant) override { return std::make_error_code(std::errc::no_such_device); }
  [[nodiscard]] instant next_deadline() const override { return instant{7s}; }

  std::vector<packet> at_hand;
  bool broken = true;
};

TEST_F(impaired, tells_of_a_device_that_has_failed_and_keeps_what_is_under_way) {
  failing inner;
  for (const duration delay : {0s, 1s}) {
    device.emplace(inner, impairment_options{.in = {.delay = delay}});
    make_tcp(f, acknowledging(), "kept");
    inner.at_hand.push_back(flatten(f, buffers));
    inner.broken = true;
    std::error_code error;
    for (int i = 0; i < 2; ++i, now += 2s) {
      EXPECT_FALSE(device->receive(buffers, now, error));
      EXPECT_EQ(error, std::errc::no_such_device);
      EXPECT_EQ(device->next_deadline(), instant{7s});
    }
    send("lost on the wire", 0);
    inner.broken = false;
    EXPECT_EQ(text_of_segment(receive(), false), "kept");
  }
}

TEST_F(impaired, passes_what_is_no_good_datagram_as_it_is) {
  start({});
  for (const std::size_t size : {1u, 20u, 60u}) {
    f.clear();
    f.header_size = size;
    f.header_room.fill(std::byte{0x45});
    f.partial_checksum = true;
    f.segment_size = 5;
    EXPECT_FALSE(device->transmit(f, now));
    EXPECT_EQ(text_of(far_receive().octets.octets()), std::string(size, '\x45'));
  }
}

}  // namespace
}  // namespace tunic::drivers
