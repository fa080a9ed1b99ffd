#include <gtest/gtest.h>

#include "stack/wire/bytes.hpp"
#include "tests/tcp/segments.hpp"

// Sequence numbers are points on a circle: RFC 9293 §3.4.

namespace tunic::test {
namespace {

using tcp::state;

/// Distances of both initial sequence numbers to 2^32 that put the wrap, or the far side of the circle, at every
/// interesting place of what follows.
constexpr std::uint32_t places[] = {
    0, 1, 2, 3, 1000, 1461, 1462, 2921, 2922, 4381, 4382, 0x80000000, 0x80000001, 0x80000000 + 1461, 0x80000000 + 4382};

template <class F>
void everywhere(F f) {
  for (const std::uint32_t before : places) {
    SCOPED_TRACE(before);
    f(script_options{.iss_before_wrap = before, .irs_before_wrap = before});
  }
}

TEST(rfc9293_sequence_wrap, text_and_its_loss_on_our_side) {  // RFC 9293 §3.4
  everywhere([](const script_options& o) {
    auto t = script::established(o);
    t.user_sends(3 * 1460);
    sends_text(t, 1, 4381);
    t.arrives(". 1:1(0) ack 1461");
    t.passes(200ms);
    t.sends(". 1461:2921(1460) ack 1");
    t.arrives(". 1:1(0) ack 4381");
    EXPECT_EQ(t.status().in_flight, 0u);
    t.silent_for(1h);
  });
}

TEST(rfc9293_sequence_wrap, text_out_of_order_on_the_peers_side) {
  everywhere([](script_options o) {
    o.syn_options = "mss 1460,sackOK";
    auto t = script::established(o);
    t.arrives(". 2921:4381(1460) ack 1");
    t.sends(". 1:1(0) ack 1 <sack 2921:4381>");
    t.arrives(". 1461:2921(1460) ack 1");
    t.sends(". 1:1(0) ack 1 <sack 1461:4381>");
    t.arrives(". 1:1461(1460) ack 1");
    t.sends(". 1:1(0) ack 4381");
    t.user_receives(4380);
  });
}

TEST(rfc9293_sequence_wrap, fast_retransmit) {
  everywhere([](const script_options& o) {
    auto t = script::established(o);
    t.user_sends(5 * 1460);
    sends_text(t, 1, 7301);
    for (int i = 0; i < 3; ++i) t.arrives(". 1:1(0) ack 1461");
    t.arrives(". 1:1(0) ack 1461");
    t.sends(". 1461:2921(1460) ack 1");
    t.arrives(". 1:1(0) ack 7301");
    t.silent_for(1h);
  });
}

TEST(rfc9293_sequence_wrap, the_close) {
  everywhere([](const script_options& o) {
    auto t = script::established(o);
    t.user_sends_and_closes(1000);
    t.sends("FP. 1:1001(1000) ack 1");
    t.arrives("FP. 1:1001(1000) ack 1002");
    t.sends(". 1002:1002(0) ack 1002");
    t.in_state(state::time_wait);
    t.arrives("FP. 1:1001(1000) ack 1002");
    t.sends(". 1002:1002(0) ack 1002");
  });
}

TEST(rfc9293_sequence_wrap, both_edges_of_the_receive_window) {  // RFC 9293 §3.10.7.4, first step
  everywhere([](const script_options& o) {
    auto t = script::established(o);
    t.arrives("R 0:0(0)");
    t.arrives("R 65537:65537(0)");
    t.silent();
    t.arrives("R 65535:65535(0)");
    t.sends(". 1:1(0) ack 1");
    t.silent_for(1s);
    t.arrives("R 2:2(0)");
    t.sends(". 1:1(0) ack 1");
    t.in_state(state::established);
  });
}

TEST(rfc9293_sequence_wrap, the_acknowledgements_that_are_believed) {  // RFC 5961 §5.2
  everywhere([](const script_options& o) {
    auto t = script::established(o);
    t.user_sends(100);
    t.sends("P. 1:101(100) ack 1");
    t.arrives(". 1:1(0) ack 102");
    t.sends(". 101:101(0) ack 1");
    t.arrives(". 1:1(0) ack 0");
    t.silent();
    t.arrives(". 1:1(0) ack 101");
    EXPECT_EQ(t.status().in_flight, 0u);
  });
}

constexpr std::uint64_t circle = std::uint64_t{1} << 32;
constexpr std::uint32_t piece = 60000;

TEST(rfc9293_sequence_wrap, more_than_the_whole_circle_is_received) {
  auto t = script::established();
  t.user_shuts_receive();
  const auto datagram = t.datagram(line_of(".", 1, piece, 1));
  const buffer_ref b = t.stack().pool().large();
  std::copy(datagram.begin(), datagram.end(), b->room().begin());
  for (std::uint64_t total = 0; total < circle + 10 * piece; total += piece) {
    wire::store32(b->room().data() + 20 + 4, (t.irs() + 1 + static_cast<std::uint32_t>(total)).value());
    t.stack().on_packet({pool::view(b, datagram.size()), 0, checksum_state::good}, t.now());
    const auto ack = t.takes_sent();
    ASSERT_TRUE(ack);
    ASSERT_EQ(ack->ack_number, t.irs() + 1 + static_cast<std::uint32_t>(total) + piece);
  }
}

TEST(rfc9293_sequence_wrap, more_than_the_whole_circle_is_sent) {
  script_options o;
  o.stack.device = {.checksum = true, .segmentation_v4 = true, .segmentation_v6 = true};
  auto t = script::established(o);
  const auto datagram = t.datagram(". 1:1(0) ack 1");
  const buffer_ref text = t.stack().pool().large();
  const buffer_ref ack = t.stack().pool().small();
  std::copy(datagram.begin(), datagram.end(), ack->room().begin());
  frame f;
  for (std::uint64_t total = 0; total < circle + 10 * piece;) {
    ASSERT_EQ(t.tcp().send(t.connection(), pool::view(text, piece)), piece);
    total += piece;
    // One ACK a super-segment: the window bounds what is under way, so there may be more rounds.
    for (std::uint32_t sent = 0; sent < piece;) {
      ASSERT_TRUE(t.stack().poll_transmit(f, t.now()));
      sent += static_cast<std::uint32_t>(f.text_size());
      wire::store32(ack->room().data() + 20 + 8,
                    (t.iss() + 1 + static_cast<std::uint32_t>(total - piece + sent)).value());
      t.stack().on_packet({pool::view(ack, datagram.size()), 0, checksum_state::good}, t.now());
    }
    ASSERT_EQ(t.status().in_flight, 0u);
    ASSERT_EQ(t.status().send_queued, 0u);
  }
  EXPECT_EQ(t.status().retransmits, 0u);
}

}  // namespace
}  // namespace tunic::test
