#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/script.hpp"

namespace tunic::test {

/// Where script::in(s) has brought a connection, counted from each side's SYN: SND.UNA, SND.NXT and RCV.NXT.
struct numbers {
  std::uint32_t una;
  std::uint32_t nxt;
  std::uint32_t rcv;
};

inline numbers numbers_in(tcp::state s) {
  using tcp::state;
  switch (s) {
    case state::closed:
    case state::listen: return {0, 0, 0};
    case state::syn_sent: return {0, 1, 0};
    case state::syn_received: return {0, 1, 1};
    case state::established: return {1, 1, 1};
    case state::fin_wait_1: return {1, 2, 1};
    case state::fin_wait_2: return {2, 2, 1};
    case state::close_wait: return {1, 1, 2};
    case state::closing: return {1, 2, 2};
    case state::last_ack: return {1, 2, 2};
    case state::time_wait: return {2, 2, 2};
  }
  return {};
}

/// The states that have a receive window, TIME-WAIT apart: it has its own rules (RFC 9293 §3.6.1).
inline constexpr std::array with_window{tcp::state::syn_received, tcp::state::established, tcp::state::fin_wait_1,
                                        tcp::state::fin_wait_2,   tcp::state::close_wait,  tcp::state::closing,
                                        tcp::state::last_ack};
inline constexpr std::array synchronised{tcp::state::established, tcp::state::fin_wait_1, tcp::state::fin_wait_2,
                                         tcp::state::close_wait,  tcp::state::closing,    tcp::state::last_ack,
                                         tcp::state::time_wait};

/// A connection whose peer's SYN carried exactly these options.
inline script with_options(std::string_view syn_options, script_options o = {}) {
  auto t = script::listening(std::move(o));
  t.arrives("S 0:0(0) win 65535" + (syn_options.empty() ? "" : " <" + std::string{syn_options} + ">"));
  (void)t.takes_sent();
  const auto ts = syn_options.find("TS");
  t.arrives(". 1:1(0) ack 1" + (ts == syn_options.npos ? "" : " <" + std::string{syn_options.substr(ts)} + ">"));
  t.user_accepts();
  return t;
}

/// "P. 1:101(100) ack 1"
inline std::string line_of(std::string_view flags, std::uint32_t begin, std::uint32_t length, std::uint32_t ack) {
  return std::string{flags} + " " + std::to_string(begin) + ":" + std::to_string(begin + length) + "(" +
         std::to_string(length) + ") ack " + std::to_string(ack);
}

/// The acknowledgement that a connection in such a state answers with: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>.
inline std::string plain_ack(tcp::state s) {
  const numbers n = numbers_in(s);
  return line_of(".", n.nxt, 0, n.rcv);
}

/// Claims text of ours in full segments; the last carries PSH where `push`.
inline void sends_text(script& t, std::uint32_t begin, std::uint32_t end, bool push = true, std::uint32_t size = 1460) {
  while (begin < end) {
    const std::uint32_t n = std::min(size, end - begin);
    t.sends(line_of(push && begin + n == end ? "P." : ".", begin, n, 1));
    begin += n;
  }
}

}  // namespace tunic::test
