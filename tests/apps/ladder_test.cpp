#include "apps/tunic/ladder/ladder.hpp"

#include <sstream>

#include <gtest/gtest.h>

#include "tests/apps/made_capture.hpp"

namespace tunic::ladder {
namespace {

using test::datagram_of;

/// A capture made segment by segment, a millisecond apart.
class made {
 public:
  made() {
    file_.section();
    file_.interface(101);
  }
  made& in(std::string_view segment, std::string text = {}) { return add(segment, false, std::move(text)); }
  made& out(std::string_view segment, std::string text = {}) { return add(segment, true, std::move(text)); }
  made& raw(std::string_view datagram) { return file_.enhanced_packet(ticks_ += 1'000'000, datagram, 1), *this; }
  made& opened() { return in("S 0:0(0) <mss 1460>").out("S. 0:0(0) ack 1").in(". 1:1(0) ack 1"); }
  made& unmarked() { return marks_ = false, *this; }

  std::string ladder() {
    std::istringstream from{file_.octets};
    std::ostringstream to;
    notice = print_capture(from, to);
    return to.str();
  }
  std::string notice;

 private:
  made& add(std::string_view segment, bool ours, std::string text) {
    file_.enhanced_packet(ticks_, datagram_of(segment, ours, std::move(text)), !marks_ ? 0 : ours ? 2 : 1);
    ticks_ += 1'000'000;
    return *this;
  }
  test::octet_writer file_;
  std::uint64_t ticks_ = 1'700'000'000'000'000'000;
  bool marks_ = true;
};

/// The words of a ladder's line that has all of `words`, in their order; empty where there is none.
std::string line_with(const std::string& ladder, const std::string& words) {
  std::istringstream lines{ladder};
  for (std::string l; std::getline(lines, l);) {
    std::istringstream parts{l};
    std::string squeezed;
    for (std::string w; parts >> w;) squeezed += (squeezed.empty() ? "" : " ") + w;
    if (squeezed.find(words) != std::string::npos) return squeezed;
  }
  return {};
}

std::size_t count(const std::string& in, const std::string& what) {
  std::size_t n = 0;
  for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++n;
  return n;
}

TEST(ladder, shows_a_request_from_syn_to_close) {
  made m;
  m.opened().in("P. 1:19(18) ack 1", "GET / HTTP/1.1\r\n\r\n").out("P. 1:20(19) ack 19", "HTTP/1.1 200 OK\r\n\r\n");
  m.in("F. 19:19(0) ack 20").out("F. 20:20(0) ack 20").in(". 20:20(0) ack 21");
  const std::string l = m.ladder();
  EXPECT_EQ(line_with(l, "connection 1:"),
            "connection 1: tunic 198.51.100.2:80, peer 198.51.100.1:40000; peer opens it");
  EXPECT_NE(l.find("derived from the datagrams"), std::string::npos);
  EXPECT_EQ(line_with(l, "S 0:0(0)"), "0.000 LISTEN <-- S 0:0(0) win 1000 SYN-SENT 4294967040");
  EXPECT_NE(line_with(l, "<mss 1460>"), "");
  EXPECT_NE(line_with(l, "we know now that the way from the peer to us works"), "");
  EXPECT_EQ(line_with(l, "S. 0:0(0)"),
            "1.000 SYN-RECEIVED --> S. 0:0(0) ack 1 win 1000 ESTABLISHED 4294967280 / 4294967041");
  EXPECT_NE(line_with(l, "the peer knows now that both ways work"), "");
  EXPECT_NE(line_with(l, "we know now, too, that both ways work"), "");
  EXPECT_NE(line_with(l, "\"GET / HTTP/1.1\""), "");
  EXPECT_NE(line_with(l, "\"HTTP/1.1 200 OK\""), "");
  EXPECT_NE(line_with(l, "5.000 CLOSE-WAIT <-- F. 19:19(0) ack 20 win 1000 FIN-WAIT-1"), "");
  EXPECT_NE(line_with(l, "6.000 LAST-ACK --> F. 20:20(0) ack 20 win 1000 TIME-WAIT"), "");
  EXPECT_NE(line_with(l, "7.000 CLOSED <-- . 20:20(0) ack 21 win 1000 TIME-WAIT"), "");
  EXPECT_NE(line_with(l, "peer is CLOSED after 2 MSL in TIME-WAIT"), "");
  EXPECT_EQ(m.notice, "");
}

TEST(ladder, folds_a_long_run_of_text) {
  made m;
  m.opened();
  for (unsigned i = 0; i < 100; ++i) {
    const std::string begin = std::to_string(1 + 1000 * i), end = std::to_string(1001 + 1000 * i);
    m.out("P. " + begin + ':' + end + "(1000) ack 1").in(". 1:1(0) ack " + end);
  }
  const std::string l = m.ladder();
  EXPECT_NE(line_with(l, "... 194 segments, 94.7 KiB from tunic ..."), "");
  EXPECT_EQ(count(l, "(1000)"), 3u);
}

TEST(ladder, marks_what_is_sent_again) {
  made m;
  m.opened().out("P. 1:11(10) ack 1").out("P. 1:11(10) ack 1");
  EXPECT_NE(line_with(m.ladder(), "sent again"), "");
}

TEST(ladder, begins_anew_for_a_syn_after_the_close) {
  made m;
  m.opened().in("R 1:1(0)").in("S 5000:5000(0)").out("S. 9000:9000(0) ack 5001");
  const std::string l = m.ladder();
  EXPECT_NE(line_with(l, "the peer aborts"), "");
  EXPECT_NE(line_with(l, "connection 2:"), "");
  EXPECT_EQ(count(l, "S 0:0(0)"), 2u);
}

TEST(ladder, names_the_ends_a_and_b_where_directions_are_unknown) {
  made m;
  m.unmarked().opened();
  const std::string l = m.ladder();
  EXPECT_EQ(line_with(l, "connection 1:"), "connection 1: A 198.51.100.1:40000, B 198.51.100.2:80; A opens it");
  EXPECT_NE(line_with(l, "A asks to open; B knows now that the way from A to B works"), "");
  EXPECT_NE(line_with(l, "The capture ends here; the connection has not."), "");
}

TEST(ladder, tells_of_a_refusal) {
  made m;
  m.in("S 0:0(0)").out("R. 0:0(0) ack 1");
  const std::string l = m.ladder();
  EXPECT_EQ(line_with(l, "S 0:0(0)"), "0.000 CLOSED <-- S 0:0(0) win 1000 SYN-SENT 4294967040");
  EXPECT_NE(line_with(l, "we refuse: nobody listens there"), "");
}

// A start line is shown only as plain text: a terminal must not be steered by what somebody sends.
TEST(ladder, shows_no_control_octets) {
  made m;
  m.opened().in("P. 1:26(25) ack 1", "GET /\x1b[2J\x07 HTTP/1.1\r\n\r\n..");
  EXPECT_EQ(m.ladder().find('\x1b'), std::string::npos);
}

TEST(ladder, says_what_is_left_out) {
  made m;
  EXPECT_EQ(m.ladder(), "");
  EXPECT_EQ(m.notice, "there is no TCP connection in the capture");
  m.raw("no IP").opened();
  m.ladder();
  EXPECT_EQ(m.notice, "1 datagram is no TCP segment (ICMP, UDP, a fragment) and left out");
}

TEST(ladder, survives_any_octet_of_a_segment_changed) {
  for (const bool ipv6 : {false, true}) {
    const std::string good = datagram_of("S 0:0(0) <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>", false, {}, ipv6);
    for (std::size_t i = 0; i < good.size(); ++i)
      for (unsigned v = 0; v < 256; ++v) {
        std::string changed = good;
        changed[i] = static_cast<char>(v);
        made m;
        m.raw(changed).raw(good);
        EXPECT_NE(m.ladder(), "");
      }
  }
}

}  // namespace
}  // namespace tunic::ladder
