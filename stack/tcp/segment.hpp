#pragma once

#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/base/seq.hpp"
#include "stack/buffer/slice.hpp"
#include "stack/wire/ecn.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::tcp {

/// An arrived segment in the RFC's words: SEG.SEQ, SEG.ACK, SEG.LEN, SEG.WND (RFC 9293 §3.3.1).
struct segment {
  four_tuple ends;  ///< ours first
  wire::tcp_header header;
  slice text;

  tunic::seq seq;  ///< of the first octet of text, or of the SYN before it
  tunic::seq ack;
  wire::tcp_flags flags;
  bool bare = false;  ///< it arrived without text, SYN or FIN
  wire::ecn_codepoint mark = wire::ecn_codepoint::not_ect;
  std::uint32_t segments = 1;  ///< on the wire: a super-segment is many
  std::uint32_t arrived = 0;   ///< octets of text, before what lies outside the window was cut off

  /// Octets of sequence space: the text, SYN and FIN.
  [[nodiscard]] std::uint32_t len() const { return text.size() + (flags.syn ? 1u : 0u) + (flags.fin ? 1u : 0u); }
};

}  // namespace tunic::tcp
