#include "stack/tcp/prr.hpp"

#include <gtest/gtest.h>

#include "tests/tcp/facts.hpp"

// Proportional Rate Reduction: RFC 9937. Segments of 1,000 octets. The numbers of the first three are those that Linux
// shows in the public packetdrill scripts of the same situations.

namespace tunic::test {
namespace {

/// Ten segments under way, and three selectively acknowledged after the first, which is taken for lost with them.
teller one_of_ten_lost() {
  teller t{congestion_algorithm::cubic};
  t.fills();
  t.phase = recovery_phase::disorder;
  t.ack({.acked = 0});
  t.ack({.acked = 0});
  t.loses();
  return t;
}

TEST(rfc9937_prr, conserves_segments_where_the_losses_alone_come_to_the_threshold) {  // RFC 9937 §6.2, PRR-CRB
  auto t = one_of_ten_lost();
  EXPECT_EQ(t.ssthresh(), 7);
  EXPECT_EQ(t.cwnd(), 7);
  EXPECT_EQ(t.in_flight, 6 * seg);
  t.sends(1);
  for (int i = 0; i < 6; ++i) {
    t.ack({.acked = 0});
    EXPECT_EQ(t.cwnd(), 7) << i;
    t.sends(1);
  }
  t.recovers(10, 0);
  EXPECT_EQ(t.cwnd(), 7);
}

TEST(rfc9937_prr, regains_the_threshold_only_by_acks_that_make_progress) {  // RFC 9937 §6.2, PRR-SSRB and SafeACK
  teller t{congestion_algorithm::cubic};
  t.fills();
  t.phase = recovery_phase::disorder;
  for (int i = 0; i < 2; ++i) {
    t.ack({.acked = 0});
    t.sends(1);  // limited transmit
  }
  t.loses(4);
  EXPECT_EQ(t.in_flight, 5 * seg);
  EXPECT_EQ(t.cwnd(), 6);
  t.sends(1);
  for (int i = 0; i < 5; ++i) {  // the rest, selectively: no more out than in
    t.ack({.acked = 0});
    EXPECT_EQ(t.cwnd(), 6) << i;
    t.sends(1);
  }
  t.ack({.delivered = 1, .acked = 1});
  EXPECT_EQ(t.cwnd(), 7);  // one more than conservation
  t.fills();
  EXPECT_EQ(t.in_flight, 7 * seg);
  t.ack({.delivered = 2, .acked = 1, .lost = 1});  // progress, but a further loss
  EXPECT_EQ(t.cwnd(), 6);
}

TEST(rfc9937_prr, sends_no_faster_for_marks_that_find_the_pipe_below_the_threshold) {  // RFC 3168 §6.1.2 by RFC 9937
  teller t{congestion_algorithm::cubic};
  t.sends(4);
  t.phase = recovery_phase::cwr;
  t.cc->on_congestion(congestion_cause::ecn, t.in_flight, t.now);
  t.ack({.delivered = 1, .acked = 1, .marked = 1});
  EXPECT_EQ(t.cwnd(), 4);  // three in flight and one for the one that arrived
}

TEST(rfc9937_prr, spreads_the_reduction_over_the_round_trip) {  // RFC 9937 §6.2, the proportional part
  teller t{congestion_algorithm::reno, 100};
  t.fills();
  t.loses();
  std::uint32_t sent = 0;
  for (int acks = 1; acks <= 98; ++acks) {
    const auto room = (t.cc->cwnd() - std::min(t.cc->cwnd(), t.in_flight)) / seg;
    t.sends(room);
    sent += room;
    EXPECT_NEAR(sent, acks / 2.0, 1.0) << acks;  // one out for two in: half of the window is to remain
    t.ack({.acked = 0});
  }
  EXPECT_NEAR(t.in_flight / seg, 50, 1);
}

TEST(rfc9937_prr, ends_at_the_threshold) {  // RFC 9937 §6.2
  teller t{congestion_algorithm::reno, 100};
  t.fills();
  t.loses(60, 40);
  EXPECT_EQ(t.cwnd(), 40);  // as much as has arrived
  t.recovers(100);
  EXPECT_EQ(t.cwnd(), 50);
}

TEST(rfc9937_prr, sends_the_fast_retransmit_at_once) {
  // RFC 9937 §6.2: "Force a fast retransmit upon entering recovery"
  tcp::prr p;
  p.begin(100 * seg);
  EXPECT_EQ(p.on_ack(0, 99 * seg, 50 * seg, seg, false), 100 * seg);  // found by a timer: nothing arrived
  p.on_send(seg);
  EXPECT_EQ(p.on_ack(seg, 98 * seg, 50 * seg, seg, false), 98 * seg);  // paid for by what arrives next
}

TEST(rfc9937_prr, leaves_a_way_out_when_nothing_is_in_flight) {  // no ACK would come to open the window again
  tcp::prr p;
  p.begin(10 * seg);
  p.on_send(10 * seg);
  EXPECT_EQ(p.on_ack(0, 0, 5 * seg, seg, false), seg);
}

TEST(rfc9937_prr, makes_up_for_what_the_user_did_not_send) {  // RFC 9937 §6.2: prr_delivered - prr_out
  tcp::prr p;
  p.begin(20 * seg);
  for (std::uint32_t i = 1; i <= 15; ++i) p.on_ack(seg, (20 - i) * seg, 10 * seg, seg, false);
  p.on_send(seg);
  EXPECT_EQ(p.on_ack(seg, 5 * seg, 10 * seg, seg, false), 10 * seg);  // 16 in, one out: up to the threshold at once
}

TEST(rfc9937_prr, counts_octets) {  // RFC 9937 §5: DeliveredData in octets
  tcp::prr p;
  p.begin(100 * seg);
  p.on_ack(4 * seg, 96 * seg, 50 * seg, seg, false);
  p.on_send(2 * seg);
  EXPECT_EQ(p.on_ack(300, 95 * seg, 50 * seg, seg, false), 96 * seg);  // 150 octets, rounded up to a segment
  p.on_send(seg);
  EXPECT_EQ(p.on_ack(300, 95 * seg, 50 * seg, seg, false), 95 * seg);  // 300 octets, paid for by that segment
}

}  // namespace
}  // namespace tunic::test
