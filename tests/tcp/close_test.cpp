#include <gtest/gtest.h>

#include "tests/support/script.hpp"

// Closing a connection: RFC 9293 §3.6.

namespace tunic::test {
namespace {

using tcp::state;
constexpr duration msl = tcp::config{}.msl;

TEST(active_close, waits_two_msl) {  // RFC 9293 §3.6.1, MUST-13
  auto t = script::established();
  t.user_closes();
  t.sends("F. 1:1(0) ack 1");
  t.arrives(". 1:1(0) ack 2");
  t.in_state(state::fin_wait_2);
  t.arrives("F. 1:1(0) ack 2");
  t.sends(". 2:2(0) ack 2");
  t.silent_for(2 * msl - 1us);
  t.in_state(state::time_wait);
  t.silent_for(1us);
  t.in_state(state::closed);
}

}  // namespace
}  // namespace tunic::test
