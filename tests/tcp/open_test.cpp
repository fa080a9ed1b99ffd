#include <gtest/gtest.h>

#include "tests/support/script.hpp"

// Opening a connection: RFC 9293 §3.5.

namespace tunic::test {
namespace {

using tcp::state;

TEST(passive_open, three_way_handshake) {  // RFC 9293 §3.5, figure 6
  auto t = script::listening();
  t.arrives("S 0:0(0) win 65535 <mss 1460,sackOK,nop,wscale 7>");
  t.sends("S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 7>");
  t.in_state(state::syn_received);
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.in_state(state::established);
}

TEST(active_open, three_way_handshake) {  // RFC 9293 §3.5, figure 6
  script t;
  t.user_opens();
  t.sends("S 0:0(0) win 65535 <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7>");
  t.in_state(state::syn_sent);
  t.arrives("S. 0:0(0) ack 1 win 65535 <mss 1460>");
  t.sends(". 1:1(0) ack 1");
  t.in_state(state::established);
}

TEST(simultaneous_open, figure_7) {  // RFC 9293 §3.5, figure 7, MUST-10
  auto t = script::opening();
  t.arrives("S 0:0(0) win 65535 <mss 1460>");
  t.sends("S. 0:0(0) ack 1");
  t.in_state(state::syn_received);
  t.arrives("S. 0:0(0) ack 1");
  t.in_state(state::established);
}

}  // namespace
}  // namespace tunic::test
