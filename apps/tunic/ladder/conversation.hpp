#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/tunic/ladder/capture.hpp"
#include "apps/tunic/ladder/replay.hpp"
#include "stack/base/address.hpp"
#include "stack/wire/print.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::ladder {

/// A segment of a connection, with what it did.
struct row {
  std::chrono::nanoseconds time{};
  side from = side::left;
  wire::tcp_header header;
  std::uint32_t text = 0;  ///< octets
  wire::print_base base;   ///< what the relative numbers count from
  ladder::step step;
  std::string start_line;  ///< of an HTTP message that begins here
};

/// One connection of a capture.
struct conversation {
  both<endpoint> ends;
  bool left_is_ours = false;  ///< else the capture does not tell, and the left end is the one that spoke first
  std::vector<row> rows;
  ladder::replay replay;

  /// The state of an end before it was heard of, as what it did then shows.
  [[nodiscard]] derived_state before_first(side s) const;
};

/// Sorts a capture's datagrams into connections.
class conversations {
 public:
  void on_datagram(const captured& c);

  /// In the order of their first segments.
  [[nodiscard]] const std::vector<std::unique_ptr<conversation>>& all() const { return all_; }
  /// Datagrams that are no TCP segment: ICMP, UDP, fragments, malformed ones.
  [[nodiscard]] std::size_t others() const { return others_; }

 private:
  struct key {
    address left, right;
    std::uint16_t left_port, right_port;
    friend auto operator<=>(const key&, const key&) = default;
  };

  conversation& find(const endpoint& source, const endpoint& destination, direction d, const wire::tcp_header& h,
                     side& from);

  std::vector<std::unique_ptr<conversation>> all_;
  std::map<key, conversation*> open_;  // the latest between two ends
  std::size_t others_ = 0;
};

}  // namespace tunic::ladder
