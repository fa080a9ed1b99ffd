#include <map>
#include <random>
#include <string>

#include "stack/wire/icmp.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/print.hpp"
#include "stack/wire/tcp.hpp"
#include "stack/wire/udp.hpp"
#include "tests/wire/packets.hpp"
#include "tests/wire/support.hpp"

// Good datagrams with some octets changed, cut or added. Whatever comes of them, nothing is read beyond their end; and
// what parses at all is a value that can be written and read again.
namespace tunic::wire {
namespace {

constexpr int mutations = 100'000;

std::vector<std::vector<std::byte>> good_datagrams() {
  std::vector<std::vector<std::byte>> all;
  for (const auto& p : packets::tcp) all.push_back(octets_of(p.octets));
  for (const auto hex : {packets::udp_v4, packets::udp_v4_without_checksum, packets::udp_v6, packets::last_fragment_v4,
                         packets::last_fragment_v6, packets::echo_reply_v4, packets::port_unreachable_v4,
                         packets::protocol_unreachable_v4, packets::echo_reply_v6, packets::port_unreachable_v6,
                         packets::parameter_problem_v6, packets::hop_by_hop_v6, packets::destination_options_v6})
    all.push_back(octets_of(hex));
  return all;
}

class mutator {
 public:
  explicit mutator(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }

  std::vector<std::byte> mutated(std::vector<std::byte> o) {
    for (std::size_t n = 1 + below(4); n > 0 && !o.empty(); --n) {
      std::byte& at = o[below(o.size())];
      switch (below(6)) {
        case 0: at ^= static_cast<std::byte>(1u << below(8)); break;
        case 1: at = static_cast<std::byte>(random_()); break;
        case 2: at = std::byte{0}; break;
        case 3: at = std::byte{0xff}; break;
        case 4: o.resize(below(o.size() + 1)); break;
        case 5:
          o.insert(o.begin() + static_cast<std::ptrdiff_t>(below(o.size() + 1)), static_cast<std::byte>(random_()));
          break;
      }
    }
    return o;
  }

  // Puts the IP lengths and the IPv4 checksum right, so that what lies behind them is reached.
  static void mend(std::vector<std::byte>& o) {
    if (o.size() >= ipv4_header::min_size && load8(&o[0]) >> 4 == 4) {
      store16(&o[2], static_cast<std::uint16_t>(o.size()));
      const std::size_t header = (load8(&o[0]) & 0xfu) * 4;
      if (header >= 20 && header <= o.size()) set_checksum(writable_octets{o}.first(header), 10);
    } else if (o.size() >= ipv6_header::min_size && load8(&o[0]) >> 4 == 6) {
      store16(&o[4], static_cast<std::uint16_t>(o.size() - ipv6_header::min_size));
    }
  }

 private:
  std::mt19937_64 random_;
};

// What came of all the datagrams, so that the test fails where mutation stopped reaching a parser.
using outcomes = std::map<std::string, int>;

void check_tcp(octets transport, const address& source, const address& destination, outcomes& count) {
  const auto h = parse_tcp(transport, source, destination, checksum_state::good);
  ++count[h ? "TCP" : "TCP: " + std::string{name(h.error())}];
  if (!h) return;
  ASSERT_GE(h->header_length, 20);
  ASSERT_LE(h->header_length, transport.size());
  ASSERT_TRUE(!h->options.window_scale || h->options.window_scale->value <= 14);
  std::vector<std::byte> once(tcp_header::max_size);
  once.resize(emit_tcp(*h, once));
  ASSERT_EQ(once.size(), size_of(h->options, h->flags));
  const auto again = parse_tcp(once, source, destination, checksum_state::good);
  ASSERT_TRUE(again);
  std::vector<std::byte> twice(tcp_header::max_size);
  twice.resize(emit_tcp(*again, twice));
  ASSERT_EQ(once, twice);
  ASSERT_EQ(print(*h, 7), print(*again, 7));
  // All of the fixed header but the reserved bits, the data offset and the checksum is kept.
  ASSERT_TRUE(std::equal(once.begin(), once.begin() + 12, transport.begin()));
  ASSERT_TRUE(std::equal(once.begin() + 13, once.begin() + 16, transport.begin() + 13));
  ASSERT_TRUE(std::equal(once.begin() + 18, once.begin() + 20, transport.begin() + 18));
}

void check_udp(octets transport, const address& source, const address& destination, outcomes& count) {
  const auto h = parse_udp(transport, source, destination, checksum_state::good);
  ++count[h ? "UDP" : "UDP: " + std::string{name(h.error())}];
  if (!h) return;
  ASSERT_GE(h->length, udp_header::size);
  ASSERT_LE(h->length, transport.size());
  std::vector<std::byte> o(udp_header::size);
  emit_udp(*h, o);
  ASSERT_TRUE(std::equal(o.begin(), o.begin() + 6, transport.begin()));
}

void check_icmp(std::vector<std::byte> transport, const address& source, const address& destination, outcomes& count) {
  if (transport.size() >= icmp_header::size) {  // its checksum cannot be waived
    source.is_v4() ? set_checksum(transport, 2) : set_checksum(transport, 2, source, destination, 58);
  }
  static guarded guard;
  const auto h = parse_icmp(guard.hold(transport), source, destination);
  ++count[h ? "ICMP" : "ICMP: " + std::string{name(h.error())}];
  if (!h) return;
  std::vector<std::byte> o(icmp_header::size);
  emit_icmp(*h, source.family(), o);
  store16(&transport[2], 0);
  ASSERT_EQ(o[0], transport[0]);
  ASSERT_EQ(o[1], transport[1]);
  ASSERT_TRUE(std::equal(o.begin() + 4, o.end(), transport.begin() + 4));
}

void check_transport(octets transport, std::uint8_t protocol, const address& source, const address& destination,
                     outcomes& count) {
  switch (protocol) {
    case 6: return check_tcp(transport, source, destination, count);
    case 17: return check_udp(transport, source, destination, count);
    case 1:
    case 58: return check_icmp({transport.begin(), transport.end()}, source, destination, count);
    default: ++count["another protocol"];
  }
}

void check_v4(octets datagram, outcomes& count) {
  const auto h = parse_ipv4(datagram);
  ++count[h ? "IPv4" : "IPv4: " + std::string{name(h.error())}];
  if (!h) return;
  ASSERT_LE(h->header_length, h->total_length);
  ASSERT_LE(h->total_length, datagram.size());
  std::vector<std::byte> o(h->total_length);
  emit_ipv4(*h, o);
  const auto again = parse_ipv4(o);
  ASSERT_TRUE(again);
  std::vector<std::byte> twice(o.size());
  emit_ipv4(*again, twice);
  ASSERT_EQ(o, twice);
  ASSERT_TRUE(std::equal(o.begin() + 1, o.begin() + 6, datagram.begin() + 1));
  ASSERT_TRUE(std::equal(o.begin() + 12, o.begin() + 20, datagram.begin() + 12));
  check_transport(datagram.first(h->total_length).subspan(h->header_length), h->protocol, h->source, h->destination,
                  count);
}

void check_v6(octets datagram, outcomes& count) {
  const auto h = parse_ipv6(datagram);
  ++count[h ? "IPv6" : "IPv6: " + std::string{name(h.error())}];
  if (!h) return;
  ASSERT_LE(h->header_length, 40u + h->payload_length);
  ASSERT_LE(40u + h->payload_length, datagram.size());
  ASSERT_EQ(load8(&datagram[h->next_header_offset]), h->protocol);
  std::vector<std::byte> o(40u + h->payload_length);
  emit_ipv6(*h, o);
  ASSERT_TRUE(std::equal(o.begin(), o.begin() + 6, datagram.begin()));
  ASSERT_TRUE(std::equal(o.begin() + 7, o.begin() + 40, datagram.begin() + 7));
  check_transport(datagram.first(40u + h->payload_length).subspan(h->header_length), h->protocol, h->source,
                  h->destination, count);
}

TEST(mutation, never_reads_beyond_and_never_yields_nonsense) {
  const auto good = good_datagrams();
  mutator m{20240607};
  guarded guard;
  outcomes count;
  for (int i = 0; i < mutations && !testing::Test::HasFatalFailure(); ++i) {
    auto o = m.mutated(good[m.below(good.size())]);
    if (m.below(4) != 0) mutator::mend(o);
    const octets datagram = guard.hold(o);
    const unsigned version = datagram.empty() ? 4 : load8(datagram.data()) >> 4;
    version == 6 ? check_v6(datagram, count) : check_v4(datagram, count);
    if (testing::Test::HasFatalFailure()) {
      std::string hex;
      for (const std::byte b : o)
        hex += "0123456789abcdef"[load8(&b) >> 4], hex += "0123456789abcdef"[load8(&b) & 15], hex += ' ';
      ADD_FAILURE() << "mutation " << i << ": " << hex;
    }
  }
  for (const char* reached :
       {"IPv4", "IPv6", "TCP", "UDP", "ICMP", "TCP: bad option", "TCP: bad header length", "UDP: bad length",
        "IPv4: bad checksum", "IPv4: bad length", "IPv6: bad length", "IPv6: bad option"})
    EXPECT_GT(count[reached], 100) << reached;
}

}  // namespace
}  // namespace tunic::wire
