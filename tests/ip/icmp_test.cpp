#include <set>

#include <gtest/gtest.h>

#include "tests/ip/host.hpp"

namespace tunic::test {
namespace {

using wire::icmp_kind;
using wire::unreachable_code;

octets segment(std::size_t n) {
  return pattern(n, 11);
}
octets from_us4(std::size_t n = 40) {
  return datagram(ours4, peer4, wire::protocol::tcp, segment(n));
}
octets from_us6(std::size_t n = 40) {
  return datagram(ours6, peer6, wire::protocol::tcp, segment(n));
}

octets first(octets d, std::size_t n) {
  d.resize(n);
  return d;
}

const address router4 = at("203.0.113.1");
const address router6 = at("2001:db8:1::1");

octets error4(const wire::icmp_header& h, const octets& about) {
  return icmp(router4, ours4, h, about);
}
octets error6(const wire::icmp_header& h, const octets& about) {
  return icmp(router6, ours6, h, about);
}

TEST(icmp_error, tells_what_it_is_about) {
  struct {
    wire::icmp_header h;
    bool v6;
    icmp_kind kind;
    unreachable_code reason;
    std::uint32_t mtu;
  } const table[] = {
      {{icmp_kind::destination_unreachable, 0, 3, 0},
       false,
       icmp_kind::destination_unreachable,
       unreachable_code::port,
       0},
      {{icmp_kind::destination_unreachable, 0, 1, 0},
       false,
       icmp_kind::destination_unreachable,
       unreachable_code::host,
       0},
      {{icmp_kind::packet_too_big, 0, 4, 1400}, false, icmp_kind::packet_too_big, unreachable_code::other, 1400},
      {{icmp_kind::time_exceeded, 0, 0, 0}, false, icmp_kind::time_exceeded, unreachable_code::other, 0},
      {{icmp_kind::parameter_problem, 0, 0, 0}, false, icmp_kind::parameter_problem, unreachable_code::other, 0},
      {{icmp_kind::destination_unreachable, 0, 4, 0},
       true,
       icmp_kind::destination_unreachable,
       unreachable_code::port,
       0},
      {{icmp_kind::packet_too_big, 0, 0, 1280}, true, icmp_kind::packet_too_big, unreachable_code::other, 1280},
      {{icmp_kind::time_exceeded, 0, 0, 0}, true, icmp_kind::time_exceeded, unreachable_code::other, 0},
  };
  for (const auto& row : table) {
    host h;
    const auto d = h.receive(row.v6 ? error6(row.h, from_us6()) : error4(row.h, from_us4()));
    const auto* e = std::get_if<ip::icmp_error>(&d);
    ASSERT_TRUE(e);
    EXPECT_EQ(e->kind, row.kind);
    EXPECT_EQ(e->unreachable, row.reason);
    EXPECT_EQ(e->mtu, row.mtu);
    EXPECT_EQ(e->reporter, row.v6 ? router6 : router4);
    EXPECT_EQ(e->source, row.v6 ? ours6 : ours4);
    EXPECT_EQ(e->destination, row.v6 ? peer6 : peer4);
    EXPECT_EQ(e->protocol, 6);
    EXPECT_EQ(copy(e->transport), segment(40));
    EXPECT_EQ(h.ip.path_mtu(e->destination), 1500u) << "only the transport can tell whether it is true";
  }
}

TEST(icmp_error, is_read_from_whatever_is_quoted) {
  const wire::icmp_header refused{icmp_kind::destination_unreachable, 0, 3, 0};
  const octets whole = from_us4();
  octets wrong_length = whole;  // routers rewrite the total length, and the checksum dies with the time to live
  wrong_length[2] = std::byte{0x7f};
  wrong_length[10] ^= std::byte{0xff};
  octets options = whole;
  options[0] = std::byte{0x47};
  options.insert(options.begin() + 20, 8, std::byte{1});
  for (const octets& quoted : {whole, first(whole, 28), wrong_length, options}) {
    host h;
    const auto d = h.receive(error4(refused, quoted));
    const auto* e = std::get_if<ip::icmp_error>(&d);
    ASSERT_TRUE(e);
    EXPECT_EQ(copy(e->transport.sub(0, 8)), segment(40 > 8 ? 8 : 0));
  }
  octets extended = from_us6();  // with destination options and an atomic fragment header
  extended[6] = std::byte{60};
  const octets behind{std::byte{44}, {}, std::byte{1}, std::byte{4}, {}, {}, {}, {},
                      std::byte{6},  {}, {},           {},           {}, {}, {}, {}};
  extended.insert(extended.begin() + 40, behind.begin(), behind.end());
  for (const octets& quoted : {from_us6(), first(from_us6(), 48), extended}) {
    host h;
    const auto d = h.receive(error6({icmp_kind::destination_unreachable, 0, 4, 0}, quoted));
    const auto* e = std::get_if<ip::icmp_error>(&d);
    ASSERT_TRUE(e);
    EXPECT_EQ(e->protocol, 6);
    EXPECT_EQ(copy(e->transport.sub(0, 8)), segment(8));
  }
}

TEST(icmp_error, of_every_truncated_quotation_is_dropped) {
  const wire::icmp_header refused{icmp_kind::destination_unreachable, 0, 3, 0};
  host h;
  for (std::size_t n = 0; n < 28; ++n) EXPECT_TRUE(is_empty(h.receive(error4(refused, first(from_us4(), n))))) << n;
  for (std::size_t n = 0; n < 48; ++n) EXPECT_TRUE(is_empty(h.receive(error6(refused, first(from_us6(), n))))) << n;
  octets later = from_us4();
  later[7] = std::byte{1};
  EXPECT_TRUE(is_empty(h.receive(error4(refused, later)))) << "of a later fragment";
  EXPECT_TRUE(is_empty(h.receive(error4(refused, from_us6())))) << "of the other version";
  octets endless = from_us6();
  endless[6] = std::byte{60};
  endless[41] = std::byte{255};
  EXPECT_TRUE(is_empty(h.receive(error6(refused, endless)))) << "of options that run out of it";
  octets later6 = from_us6();
  later6[6] = std::byte{44};
  later6[40] = std::byte{6};
  later6[43] = std::byte{8};
  EXPECT_TRUE(is_empty(h.receive(error6(refused, later6))));
  octets mapped = from_us6();
  std::memset(mapped.data() + 24, 0, 10);
  std::memset(mapped.data() + 34, 0xff, 2);
  EXPECT_TRUE(is_empty(h.receive(error6(refused, mapped)))) << "to a mapped address";
  EXPECT_EQ(h.dropped(drop::too_short), 28u + 48 + 5);
}

TEST(icmp_error, about_what_we_did_not_send_is_counted) {
  host h;
  const octets foreign = datagram(at("198.51.100.9"), peer4, wire::protocol::tcp, segment(40));
  EXPECT_TRUE(is_empty(h.receive(error4({icmp_kind::destination_unreachable, 0, 3, 0}, foreign))));
  EXPECT_EQ(h.dropped(drop::icmp_unrelated), 1u);
}

TEST(rfc5927_source_quench, is_ignored) {  // RFC 5927 §6.2, RFC 6633 §3
  host h;
  EXPECT_TRUE(is_empty(h.receive(error4({icmp_kind::other, 4}, from_us4()))));
  EXPECT_EQ(h.dropped(drop::no_protocol), 1u);
}

TEST(icmp_error, without_an_mtu_gets_the_next_plateau) {  // RFC 1191 §7
  for (const auto& [length, mtu] :
       {std::pair{1500u, 1492u}, {1492u, 1006u}, {9000u, 8166u}, {60000u, 32000u}, {300u, 296u}}) {
    host h;
    const octets quoted = first(from_us4(length - 20), 28);
    const auto d = h.receive(error4({icmp_kind::packet_too_big, 0, 4, 0}, quoted));
    EXPECT_EQ(std::get<ip::icmp_error>(d).mtu, mtu);
  }
}

TEST(icmp_error, about_an_echo_lowers_the_path_mtu) {
  host h;
  const octets ping = icmp(ours6, peer6, {icmp_kind::echo_request, 0, 0, 5}, pattern(1452));
  const auto d = h.receive(error6({icmp_kind::packet_too_big, 0, 0, 1300}, first(ping, 1200)));
  EXPECT_TRUE(std::holds_alternative<ip::icmp_error>(d));
  EXPECT_EQ(h.ip.path_mtu(peer6), 1300u);
}

// What an error of ours says; it must be the only thing to send.
struct sent_error {
  wire::icmp_header h;
  octets quoted;
};

std::optional<sent_error> error_sent(host& h) {
  const octets d = h.transmit();
  if (d.empty()) return std::nullopt;
  EXPECT_FALSE(h.ip.has_output());
  const bool v4 = wire::load8(d.data()) >> 4 == 4;
  const auto m = wire::parse_icmp(transport(d), v4 ? ours4 : ours6, v4 ? peer4 : peer6);
  EXPECT_TRUE(m);
  const auto text = transport(d).subspan(8);
  EXPECT_LE(d.size(), v4 ? 576u : 1280u);
  return sent_error{*m, {text.begin(), text.end()}};
}

TEST(send_unreachable, names_the_reason_and_quotes_the_datagram) {
  host h;
  for (const std::size_t size : {20u, 600u, 1400u}) {
    const octets d4 = datagram(peer4, ours4, wire::protocol::udp, pattern(size));
    const auto got4 = h.receive(d4);
    h.ip.send_unreachable(std::get<ip::datagram>(got4), unreachable_code::port, h.now);
    const auto e4 = error_sent(h);
    ASSERT_TRUE(e4);
    EXPECT_EQ(e4->h.kind, icmp_kind::destination_unreachable);
    EXPECT_EQ(e4->h.unreachable(family::v4), unreachable_code::port);
    EXPECT_EQ(e4->quoted, first(d4, std::min<std::size_t>(d4.size(), 548)));

    const octets d6 = datagram(peer6, ours6, wire::protocol::udp, pattern(size));
    const auto got6 = h.receive(d6);
    h.ip.send_unreachable(std::get<ip::datagram>(got6), unreachable_code::port, h.now);
    const auto e6 = error_sent(h);
    ASSERT_TRUE(e6);
    EXPECT_EQ(e6->h.unreachable(family::v6), unreachable_code::port);
    EXPECT_EQ(e6->quoted, first(d6, std::min<std::size_t>(d6.size(), 1232)));
  }
}

TEST(unknown_protocol, is_unreachable_in_version_4) {  // RFC 1122 §3.2.2.1
  for (const unsigned protocol : {2u, 47u, 58u, 132u, 255u}) {
    host h;
    const octets d = datagram(peer4, ours4, static_cast<wire::protocol>(protocol), pattern(30));
    EXPECT_TRUE(is_empty(h.receive(d)));
    const auto e = error_sent(h);
    ASSERT_TRUE(e) << protocol;
    EXPECT_EQ(e->h.unreachable(family::v4), unreachable_code::protocol);
    EXPECT_EQ(e->quoted, d);
    EXPECT_EQ(h.dropped(drop::no_protocol), 1u);
  }
}

TEST(unknown_protocol, is_a_parameter_problem_in_version_6) {  // RFC 4443 §3.4
  host h;
  EXPECT_TRUE(is_empty(h.receive(datagram(peer6, ours6, wire::protocol{132}, pattern(30)))));
  auto e = error_sent(h);
  ASSERT_TRUE(e);
  EXPECT_EQ(e->h.kind, icmp_kind::parameter_problem);
  EXPECT_EQ(e->h.code, 1);
  EXPECT_EQ(e->h.rest, 6u);
  octets behind(8);
  behind[0] = std::byte{132};
  behind[2] = std::byte{1};
  behind[3] = std::byte{4};
  EXPECT_TRUE(is_empty(h.receive(datagram(peer6, ours6, wire::protocol{60}, behind))));
  e = error_sent(h);
  ASSERT_TRUE(e);
  EXPECT_EQ(e->h.rest, 40u) << "the header that names it";
}

TEST(icmp_error, is_never_sent_about_these) {  // RFC 1122 §3.2.2, RFC 4443 §2.4 (e)
  host h;
  const auto about = [&](const address& source, const address& destination, wire::protocol protocol, octets message) {
    const octets d = datagram(source, destination, protocol, message);
    ip::datagram subject{source, destination, static_cast<std::uint8_t>(protocol), 0, 0, {}, h.share(d)};
    subject.transport.octets = h.share(message);
    h.ip.send_unreachable(subject, unreachable_code::port, h.now);
    return h.transmit_all().size();
  };
  const octets text = pattern(20);
  EXPECT_EQ(about(peer4, ours4, wire::protocol::udp, text), 1u) << "this one is sent";
  EXPECT_EQ(about(peer6, ours6, wire::protocol::udp, text), 1u);
  for (const char* a : {"224.0.0.251", "255.255.255.255", "198.51.100.255"})
    EXPECT_EQ(about(peer4, at(a), wire::protocol::udp, text), 0u) << "to " << a;
  for (const char* a : {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "198.51.100.255"})
    EXPECT_EQ(about(at(a), ours4, wire::protocol::udp, text), 0u) << "from " << a;
  for (const char* a : {"::", "::1", "ff02::1"})
    EXPECT_EQ(about(at(a), ours6, wire::protocol::udp, text), 0u) << "from " << a;
  for (const unsigned type : {3u, 4u, 5u, 11u, 12u}) {
    octets message = text;
    message[0] = static_cast<std::byte>(type);
    EXPECT_EQ(about(peer4, ours4, wire::protocol::icmp, message), 0u) << "type " << type;
  }
  for (const unsigned type : {1u, 2u, 3u, 4u, 100u, 127u, 137u}) {
    octets message = text;
    message[0] = static_cast<std::byte>(type);
    EXPECT_EQ(about(peer6, ours6, wire::protocol::icmpv6, message), 0u) << "type " << type;
  }
  octets message = text;
  message[0] = std::byte{8};
  EXPECT_EQ(about(peer4, ours4, wire::protocol::icmp, message), 1u) << "an echo request is no error";
  message[0] = std::byte{128};
  EXPECT_EQ(about(peer6, ours6, wire::protocol::icmpv6, message), 1u);
}

TEST(icmp_error, is_rate_limited) {  // RFC 4443 §2.4 (f)
  ip::config c = dual_stack();
  c.icmp_errors_per_second = 100;
  c.icmp_errors_burst = 50;
  c.transmit_queue = 200;
  host h{c};
  const octets d = datagram(peer4, ours4, wire::protocol{99}, pattern(30));
  const auto sent = [&](int n) {
    for (int i = 0; i < n; ++i) EXPECT_TRUE(is_empty(h.receive(d)));
    return static_cast<int>(h.transmit_all().size());
  };
  const int burst = sent(200);
  EXPECT_NEAR(burst, 50, 10);
  EXPECT_EQ(h.dropped(drop::rate_limited), 200u - static_cast<unsigned>(burst));
  int all = 0;
  for (int i = 0; i < 100; ++i) {
    h.now += 100ms;
    all += sent(30);
  }
  EXPECT_NEAR(all, 1000, 50);
  h.now += 1h;
  EXPECT_NEAR(sent(200), 50, 10) << "a silence earns no more than the burst";
  const octets ping = icmp(peer4, ours4, {icmp_kind::echo_request}, pattern(8));
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(is_empty(h.receive(ping)));
  EXPECT_EQ(h.transmit_all().size(), 50u) << "answers to echoes are no errors";
}

TEST(icmp_error, limit_is_none_that_anybody_could_count_to) {  // CVE-2020-25705
  ip::config c = dual_stack();
  c.icmp_errors_per_second = 20;
  c.icmp_errors_burst = 20;
  host h{c};
  const octets d = datagram(peer4, ours4, wire::protocol{99}, pattern(30));
  std::set<std::size_t> numbers;
  for (int i = 0; i < 50; ++i) {
    h.now += 1h;
    for (int n = 0; n < 60; ++n) EXPECT_TRUE(is_empty(h.receive(d)));
    numbers.insert(h.transmit_all().size());
  }
  EXPECT_GT(numbers.size(), 4u);
  EXPECT_GE(*numbers.begin(), 13u);
  EXPECT_LE(*numbers.rbegin(), 40u);
}

TEST(icmp_error, limit_of_none_a_second_sends_none) {
  ip::config c = dual_stack();
  c.icmp_errors_per_second = 0;
  host h{c};
  EXPECT_TRUE(is_empty(h.receive(datagram(peer4, ours4, wire::protocol{99}, pattern(30)))));
  h.now += 24h;
  EXPECT_TRUE(is_empty(h.receive(datagram(peer4, ours4, wire::protocol{99}, pattern(30)))));
  EXPECT_FALSE(h.ip.has_output());
}

}  // namespace
}  // namespace tunic::test
