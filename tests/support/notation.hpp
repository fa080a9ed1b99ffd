#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stack/wire/ecn.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::test {

/// A line of packetdrill's notation: "[ect0] S. 0:0(0) ack 1 win 65535 <mss 1460>". What a line leaves out is not
/// compared. A digit among the flags is the ACE field: ".5".
struct line {
  std::optional<wire::ecn_codepoint> ecn;  ///< [noecn], [ect0], [ect1], [ce]
  wire::tcp_flags flags;
  std::uint32_t begin = 0;
  std::uint32_t length = 0;  ///< octets of text
  std::optional<std::uint32_t> ack;
  std::optional<std::uint32_t> win;  ///< as on the wire, not scaled
  std::optional<wire::tcp_options> options;
};

/// Throws std::invalid_argument that names the line where it is not in the notation.
line parse_line(std::string_view text);

}  // namespace tunic::test
