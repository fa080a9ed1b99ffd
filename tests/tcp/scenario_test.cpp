#include <gtest/gtest.h>

#include "tests/support/two_stacks.hpp"

// What articles about HTTP over TCP watch in Wireshark, stack to stack: who says what, and when.

namespace tunic::test {
namespace {

using tcp::state;

/// A connection, open at both ends; what was said for that is not told again.
std::pair<two_stacks::user*, two_stacks::user*> connected(two_stacks& t) {
  auto& client = t.client_opens();
  t.passes(10ms);
  auto& server = t.server_accepts();
  return {&client, &server};
}

tcp::liveness probing(std::chrono::seconds after) {
  tcp::liveness l;
  l.keep_alive = true;
  l.keep_alive_idle = l.keep_alive_interval = after;
  return l;
}

// The server closes and is gone. The client acknowledges its FIN and does not close: when the server has waited long
// enough for the client's FIN, the client's next probe meets nobody.
TEST(scenario, a_a_client_that_does_not_close_learns_by_its_probe) {
  two_stacks t;
  t.server_listens();
  auto [client, server] = connected(t);
  client->keeps_alive(probing(45s));
  server->releases();
  t.passes(30s);
  EXPECT_EQ(client->state(), state::close_wait);
  EXPECT_TRUE(client->at_end());
  t.passes(90s);
  EXPECT_EQ(t.said(), R"(
     0 ms  client  S 0:0(0)
     1 ms  server  S. 0:0(0) ack 1
     2 ms  client  . 1:1(0) ack 1
    10 ms  server  F. 1:1(0) ack 1
    11 ms  client  . 1:1(0) ack 2
 45011 ms  client  . 0:0(0) ack 2
 45012 ms  server  . 2:2(0) ack 1
 90013 ms  client  . 0:0(0) ack 2
 90014 ms  server  R 2:2(0)
 90015 ms  client  is told: Connection reset by peer
)" + 1);
  EXPECT_EQ(client->error(), std::errc::connection_reset);
  EXPECT_EQ(t.client().tcp().connections() + t.server().tcp().connections(), 0u);
}

// Two requests on one connection: one SYN, and no FIN between.
TEST(scenario, b_two_exchanges_on_one_connection) {
  two_stacks t;
  t.server_listens();
  auto [client, server] = connected(t);
  for (const char* request : {"GET /1", "GET /2"}) {
    client->sends(request);
    t.passes(5ms);
    EXPECT_EQ(server->receives(), request);
    server->sends("200 OK");
    t.passes(995ms);
    EXPECT_EQ(client->receives(), "200 OK");
  }
  EXPECT_EQ(t.said(), R"(
     0 ms  client  S 0:0(0)
     1 ms  server  S. 0:0(0) ack 1
     2 ms  client  . 1:1(0) ack 1
    10 ms  client  P. 1:7(6) ack 1
    11 ms  server  . 1:1(0) ack 7
    15 ms  server  P. 1:7(6) ack 7
    16 ms  client  . 7:7(0) ack 7
  1010 ms  client  P. 7:13(6) ack 7
  1015 ms  server  P. 7:13(6) ack 13
  1016 ms  client  . 13:13(0) ack 13
)" + 1);
}

// The server closes first, then the browser: FIN, ACK, FIN, ACK, and the server waits two MSL.
TEST(scenario, c_the_server_closes_first_and_then_the_client) {
  two_stacks t;
  t.server_listens();
  auto [client, server] = connected(t);
  static_cast<void>(t.said());
  server->closes();
  t.passes(100ms);
  EXPECT_EQ(client->state(), state::close_wait);
  EXPECT_EQ(server->state(), state::fin_wait_2);
  client->closes();
  t.passes(100ms);
  EXPECT_EQ(client->state(), state::closed);
  EXPECT_EQ(server->state(), state::time_wait);
  t.passes(60s);
  EXPECT_EQ(server->state(), state::closed);
  EXPECT_EQ(t.said(), R"(
    10 ms  server  F. 1:1(0) ack 1
    11 ms  client  . 1:1(0) ack 2
   110 ms  client  F. 1:1(0) ack 2
   111 ms  server  . 2:2(0) ack 2
   112 ms  client  is told: closed
 60111 ms  server  is told: closed
)" + 1);
}

// The server thinks for 60 s. After 45 s the client's TCP asks whether it is still there, and the answer comes.
TEST(scenario, d_a_keep_alive_goes_out_while_the_server_thinks) {
  two_stacks t;
  t.server_listens();
  auto [client, server] = connected(t);
  static_cast<void>(t.said());
  client->keeps_alive(probing(45s));
  client->sends("GET /wait?s=60");
  t.passes(60s);
  EXPECT_EQ(server->receives(), "GET /wait?s=60");
  server->sends("at last");
  t.passes(1s);
  EXPECT_EQ(client->receives(), "at last");
  EXPECT_EQ(t.said(), R"(
    10 ms  client  P. 1:15(14) ack 1
    11 ms  server  . 1:1(0) ack 15
 45012 ms  client  . 14:14(0) ack 1
 45013 ms  server  . 1:1(0) ack 15
 60010 ms  server  P. 1:8(7) ack 15
 60011 ms  client  . 15:15(0) ack 8
)" + 1);
}

// 60 s after the response the server has had enough of an idle connection.
TEST(scenario, e_an_idle_connection_is_ended_by_the_server) {
  two_stacks t;
  t.server_listens();
  auto [client, server] = connected(t);
  static_cast<void>(t.said());
  client->sends("GET /");
  t.passes(2ms);
  server->receives();
  server->sends("200 OK");
  t.passes(60s);  // nothing passes meanwhile
  server->closes();
  t.passes(10ms);
  EXPECT_EQ(client->receives(), "200 OK");
  EXPECT_TRUE(client->at_end());
  client->closes();
  t.passes(100ms);
  EXPECT_EQ(t.said(), R"(
    10 ms  client  P. 1:6(5) ack 1
    11 ms  server  . 1:1(0) ack 6
    12 ms  server  P. 1:7(6) ack 6
    13 ms  client  . 6:6(0) ack 7
 60012 ms  server  F. 7:7(0) ack 6
 60013 ms  client  . 6:6(0) ack 8
 60022 ms  client  F. 6:6(0) ack 8
 60023 ms  server  . 8:8(0) ack 7
 60024 ms  client  is told: closed
)" + 1);
}

// The server is killed while a client waits: its system ends the connection with a FIN, and nobody listens any more.
TEST(scenario, f_a_killed_server_ends_with_fin_and_refuses_a_new_connection) {
  two_stacks t;
  t.server_listens();
  auto [client, server] = connected(t);
  static_cast<void>(t.said());
  client->sends("GET /wait?s=60");
  t.passes(5s);
  server->receives();
  server->releases();
  t.server_stops_listening();
  t.passes(10ms);
  EXPECT_TRUE(client->at_end());
  client->closes();
  auto& again = t.client_opens();
  t.passes(100ms);
  EXPECT_EQ(again.error(), std::errc::connection_refused);
  EXPECT_EQ(t.said(), R"(
    10 ms  client  P. 1:15(14) ack 1
    11 ms  server  . 1:1(0) ack 15
  5010 ms  server  F. 1:1(0) ack 15
  5011 ms  client  . 15:15(0) ack 2
  5020 ms  client  F. 15:15(0) ack 2
  5020 ms  client 2  S 0:0(0)
  5021 ms  server  . 2:2(0) ack 16
  5021 ms  server 2  R. 0:0(0) ack 1
  5022 ms  client  is told: closed
  5022 ms  client 2  is told: Connection refused
)" + 1);
}

}  // namespace
}  // namespace tunic::test
