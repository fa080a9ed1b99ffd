#include "apps/tunic/ladder/replay.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/apps/made_capture.hpp"

namespace tunic::ladder {
namespace {

using test::header_of;

/// Segments in the notation: ours go out, the peer's come in. Answers with "ours / the peer's" states.
class story {
 public:
  std::string out(std::string_view segment) { return hand(side::left, segment); }
  std::string in(std::string_view segment) { return hand(side::right, segment); }
  void opened_by_peer() {
    in("S 0:0(0)");
    out("S. 0:0(0) ack 1");
    ASSERT_EQ(in(". 1:1(0) ack 1"), "ESTABLISHED / ESTABLISHED");
  }
  [[nodiscard]] remark said() const { return last_.remark; }
  [[nodiscard]] bool over() const { return replay_.over(); }

 private:
  static std::string text(derived_state s) { return s ? std::string{tcp::name(*s)} : "?"; }
  std::string hand(side from, std::string_view segment) {
    last_ = replay_.on_segment(from, header_of(segment, from == side::left), test::parse_line(segment).length);
    return text(last_.after.left) + " / " + text(last_.after.right);
  }
  replay replay_;
  step last_;
};

TEST(replay, passive_open) {  // RFC 9293 §3.5, figure 6
  story t;
  EXPECT_EQ(t.in("S 0:0(0)"), "? / SYN-SENT");
  EXPECT_EQ(t.out("S. 0:0(0) ack 1"), "SYN-RECEIVED / ESTABLISHED");
  EXPECT_EQ(t.in(". 1:1(0) ack 1"), "ESTABLISHED / ESTABLISHED");
}

TEST(replay, active_open) {
  story t;
  EXPECT_EQ(t.out("S 0:0(0)"), "SYN-SENT / ?");
  EXPECT_EQ(t.in("S. 0:0(0) ack 1"), "ESTABLISHED / SYN-RECEIVED");
  EXPECT_EQ(t.out("P. 1:10(9) ack 1"), "ESTABLISHED / ESTABLISHED");
}

TEST(replay, simultaneous_open) {  // RFC 9293 §3.5, figure 7
  story t;
  EXPECT_EQ(t.out("S 0:0(0)"), "SYN-SENT / ?");
  EXPECT_EQ(t.in("S 0:0(0)"), "SYN-RECEIVED / SYN-RECEIVED");
  EXPECT_EQ(t.out("S. 0:0(0) ack 1"), "SYN-RECEIVED / ESTABLISHED");
  EXPECT_EQ(t.in("S. 0:0(0) ack 1"), "ESTABLISHED / ESTABLISHED");
}

TEST(replay, close_in_four_segments) {  // RFC 9293 §3.6, figure 12
  story t;
  t.opened_by_peer();
  EXPECT_EQ(t.in("F. 1:1(0) ack 1"), "CLOSE-WAIT / FIN-WAIT-1");
  EXPECT_EQ(t.out(". 1:1(0) ack 2"), "CLOSE-WAIT / FIN-WAIT-2");
  EXPECT_EQ(t.out("F. 1:1(0) ack 2"), "LAST-ACK / TIME-WAIT");
  EXPECT_FALSE(t.over());
  EXPECT_EQ(t.in(". 2:2(0) ack 2"), "CLOSED / TIME-WAIT");
  EXPECT_TRUE(t.over());
}

TEST(replay, close_in_three_segments) {
  story t;
  t.opened_by_peer();
  EXPECT_EQ(t.out("F. 1:1(0) ack 1"), "FIN-WAIT-1 / CLOSE-WAIT");
  EXPECT_EQ(t.in("F. 1:1(0) ack 2"), "TIME-WAIT / LAST-ACK");
  EXPECT_EQ(t.out(". 2:2(0) ack 2"), "TIME-WAIT / CLOSED");
}

TEST(replay, simultaneous_close) {  // RFC 9293 §3.6, figure 13
  story t;
  t.opened_by_peer();
  EXPECT_EQ(t.out("F. 1:1(0) ack 1"), "FIN-WAIT-1 / CLOSE-WAIT");
  EXPECT_EQ(t.in("F. 1:1(0) ack 1"), "CLOSING / CLOSING");  // so it had not heard our FIN
  EXPECT_EQ(t.out(". 2:2(0) ack 2"), "CLOSING / TIME-WAIT");
  EXPECT_EQ(t.in(". 2:2(0) ack 2"), "TIME-WAIT / TIME-WAIT");
}

TEST(replay, half_close_goes_on_one_way) {
  story t;
  t.opened_by_peer();
  t.in("F. 1:1(0) ack 1");
  EXPECT_EQ(t.out("P. 1:101(100) ack 2"), "CLOSE-WAIT / FIN-WAIT-2");
  EXPECT_EQ(t.in(". 2:2(0) ack 101"), "CLOSE-WAIT / FIN-WAIT-2");
}

TEST(replay, fin_behind_a_gap_counts_once_the_gap_is_filled) {
  story t;
  t.opened_by_peer();
  EXPECT_EQ(t.in("F. 101:151(50) ack 1"), "ESTABLISHED / FIN-WAIT-1");
  EXPECT_EQ(t.in(". 51:101(50) ack 1"), "ESTABLISHED / FIN-WAIT-1");
  EXPECT_EQ(t.said(), remark::fills_gap);
  EXPECT_EQ(t.in(". 1:51(50) ack 1"), "CLOSE-WAIT / FIN-WAIT-1");
  EXPECT_EQ(t.in(". 1:51(50) ack 1"), "CLOSE-WAIT / FIN-WAIT-1");
  EXPECT_EQ(t.said(), remark::again);
}

TEST(replay, refusal) {  // RFC 9293 §3.10.7.1
  story t;
  t.out("S 0:0(0)");
  EXPECT_EQ(t.in("R. 0:0(0) ack 1"), "CLOSED / CLOSED");
  EXPECT_TRUE(t.over());
}

TEST(replay, refusal_of_another_syn_changes_nothing) {
  story t;
  t.out("S 0:0(0)");
  EXPECT_EQ(t.in("R. 0:0(0) ack 77"), "SYN-SENT / CLOSED");
  EXPECT_EQ(t.said(), remark::bad_reset);
}

TEST(replay, abort) {
  story t;
  t.opened_by_peer();
  EXPECT_EQ(t.in("R 1:1(0)"), "CLOSED / CLOSED");
}

TEST(replay, reset_beside_the_expected_number_changes_nothing) {  // RFC 5961 §3.2
  story t;
  t.opened_by_peer();
  EXPECT_EQ(t.in("R 500:500(0)"), "ESTABLISHED / ESTABLISHED");
  EXPECT_EQ(t.said(), remark::bad_reset);
}

TEST(replay, reset_after_a_probe_of_a_shut_window_is_taken) {
  story t;
  t.opened_by_peer();
  t.in(". 1:1(0) ack 1 win 0");
  t.out(". 1:2(1) ack 1");
  EXPECT_EQ(t.out("R. 1:1(0) ack 1"), "CLOSED / CLOSED");
}

TEST(replay, reset_in_syn_received_returns_to_listen) {  // RFC 9293 §3.5, figure 8: an old duplicate SYN
  story t;
  t.in("S 0:0(0)");
  t.out("S. 0:0(0) ack 1");
  EXPECT_EQ(t.in("R 1:1(0)"), "LISTEN / CLOSED");
}

TEST(replay, syn_ack_of_an_old_syn_is_refused_and_the_open_goes_on) {  // figure 8, seen from the other end
  story t;
  t.out("S 0:0(0)");
  EXPECT_EQ(t.in("S. 900:900(0) ack 4294967000"), "SYN-SENT / ?");
  EXPECT_EQ(t.said(), remark::bad_ack);
  EXPECT_EQ(t.out("R 4294967000:4294967000(0)"), "SYN-SENT / ?");
  EXPECT_EQ(t.in("S. 0:0(0) ack 1"), "ESTABLISHED / SYN-RECEIVED");
}

TEST(replay, blind_syn_changes_nothing) {  // RFC 5961 §4.2
  story t;
  t.opened_by_peer();
  EXPECT_EQ(t.in("S 500:500(0)"), "ESTABLISHED / ESTABLISHED");
  EXPECT_EQ(t.said(), remark::bad_syn);
}

TEST(replay, capture_that_begins_later) {
  story t;
  EXPECT_EQ(t.in("P. 1000:1100(100) ack 2000"), "ESTABLISHED / ESTABLISHED");
  EXPECT_EQ(t.out("F. 2000:2000(0) ack 1100"), "FIN-WAIT-1 / CLOSE-WAIT");
}

TEST(replay, syn_sent_again_is_marked) {
  story t;
  t.in("S 0:0(0)");
  EXPECT_EQ(t.said(), remark::none);
  t.in("S 0:0(0)");
  EXPECT_EQ(t.said(), remark::again);
}

}  // namespace
}  // namespace tunic::ladder
