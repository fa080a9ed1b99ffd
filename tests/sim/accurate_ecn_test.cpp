#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "drivers/path.hpp"
#include "stack/stack.hpp"

// RFC 9768 between two stacks of ours, over a path whose queue marks: what one end says it has received is what the
// other one learns, to the segment and the octet.

namespace tunic::test {
namespace {

using namespace std::chrono_literals;
using tcp::ecn_feedback;
using tcp::ecn_use;

constexpr secret key{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

struct end final : tcp::user, tcp::listener_user {
  end(const char* own, ecn_use use, const drivers::path_options& way, std::uint64_t seed)
      : stack(config_of(own, use), key), out(way, seed) {}
  static stack_config config_of(const char* own, ecn_use use) {
    stack_config c;
    c.ip.addresses = {*prefix::parse(own)};
    c.tcp.ecn = use;
    return c;
  }
  void on_events(tcp::events) override {}
  void on_acceptable() override {}

  tunic::stack stack;
  drivers::path out;
  tcp::tcb* tcb = nullptr;
  std::uint64_t received = 0;
};

/// The client sends so many octets to the server, over a way of 20 Mbit/s whose queue marks beyond 20 datagrams.
class conversation {
 public:
  conversation(ecn_use client, ecn_use server, double loss_of_acks = 0)
      : client_("198.51.100.1/24", client,
                {.rate = 20'000'000, .unmarked = {.packets = 20}, .delay = std::chrono::milliseconds{20}}, 1),
        server_("198.51.100.2/24", server, {.loss = loss_of_acks, .delay = std::chrono::milliseconds{20}}, 2) {
    tcp::listen_options l;
    l.local = {address::v4(0), 80};
    listener_ = *server_.stack.tcp().listen(l, server_);
    tcp::open_options o;
    o.remote = {*address::parse("198.51.100.2"), 80};
    client_.tcb = *client_.stack.tcp().open(o, client_, now_);
  }

  /// How long it took; all that was sent is acknowledged then.
  duration transfer(std::uint64_t octets) {
    std::uint64_t written = 0;
    const instant start = now_;
    const std::vector<std::byte> text(65536);
    while (now_ - start < 10min) {
      if (!server_.tcb) server_.tcb = server_.stack.tcp().accept(*listener_, server_);
      if (client_.tcb->synchronised()) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(text.size(), octets - written));
        written += client_.stack.tcp().send(*client_.tcb, std::span{text}.first(n));
      }
      if (server_.tcb) {
        std::array<std::byte, 65536> read;
        while (const auto n = server_.stack.tcp().receive(*server_.tcb, read)) server_.received += n;
      }
      for (end* e : {&client_, &server_}) put_on_path(*e);
      if (server_.received == octets && client_.tcb->outstanding() == 0) break;
      now_ = std::max(now_, std::min({client_.stack.next_deadline(), server_.stack.next_deadline(),
                                      client_.out.next_deadline(), server_.out.next_deadline()}));
      deliver(client_, server_);
      deliver(server_, client_);
      for (end* e : {&client_, &server_}) e->stack.on_deadline(now_);
    }
    EXPECT_EQ(server_.received, octets);
    return now_ - start;
  }

  [[nodiscard]] tcp::status client() { return client_.stack.tcp().status(*client_.tcb, now_); }
  [[nodiscard]] tcp::status server() { return server_.stack.tcp().status(*server_.tcb, now_); }
  [[nodiscard]] const drivers::path_counters& way() const { return client_.out.counters(); }
  ~conversation() {
    client_.stack.tcp().release(*client_.tcb, now_);
    if (server_.tcb) server_.stack.tcp().release(*server_.tcb, now_);
  }

 private:
  void put_on_path(end& from) {
    frame f;
    while (from.stack.poll_transmit(f, now_)) {
      std::vector<std::byte> octets(f.header().begin(), f.header().end());
      for (const slice& s : f.text) octets.insert(octets.end(), s.octets().begin(), s.octets().end());
      from.out.push(octets, now_);
    }
  }
  void deliver(end& from, end& to) {
    while (true) {
      const slice s = from.out.pop(now_);
      if (s.empty()) return;
      const buffer_ref b = to.stack.pool().fitting(s.size());
      std::copy(s.octets().begin(), s.octets().end(), b->room().begin());
      to.stack.on_packet({pool::view(b, s.size()), 0, checksum_state::unknown}, now_);
    }
  }

  instant now_{std::chrono::hours{1}};
  end client_;
  end server_;
  tcp::listener* listener_ = nullptr;
};

constexpr std::uint64_t much = 8u << 20;  // takes 3.4 s at the rate of the path

TEST(rfc9768_accecn_transfer, the_sender_learns_of_every_mark) {
  conversation c{ecn_use::accurate, ecn_use::accurate};
  EXPECT_LT(c.transfer(much), 5s);
  EXPECT_EQ(c.client().ecn, ecn_feedback::accurate);
  EXPECT_EQ(c.server().ecn, ecn_feedback::accurate);
  const auto learnt = c.client().marks_reported;
  const auto got = c.server().marks_received;
  EXPECT_GT(c.way().marked, 10u);
  EXPECT_EQ(got.cep, 5 + c.way().marked);
  EXPECT_EQ(learnt.cep, got.cep);
  EXPECT_EQ(learnt.ceb, got.ceb);
  EXPECT_EQ(learnt.e0b, got.e0b);
  EXPECT_EQ(got.e0b - 1 + got.ceb, much);
  EXPECT_EQ(c.client().retransmits, 0u);  // the queue is never full: marks alone hold the sender
}

TEST(rfc9768_accecn_transfer, lost_acknowledgements_lose_no_mark) {
  conversation c{ecn_use::accurate, ecn_use::accurate, 0.3};
  c.transfer(much);
  EXPECT_GT(c.way().marked, 10u);
  EXPECT_EQ(c.client().marks_reported.ceb, c.server().marks_received.ceb);
  EXPECT_EQ(c.client().marks_reported.e0b, c.server().marks_received.e0b);
}

TEST(rfc9768_accecn_transfer, each_kind_of_end_finds_what_both_know) {
  using enum ecn_use;
  for (const auto& [client, server, both] : {std::tuple{accurate, passive, ecn_feedback::classic},
                                             {accurate, off, ecn_feedback::none},
                                             {on, accurate, ecn_feedback::classic},
                                             {passive, accurate, ecn_feedback::none}}) {
    conversation c{client, server};
    c.transfer(1 << 20);
    EXPECT_EQ(c.client().ecn, both);
    EXPECT_EQ(c.server().ecn, both);
    EXPECT_EQ(c.way().marked > 0, both != ecn_feedback::none);
  }
}

}  // namespace
}  // namespace tunic::test
