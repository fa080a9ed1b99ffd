#include "apps/tunic/ladder/capture.hpp"

#include <sstream>

#include <gtest/gtest.h>

#include "tests/apps/made_capture.hpp"

namespace tunic::ladder {
namespace {

using test::datagram_of;
using test::octet_writer;
using namespace std::chrono_literals;

struct read_back {
  std::vector<std::string> datagrams;
  std::vector<std::chrono::nanoseconds> times;
  std::vector<direction> directions;
  bool cut = false;
};

read_back read(const std::string& octets) {
  std::istringstream in{octets};
  capture from{in};
  read_back all;
  while (const auto c = from.next()) {
    all.datagrams.emplace_back(reinterpret_cast<const char*>(c->octets.data()), c->octets.size());
    all.times.push_back(c->time);
    all.directions.push_back(c->direction);
  }
  all.cut = from.cut();
  return all;
}

std::string reason(const std::string& octets) {
  try {
    read(octets);
  } catch (const capture_error& e) {
    return e.what();
  }
  return {};
}

const std::string syn = datagram_of("S 0:0(0)", false);

class each_byte_order : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(capture, each_byte_order, testing::Bool(),
                         [](const auto& i) { return i.param ? "big_endian" : "little_endian"; });

TEST_P(each_byte_order, pcapng_gives_datagrams_with_time_and_direction) {
  octet_writer f{GetParam()};
  f.section();
  f.interface(101);
  f.enhanced_packet(1'700'000'000'123'456'789, syn, 1);
  f.enhanced_packet(1'700'000'001'000'000'000, syn, 2);
  f.enhanced_packet(0, syn, 0);
  const auto all = read(f.octets);
  ASSERT_EQ(all.datagrams, (std::vector<std::string>{syn, syn, syn}));
  EXPECT_EQ(all.times[0], 1'700'000'000'123'456'789ns);
  EXPECT_EQ(all.directions, (std::vector{direction::in, direction::out, direction::unknown}));
  EXPECT_FALSE(all.cut);
}

TEST_P(each_byte_order, pcapng_times_in_microseconds_and_in_powers_of_two) {
  for (const auto& [resolution, ticks] : {std::pair{6, 1'500'000u}, std::pair{0x80 | 10, 1536u}}) {
    octet_writer f{GetParam()};
    f.section();
    f.interface(101, static_cast<std::uint8_t>(resolution));
    f.enhanced_packet(ticks, syn, 1);
    EXPECT_EQ(read(f.octets).times.at(0), 1500ms);
  }
}

TEST_P(each_byte_order, classic_pcap_in_microseconds_and_nanoseconds) {
  for (const auto& [magic, part] : {std::pair{0xa1b2c3d4u, 500'000u}, std::pair{0xa1b23c4du, 500'000'000u}}) {
    octet_writer f{GetParam()};
    f.put(magic, 4).put(2, 2).put(4, 2).put(0, 8).put(65535, 4).put(101, 4);
    f.put(7, 4).put(part, 4).put(syn.size(), 4).put(syn.size(), 4).text(syn);
    const auto all = read(f.octets);
    ASSERT_EQ(all.datagrams, std::vector{syn});
    EXPECT_EQ(all.times[0], 7500ms);
  }
}

TEST(capture, a_second_section_has_its_own_byte_order_and_interfaces) {
  octet_writer f{true};
  f.section();
  f.interface(101);
  f.enhanced_packet(1, syn, 1);
  octet_writer second{false};
  second.section();
  second.interface(1);
  second.enhanced_packet(2, std::string(12, 'm') + std::string{"\x08\x00", 2} + syn, 1);
  EXPECT_EQ(read(f.octets + second.octets).datagrams, (std::vector{syn, syn}));
}

TEST(capture, simple_packets_and_unknown_blocks) {
  octet_writer f;
  f.section();
  f.interface(101);
  f.block(0xabc, octet_writer{}.put(1, 4));
  f.block(3, octet_writer{}.put(syn.size(), 4).text(syn).pad());
  EXPECT_EQ(read(f.octets).datagrams, std::vector{syn});
}

TEST(capture, ethernet_gives_what_is_ip_behind_a_vlan_tag_too) {
  const std::string macs(12, 'm');
  octet_writer f;
  f.section();
  f.interface(1);
  f.enhanced_packet(1, macs + std::string{"\x81\x00\x00\x05\x08\x00", 6} + syn, 1);
  f.enhanced_packet(2, macs + std::string{"\x08\x06", 2} + "an ARP packet", 1);
  f.enhanced_packet(3, "short", 1);
  EXPECT_EQ(read(f.octets).datagrams, std::vector{syn});
}

TEST(capture, what_a_snap_length_cut_off_is_zero) {
  octet_writer f;
  f.section();
  f.interface(101);
  f.enhanced_packet(1, syn.substr(0, 30), 1, syn.size());
  EXPECT_EQ(read(f.octets).datagrams, std::vector{syn.substr(0, 30) + std::string(syn.size() - 30, '\0')});
}

TEST(capture, other_files_are_refused_with_a_reason) {
  EXPECT_EQ(reason(""), "the capture is empty");
  EXPECT_EQ(reason("#!/bin/sh\necho a script\n"), "this is no capture: neither pcapng nor pcap");
  octet_writer f;
  f.section();
  f.interface(147);
  f.enhanced_packet(1, syn, 1);
  EXPECT_NE(reason(f.octets).find("link type 147"), std::string::npos);
  octet_writer no_interface;
  no_interface.section();
  no_interface.enhanced_packet(1, syn, 1);
  EXPECT_NE(reason(no_interface.octets).find("interface 0"), std::string::npos);
}

// A capture whose writer was killed is shown as far as it goes, wherever it ends.
TEST(capture, may_end_anywhere) {
  octet_writer f;
  f.section();
  f.interface(101);
  const std::size_t head = f.octets.size();
  f.enhanced_packet(1, syn, 1);
  const std::size_t one = f.octets.size();
  f.enhanced_packet(2, syn, 1);
  for (std::size_t n = head; n < f.octets.size(); ++n) {
    const auto all = read(f.octets.substr(0, n));
    EXPECT_EQ(all.datagrams.size(), n >= one ? 1u : 0u) << n;
    EXPECT_EQ(all.cut, n != head && n != one) << n;
  }
}

// Every octet changed to its extremes: a reason or fewer datagrams, never a crash or a hang.
TEST(capture, survives_any_octet_changed) {
  octet_writer f;
  f.section();
  f.interface(1);
  f.enhanced_packet(1, std::string(12, 'm') + std::string{"\x08\x00", 2} + syn, 1);
  f.block(3, octet_writer{}.put(syn.size(), 4).text(syn).pad());
  for (std::size_t i = 0; i < f.octets.size(); ++i)
    for (const char v : {'\x00', '\x01', '\x7f', '\x80', '\xff'}) {
      std::string changed = f.octets;
      changed[i] = v;
      std::size_t datagrams = 0;
      try {
        datagrams = read(changed).datagrams.size();
      } catch (const capture_error&) {
      }
      EXPECT_LE(datagrams, 2u);
    }
}

TEST(capture, a_length_that_lies_is_refused_or_the_end) {
  for (const std::uint32_t length : {0u, 8u, 13u, 0x7ffffffcu, 0xffffffffu}) {
    octet_writer f;
    f.section();
    f.put(6, 4).put(length, 4).text(syn);
    EXPECT_NE(reason(f.octets).find("which cannot be"), std::string::npos) << length;
  }
  octet_writer far;
  far.section();
  far.put(6, 4).put(15 << 20, 4).text(syn);
  EXPECT_TRUE(read(far.octets).cut);
}

}  // namespace
}  // namespace tunic::ladder
