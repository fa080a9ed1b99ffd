#pragma once

#include <cstdint>

#include "stack/base/seq.hpp"
#include "stack/tcp/demux.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::tcp {

struct tcb;

/// What is left of a connection in TIME-WAIT: enough to acknowledge a repeated FIN and to refuse the rest (RFC 9293
/// §3.6.1).
struct time_wait : demux_node {
  explicit time_wait(const four_tuple& e) : demux_node(demux_kind::time_wait, e) {}

  seq snd_nxt;
  seq rcv_nxt;
  wire::wire_window window;  ///< what our acknowledgements offer
  std::uint8_t tos = 0;
  std::uint8_t hop_limit = 0;
  bool timestamps_on = false;
  std::uint32_t ts_offset = 0;
  std::uint32_t ts_recent = 0;
  std::uint32_t invalid_answer_from = 0;  ///< what is invalid may be answered from then on; ms, modulo 2^32
  tcb* held = nullptr;                    ///< the tcb, while its user still holds it
};

static_assert(sizeof(time_wait) <= 112);  // a busy server holds a million of them

}  // namespace tunic::tcp
