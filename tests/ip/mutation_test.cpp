#include <gtest/gtest.h>

#include "tests/ip/host.hpp"

namespace tunic::test {
namespace {

// One of everything that the layer reads.
std::vector<octets> corpus() {
  std::vector<octets> all;
  for (const bool v6 : {false, true}) {
    const address us = v6 ? ours6 : ours4;
    const address peer = v6 ? peer6 : peer4;
    const octets ours = datagram(us, peer, wire::protocol::tcp, pattern(30));
    all.push_back(datagram(peer, us, wire::protocol::tcp, pattern(60)));
    all.push_back(udp({peer, 5}, {us, 7}, pattern(100)));
    all.push_back(datagram(peer, us, wire::protocol{99}, pattern(20)));
    all.push_back(icmp(peer, us, {wire::icmp_kind::echo_request, 0, 0, 3}, pattern(56)));
    all.push_back(icmp(peer, us, {wire::icmp_kind::echo_reply, 0, 0, 3}, pattern(56)));
    for (const auto kind : {wire::icmp_kind::destination_unreachable, wire::icmp_kind::packet_too_big,
                            wire::icmp_kind::time_exceeded, wire::icmp_kind::parameter_problem})
      all.push_back(icmp(peer, us, {kind, 0, 0, 1300}, ours));
  }
  const octets text = pattern(400);
  for (const std::size_t from : {0u, 96u, 200u, 304u}) {
    wire::ipv4_header v4;
    v4.source = peer4;
    v4.destination = ours4;
    v4.protocol = from % 16 == 0 ? 17 : 1;
    v4.id = 3;
    v4.fragment_offset = static_cast<std::uint16_t>(from);
    v4.more_fragments = from < 304;
    all.push_back(ipv4(v4, std::span{text}.subspan(from, 96)));
    wire::ipv6_header v6;
    v6.source = peer6;
    v6.destination = ours6;
    v6.protocol = from % 16 == 0 ? 60 : 58;
    v6.fragment = wire::ipv6_fragment{static_cast<std::uint16_t>(from), from < 304, 3};
    all.push_back(ipv6(v6, std::span{text}.subspan(from, 96)));
  }
  octets extended(24);
  extended[0] = std::byte{60};
  extended[8] = std::byte{43};
  extended[16] = std::byte{17};
  all.push_back(datagram(peer6, ours6, wire::protocol{0}, joined(extended, pattern(40))));
  return all;
}

// Mutations would rarely pass the header's checksum, so most of them are given the right one.
void mend(octets& d) {
  const std::size_t n = d.size() < 20 ? 0 : 4u * (wire::load8(d.data()) & 0xf);
  if (n < 20 || n > d.size() || wire::load8(d.data()) >> 4 != 4) return;
  wire::store16(d.data() + 10, 0);
  wire::checksum sum;
  sum.add(std::span{d}.first(n));
  wire::store16(d.data() + 10, sum.finish());
}

void mend_icmp(octets& d) {
  const bool v4 = wire::load8(d.data()) >> 4 == 4;
  const std::size_t header = v4 ? 20 : 40;
  if (d.size() < header + 8) return;
  std::byte* p = d.data() + header;
  wire::store16(p + 2, 0);
  wire::checksum sum;
  if (!v4) sum.add_pseudo_header(peer6, ours6, 58, static_cast<std::uint32_t>(d.size() - header));
  sum.add(std::span{d}.subspan(header));
  wire::store16(p + 2, sum.finish());
}

octets mutated(const std::vector<octets>& from, std::mt19937& random) {
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  octets d = from[pick(from.size())];
  for (std::size_t changes = 1 + pick(4); changes > 0 && !d.empty(); --changes) {
    switch (pick(7)) {
      case 0: d[pick(d.size())] ^= static_cast<std::byte>(1u << pick(8)); break;
      case 1: d[pick(d.size())] = static_cast<std::byte>(random()); break;
      case 2: d[pick(std::min<std::size_t>(d.size(), 64))] = static_cast<std::byte>(random()); break;
      case 3: d.resize(pick(d.size() + 1)); break;
      case 4: d = joined(std::move(d), pattern(pick(100))); break;
      case 5: d.insert(d.begin() + static_cast<std::ptrdiff_t>(pick(d.size())), pick(16), std::byte{0}); break;
      case 6: {  // a length field that is right again lets the rest be read
        const bool v4 = wire::load8(d.data()) >> 4 == 4;
        if (d.size() >= 40)
          wire::store16(d.data() + (v4 ? 2 : 4), static_cast<std::uint16_t>(d.size() - (v4 ? 0 : 40)));
        break;
      }
      default: break;
    }
  }
  if (!d.empty() && pick(3) != 0) mend_icmp(d);
  if (pick(8) != 0) mend(d);
  return d;
}

TEST(mutations, of_200000_datagrams_neither_crash_nor_hoard) {
  const auto from = corpus();
  std::mt19937 random{20240229};
  ip::config c = dual_stack();
  c.gateways = {peer4, peer6};
  c.reassembly_octets = 100 * pool::small_size;
  c.reassembly_datagrams = 50;
  c.icmp_errors_per_second = 1000;
  c.path_mtus = 16;
  host h{c};
  std::uint64_t delivered = 0;
  std::uint64_t answers = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto d = h.receive(mutated(from, random));
    delivered += is_empty(d) ? 0 : 1;
    if (const auto* e = std::get_if<ip::icmp_error>(&d)) {
      ASSERT_GE(e->transport.size(), 8u);
      h.ip.lower_path_mtu(e->destination, e->mtu, h.now);
    }
    if (const auto* t = std::get_if<ip::datagram>(&d)) h.ip.send_unreachable(*t, wire::unreachable_code::port, h.now);
    if (i % 16 == 0) {
      for (const octets& answer : h.transmit_all()) {
        ASSERT_LE(answer.size(), 1500u);
        ++answers;
      }
      h.pass(10ms);
    }
    // 64 queued answers, 100 buffers in reassembly, the datagram at hand, and one that has just been put together.
    ASSERT_LE(h.buffers.in_use(), 64u + 100 + 2);
  }
  EXPECT_GT(delivered, 20'000u);
  EXPECT_GT(answers, 5'000u);
  for (const auto reason : {drop::bad_checksum, drop::bad_length, drop::fragment_bad, drop::fragment_overlap,
                            drop::fragment_limit, drop::no_protocol, drop::not_for_us, drop::bad_source})
    EXPECT_GT(h.dropped(reason), 0u) << name(reason);
  h.transmit_all();
  h.pass(1h);
  h.transmit_all();
  EXPECT_EQ(h.buffers.in_use(), 0u);
  EXPECT_EQ(h.ip.next_deadline(), never);
}

}  // namespace
}  // namespace tunic::test
