#include <algorithm>

#include "stack/wire/ipv4.hpp"
#include "tests/asio/descriptor_pair.hpp"
#include "tests/asio/two_hosts.hpp"

namespace tunic::test {
namespace {

void send_in_fragments(device& to, std::span<const std::byte> datagram, instant now) {
  constexpr std::uint16_t cut = 24;
  const auto transport = datagram.subspan(wire::ipv4_header::min_size);
  for (const bool last : {false, true}) {
    const auto part = last ? transport.subspan(cut) : transport.first(cut);
    wire::ipv4_header h = *wire::parse_ipv4(datagram);
    h.id = 7;
    h.dont_fragment = false;
    h.more_fragments = !last;
    h.fragment_offset = last ? cut : 0;
    h.total_length = static_cast<std::uint16_t>(wire::ipv4_header::min_size + part.size());
    frame f;
    f.header_size = h.total_length;
    wire::emit_ipv4(h, f.header());
    std::copy(part.begin(), part.end(), f.header().begin() + wire::ipv4_header::min_size);
    EXPECT_FALSE(to.transmit(f, now));
  }
}

/// Whether a host answers a SYN that comes in two fragments.
bool answers_fragments(bool one_of_several) {
  constexpr instant now{1h};
  asio::io_context io;
  const auto settle = [&] {
    while (io.poll() > 0) {
    }
  };
  descriptor_pair clients;
  descriptor_pair servers;
  host client{io, clients.first, {.address = "198.51.100.1/24", .clock = [] { return now; }}};
  host server{
      io, servers.first, {.address = "198.51.100.2/24", .clock = [] { return now; }, .one_of_several = one_of_several}};
  tcp::acceptor acceptor{server, {.port = 7}};
  tcp::socket s{client};
  outcome connecting;
  s.async_connect({asio::ip::make_address("198.51.100.2"), 7}, connecting.handler());
  settle();
  pool buffers;
  std::error_code e;
  const packet syn = clients.second.receive(buffers, now, e);
  if (!syn) throw std::runtime_error("no SYN");
  send_in_fragments(servers.second, syn.octets.octets(), now);
  settle();
  EXPECT_EQ(server.stack().counters().dropped(drop::fragment_unsteered), one_of_several ? 1u : 0u);
  return static_cast<bool>(servers.second.receive(buffers, now, e));
}

// Only the first has ports, so that whoever is handed them might reset a connection that it does not know.
TEST(one_of_several_hosts, drops_segments_in_fragments) {
  EXPECT_TRUE(answers_fragments(false));
  EXPECT_FALSE(answers_fragments(true));
}

}  // namespace
}  // namespace tunic::test
