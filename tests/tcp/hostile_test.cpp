#include <random>

#include <gtest/gtest.h>

#include "stack/wire/bytes.hpp"
#include "tests/tcp/segments.hpp"

// Whatever arrives, in whatever state: no crash, nothing sent that does not parse, and in the end nothing is left.

namespace tunic::test {
namespace {

using tcp::state;

class attacker {
 public:
  explicit attacker(unsigned seed) : random_(seed) {}

  std::uint32_t draw(std::uint32_t most) { return std::uniform_int_distribution<std::uint32_t>{0, most}(random_); }
  bool one_in(std::uint32_t n) { return draw(n - 1) == 0; }

  /// A segment that is nearly right.
  std::string line(numbers n) {
    static constexpr const char* flags[] = {".", "P.", "F.", "FP.", "S", "S.", "R", "R.", "-", "SF", "PU.", "SFRPU."};
    static constexpr const char* options[] = {"",
                                              "",
                                              " <TS val 5 ecr 1>",
                                              " <mss 1>",
                                              " <mss 1460,sackOK,TS val 3 ecr 0,wscale 9>",
                                              " <sack 1:5>",
                                              " <TS val 4294967295 ecr 77,sack 1:2>"};
    const std::uint32_t length = one_in(3) ? 0 : one_in(2) ? draw(20) : draw(1460);
    return line_of(flags[draw(std::size(flags) - 1)], near(n.rcv), length, near(one_in(2) ? n.una : n.nxt)) + " win " +
           std::to_string(one_in(3) ? draw(3) : draw(65535)) + options[draw(std::size(options) - 1)];
  }

  /// Spoils a few octets of the segment, mostly of its header, or cuts it; mostly makes the checksum right again.
  void mutate(std::vector<std::byte>& octets, std::uint32_t ip_size) {
    for (std::uint32_t n = draw(3); n > 0; --n) {
      const auto most = static_cast<std::uint32_t>(octets.size()) - ip_size - 1;
      octets[ip_size + (one_in(4) ? draw(most) : std::min(most, draw(39)))] = static_cast<std::byte>(draw(255));
    }
    if (one_in(20)) {
      octets.resize(ip_size + draw(static_cast<std::uint32_t>(octets.size()) - ip_size));
      const auto length = static_cast<std::uint16_t>(octets.size());
      if (ip_size == 40) {
        wire::store16(octets.data() + 4, static_cast<std::uint16_t>(length - 40));
      } else {
        wire::store16(octets.data() + 2, length);
      }
    }
    if (!one_in(20)) repair_checksums(octets);
  }

 private:
  std::uint32_t near(std::uint32_t number) {
    if (one_in(8)) return static_cast<std::uint32_t>(random_());
    if (one_in(4)) return number + draw(70000) - 35000;
    return number + draw(4) - 2;
  }

  std::mt19937 random_;
};

void use(script& t, attacker& a) {
  auto& tcp = t.tcp();
  std::vector<std::byte> octets(a.draw(3000));
  switch (a.draw(9)) {
    case 0: tcp.send(t.connection(), octets); break;
    case 1: tcp.receive(t.connection(), octets); break;
    case 2: tcp.set_receive_buffer(t.connection(), a.draw(100'000)); break;
    case 3:
      tcp.set_liveness(t.connection(),
                       {.keep_alive = a.one_in(2), .user_timeout = tcp::patience{a.one_in(2) ? 0 : a.draw(100'000)}},
                       t.now());
      break;
    case 4:
      if (a.one_in(10)) tcp.close(t.connection(), t.now());
      break;
    case 5:
      if (a.one_in(10)) tcp.shut_receive(t.connection());
      break;
    default: t.passes_unheard(std::chrono::milliseconds{a.one_in(5) ? a.draw(5000) : a.draw(50)});
  }
}

class hostile : public testing::TestWithParam<state> {};

TEST_P(hostile, mutated_segments_do_no_harm) {
  constexpr unsigned rounds = 1000;
  constexpr unsigned segments = 30;
  for (unsigned seed = 0; seed < rounds; ++seed) {
    SCOPED_TRACE(seed);
    attacker a{seed};
    script_options o;
    o.ipv6 = seed % 4 == 3;
    o.no_delay = seed % 2 == 1;
    o.stack.tcp.receive_buffer = seed % 3 == 0 ? 5000 : 100'000;
    o.stack.tcp.require_timestamps = false;  // or most of what arrives would go no further
    if (seed % 5 == 0) o.syn_options = "mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7";
    auto t = script::in(GetParam(), o);
    const bool held = GetParam() != state::listen && GetParam() != state::syn_received;
    for (unsigned i = 0; i < segments; ++i) {
      auto octets = t.datagram(a.line(numbers_in(GetParam())));
      a.mutate(octets, o.ipv6 ? 40 : 20);
      t.datagram_arrives(octets);
      if (held && a.one_in(3)) use(t, a);
      if (a.one_in(3)) t.passes_unheard(0s);
      if (testing::Test::HasFailure()) return;
    }
    t.passes_unheard(0s);
    if (held) t.user_releases();
    t.passes_unheard(0s);
    if (GetParam() != state::syn_sent) t.user_stops_listening();
    t.passes_unheard(3h);
    ASSERT_EQ(t.connections(), 0u);
    ASSERT_EQ(t.stack().pool().in_use(), 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(tcp, hostile,
                         testing::Values(state::listen, state::syn_sent, state::syn_received, state::established,
                                         state::fin_wait_1, state::fin_wait_2, state::close_wait, state::closing,
                                         state::last_ack, state::time_wait),
                         [](const auto& of) {
                           std::string text{tcp::name(of.param)};
                           std::replace(text.begin(), text.end(), '-', '_');
                           return text;
                         });

// The same to a listener that remembers nothing: SYNs, and what pretends to answer its cookies, some of which does.
TEST(hostile_cookies, mutated_segments_do_no_harm) {
  std::uint64_t completed = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    attacker a{seed};
    script_options o;
    o.ipv6 = seed % 4 == 3;
    o.backlog = 1 + seed % 3;
    o.stack.tcp.syn_cookies = seed % 2 == 0 ? tcp::syn_cookie_use::always : tcp::syn_cookie_use::when_full;
    if (seed % 5 == 0) o.stack.tcp.ecn = tcp::ecn_use::accurate;
    auto t = script::listening(o);
    std::uint32_t ack = 1;
    for (unsigned i = 0; i < 30; ++i) {
      t.peer_port(static_cast<std::uint16_t>(40000 + a.draw(3)));
      const bool syn = a.one_in(3);
      std::string line = syn ? std::string{a.one_in(2)   ? "S"
                                           : a.one_in(2) ? "SEW"
                                                         : "SEWA"} +
                                   " 0:0(0) win 65535"
                             : line_of(a.one_in(3) ? "FP." : "P.", 1, a.draw(1000), ack);
      if (a.one_in(2)) line += syn ? " <mss 1460,sackOK,TS val 3 ecr 0,wscale 9>" : " <TS val 4 ecr 0>";
      auto octets = t.datagram(line);
      if (!a.one_in(3)) a.mutate(octets, o.ipv6 ? 40 : 20);
      t.datagram_arrives(octets);
      if (const auto answer = t.takes_sent(); answer && answer->flags.syn)
        ack = distance(t.iss(), answer->seq_number) + 1;
      if (a.one_in(5)) t.passes_unheard(std::chrono::seconds{a.draw(100)});
      if (a.one_in(3)) t.passes_unheard(0s);
      ASSERT_LE(t.listener().accept_queue.size(), o.backlog);
      ASSERT_LE(t.connections(), 2 * o.backlog);
    }
    completed += t.counted().syn_cookies_received;
    t.passes_unheard(0s);
    t.user_stops_listening();
    t.passes_unheard(3h);
    ASSERT_EQ(t.connections(), 0u);
    ASSERT_EQ(t.stack().pool().in_use(), 0u);
  }
  EXPECT_GT(completed, 1000u);
}

}  // namespace
}  // namespace tunic::test
