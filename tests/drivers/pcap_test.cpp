#include "drivers/pcap.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "drivers/loopback.hpp"
#include "tests/drivers/capture_file.hpp"
#include "tests/drivers/frames.hpp"

namespace tunic::drivers {
namespace {

using namespace test;
using namespace std::chrono_literals;

/// One end of a loopback pair within a capture.
class capture : public ::testing::Test {
 protected:
  capture() {
    std::string name = (std::filesystem::temp_directory_path() / "tunic-capture-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    path = folder + "/capture.pcapng";
  }
  ~capture() override { std::filesystem::remove_all(folder); }

  void start(pcap_options options) {
    options.file = path;
    device.emplace(pair.first(), std::move(options));
  }
  capture_file finish() {
    device.reset();
    return capture_file::open(path);
  }
  packet receive() {
    std::error_code error;
    return device->receive(buffers, instant{1s}, error);
  }

  std::string folder;
  std::string path;
  loopback_pair pair;
  pool buffers;
  std::optional<pcap> device;
};

std::span<const std::byte> octets_of(const captured& c) {
  return std::as_bytes(std::span{c.octets});
}

/// The text of a captured TCP segment, whose checksums must be good.
std::string verified_text(const captured& c, wire::tcp_header& h, bool v6 = false) {
  auto rest = octets_of(c);
  address source, destination;
  if (v6) {
    const auto ip = wire::parse_ipv6(rest);
    if (!ip || ip->payload_length + 40u != rest.size()) return "bad IPv6";
    source = ip->source, destination = ip->destination;
    rest = rest.subspan(40);
  } else {
    const auto ip = wire::parse_ipv4(rest);
    if (!ip || ip->total_length != rest.size()) return "bad IPv4";
    source = ip->source, destination = ip->destination;
    rest = rest.subspan(20);
  }
  const auto tcp = wire::parse_tcp(rest, source, destination, checksum_state::unknown);
  if (!tcp) return "bad TCP";
  h = *tcp;
  return text_of(rest.subspan(h.header_length));
}

TEST_F(capture, says_what_it_holds) {
  start({.interface = "tun0"});
  const auto file = finish();
  EXPECT_EQ(file.linktype, 101);
  EXPECT_EQ(file.resolution, 9);
  EXPECT_EQ(file.name, "tun0");
  EXPECT_TRUE(file.datagrams.empty());
}

TEST_F(capture, writes_both_directions_with_the_time_in_nanoseconds) {
  start({.epoch = std::chrono::seconds{1'800'000'000}});
  frame f;
  make_udp(f, 7, 9, "out");
  ASSERT_FALSE(device->transmit(f, instant{3ns}));
  make_udp(f, 9, 7, "back");
  ASSERT_FALSE(pair.second().transmit(f, {}));
  ASSERT_TRUE(receive());

  const auto file = finish();
  ASSERT_EQ(file.datagrams.size(), 2u);
  EXPECT_EQ(file.datagrams[0].time, 1'800'000'000'000'000'003u);
  EXPECT_EQ(file.datagrams[0].flags & 3, 2u);
  EXPECT_EQ(file.datagrams[0].octets.substr(28), "out");
  EXPECT_EQ(file.datagrams[1].time, 1'800'000'001'000'000'000u);
  EXPECT_EQ(file.datagrams[1].flags & 3, 1u);
  EXPECT_EQ(file.datagrams[1].octets.substr(28), "back");
  EXPECT_EQ(file.datagrams[1].size, 32u);
}

TEST_F(capture, finishes_checksums_of_both_directions_and_changes_no_datagram) {
  start({});
  frame f;
  make_udp(f, 7, 9, "odd", true);
  const std::string header = text_of(f.header());
  ASSERT_FALSE(device->transmit(f, {}));
  EXPECT_EQ(text_of(f.header()), header);
  ASSERT_FALSE(pair.second().transmit(f, {}));
  const packet p = receive();
  EXPECT_EQ(p.checksum, checksum_state::partial);
  EXPECT_EQ(text_of(p.octets.octets()), header + "odd");

  const auto file = finish();
  ASSERT_EQ(file.datagrams.size(), 2u);
  for (const captured& c : file.datagrams) {
    EXPECT_TRUE(wire::parse_udp(octets_of(c).subspan(40), our_side_v6, kernel_side_v6, checksum_state::unknown));
    EXPECT_EQ(c.octets.substr(48), "odd");
  }
}

TEST_F(capture, keeps_a_super_segment_whole_with_a_good_checksum) {
  start({});
  frame f;
  const std::string text = pattern(30001);
  make_tcp(f, acknowledging(), text, 1000);
  ASSERT_FALSE(device->transmit(f, {}));
  const auto file = finish();
  ASSERT_EQ(file.datagrams.size(), 1u);
  wire::tcp_header h;
  EXPECT_EQ(verified_text(file.datagrams[0], h), text);
}

TEST_F(capture, as_seen_leaves_the_partial_checksum) {
  start({.form = pcap_form::as_seen});
  frame f;
  make_udp(f, 7, 9, "raw");
  ASSERT_FALSE(device->transmit(f, {}));
  const auto file = finish();
  ASSERT_EQ(file.datagrams.size(), 1u);
  EXPECT_EQ(file.datagrams[0].octets, text_of(f.header()) + "raw");
}

class wire_capture : public capture, public ::testing::WithParamInterface<bool> {};

TEST_P(wire_capture, cuts_super_segments_of_both_directions_as_an_interface_does) {
  const bool v6 = GetParam();
  start({.form = pcap_form::wire});
  frame f;
  wire::tcp_header h = acknowledging();
  h.seq_number = seq{0xffffff00};  // the cut crosses the wrap
  h.flags.psh = h.flags.fin = h.flags.cwr = true;
  h.options.timestamps = wire::tcp_timestamps{1, 2};
  const std::string text = pattern(3500);
  make_tcp(f, h, text, 1000, v6);
  ASSERT_FALSE(device->transmit(f, {}));
  ASSERT_FALSE(pair.second().transmit(f, {}));
  EXPECT_EQ(receive().segment_size, 1000);

  const auto file = finish();
  ASSERT_EQ(file.datagrams.size(), 8u);
  for (std::size_t i = 0; i < 8; ++i) {
    const std::size_t k = i % 4;
    SCOPED_TRACE(i);
    const captured& c = file.datagrams[i];
    EXPECT_EQ(c.flags & 3, i < 4 ? 2u : 1u);
    EXPECT_EQ(c.size, c.octets.size());
    wire::tcp_header got;
    EXPECT_EQ(verified_text(c, got, v6), text.substr(k * 1000, 1000));
    EXPECT_EQ(got.seq_number, h.seq_number + static_cast<std::uint32_t>(k * 1000));
    EXPECT_EQ(got.flags.fin, k == 3);
    EXPECT_EQ(got.flags.psh, k == 3);
    EXPECT_EQ(got.flags.cwr, k == 0);  // RFC 3168 §6.1.2
    EXPECT_TRUE(got.flags.ack);
    EXPECT_TRUE(got.options.timestamps);
    if (!v6) {
      EXPECT_EQ(wire::parse_ipv4(octets_of(c))->id, static_cast<std::uint16_t>(0xfffe + k));
    }
  }
}
INSTANTIATE_TEST_SUITE_P(both_versions, wire_capture, ::testing::Bool(),
                         [](const auto& test) { return std::string{test.param ? "v6" : "v4"}; });

TEST_F(capture, keeps_as_many_octets_as_asked) {
  start({.snap = 30});
  frame f;
  make_udp(f, 7, 9, "a long text");
  ASSERT_FALSE(device->transmit(f, {}));
  const auto file = finish();
  ASSERT_EQ(file.datagrams.size(), 1u);
  EXPECT_EQ(file.snap, 30u);
  EXPECT_EQ(file.datagrams[0].octets.size(), 30u);
  EXPECT_EQ(file.datagrams[0].size, 39u);
}

TEST_F(capture, writes_what_is_no_good_datagram_as_it_is) {
  start({.form = pcap_form::wire});
  frame f;
  for (const std::size_t size : {1u, 20u, 60u}) {
    f.clear();
    f.header_size = size;
    f.header_room.fill(std::byte{0x45});
    f.partial_checksum = true;
    f.segment_size = 5;
    f.checksum_start = 20;
    ASSERT_FALSE(device->transmit(f, {}));
  }
  const auto file = finish();
  ASSERT_EQ(file.datagrams.size(), 3u);
  EXPECT_EQ(file.datagrams[2].octets, std::string(60, '\x45'));
}

TEST_F(capture, leaves_out_what_the_device_did_not_take) {
  start({});
  frame f;
  make_udp(f, 7, 9, pattern(2000));  // beyond the MTU
  EXPECT_EQ(device->transmit(f, {}), std::errc::message_size);
  EXPECT_TRUE(finish().datagrams.empty());
}

/// Takes all and touches nothing, as the kernel's writev does of text that it could read a moment ago.
struct sink final : tunic::device {
  [[nodiscard]] device_capabilities capabilities() const override { return {true, true, true}; }
  [[nodiscard]] std::size_t mtu() const override { return 1500; }
  packet receive(pool&, instant, std::error_code&) override { return {}; }
  std::error_code transmit(const frame&, instant) override { return {}; }
};

TEST_F(capture, ends_a_datagram_early_where_its_mapping_has_shrunk) {
  constexpr std::size_t page = 4096;
  const int file = ::memfd_create("text", MFD_CLOEXEC);
  ASSERT_EQ(::ftruncate(file, 3 * page), 0);
  void* const mapping = ::mmap(nullptr, 3 * page, PROT_READ, MAP_SHARED, file, 0);
  ASSERT_EQ(::pwrite(file, "begin", 5, 0), 5);
  ASSERT_EQ(::ftruncate(file, 1), 0);
  for (const pcap_form form : {pcap_form::as_seen, pcap_form::finished, pcap_form::wire}) {
    sink inner;
    device.emplace(inner, pcap_options{.file = path, .form = form});
    frame f;
    make_tcp(f, acknowledging(), pattern(2 * page), 1000);
    f.text.clear();
    f.text.push_back(adopt(nullptr, {static_cast<const std::byte*>(mapping), 2 * page}));
    ASSERT_FALSE(device->transmit(f, {}));
    const auto read = finish();
    std::size_t kept = 0, size = 0;
    for (const captured& c : read.datagrams) kept += c.octets.size() - 40, size += c.size - 40;
    EXPECT_EQ(size, 2 * page);
    EXPECT_EQ(kept, page);  // the page that is left
    EXPECT_EQ(read.datagrams.front().octets[40], 'b');
  }
  ::munmap(mapping, 3 * page);
  ::close(file);
}

class live_capture : public capture {
 protected:
  void SetUp() override {
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    reader = file_descriptor{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  }
  std::string read_all() {
    std::string all;
    char piece[65536];
    for (ssize_t n = 0; (n = ::read(reader.get(), piece, sizeof piece)) > 0;)
      all.append(piece, static_cast<std::size_t>(n));
    return all;
  }
  file_descriptor reader;
};

TEST_F(live_capture, shows_datagrams_as_soon_as_there_is_nothing_to_receive) {
  start({});
  frame f;
  make_udp(f, 7, 9, "now");
  ASSERT_FALSE(device->transmit(f, {}));
  EXPECT_FALSE(receive());
  const capture_file seen{read_all()};
  ASSERT_EQ(seen.datagrams.size(), 1u);
  EXPECT_EQ(seen.datagrams[0].octets.substr(28), "now");
}

TEST_F(live_capture, ends_with_one_word_when_its_reader_goes_and_traffic_goes_on) {
  std::string said;
  start({.log = [&](std::string_view s) { said += s; }});
  reader = {};
  frame f;
  make_udp(f, 7, 9, "after");
  for (int i = 0; i < 3; ++i) {
    ASSERT_FALSE(device->transmit(f, {}));
    EXPECT_FALSE(receive());
  }
  EXPECT_NE(said.find("has ended: Broken pipe"), std::string::npos) << said;
  EXPECT_EQ(said.find("has ended"), said.rfind("has ended"));
  std::error_code error;
  EXPECT_TRUE(pair.second().receive(buffers, {}, error));
}

TEST_F(live_capture, is_never_waited_for_and_stays_readable) {
  start({});
  frame f;
  make_tcp(f, acknowledging(), pattern(60000), 1000);
  constexpr int sent = 200;  // 12 MB, beyond what the pipe and the buffer hold
  for (int i = 0; i < sent; ++i) {
    ASSERT_FALSE(device->transmit(f, {}));
    EXPECT_FALSE(receive());
  }
  std::string all = read_all();
  for (int i = 0; i < sent; ++i) {
    EXPECT_FALSE(receive());
    all += read_all();
  }
  device.reset();
  all += read_all();
  const capture_file seen{all};
  EXPECT_GT(seen.datagrams.size(), 60u);
  EXPECT_LT(seen.datagrams.size(), 100u);
}

TEST_F(capture, ends_with_a_word_when_the_disk_is_full) {
  std::string said;
  path = "/dev/full";
  start({.log = [&](std::string_view s) { said += s; }});
  frame f;
  make_udp(f, 7, 9, "text");
  EXPECT_FALSE(device->transmit(f, {}));
  EXPECT_NE(said.find("/dev/full has ended: No space left"), std::string::npos) << said;
}

TEST_F(capture, says_which_file_cannot_be_written) {
  path = folder + "/none/capture.pcapng";
  try {
    start({});
    FAIL() << "opened a file in a folder that is not there";
  } catch (const std::system_error& e) {
    EXPECT_NE(std::string{e.what()}.find(path), std::string::npos);
  }
}

}  // namespace
}  // namespace tunic::drivers
