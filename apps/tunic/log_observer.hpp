#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "stack/tcp/observer.hpp"

namespace tunic::app {

/// Logs state changes, what the sender thinks of the path, and segments in packetdrill's notation, numbers counted from
/// each side's SYN.
class log_observer final : public tcp::observer {
 public:
  void on_segment(bool sent, const four_tuple& ends, const wire::tcp_header& header, std::uint32_t text,
                  instant now) override;
  void on_state(const four_tuple& ends, tcp::state from, tcp::state to, instant now) override;
  void on_phase(const four_tuple& ends, tcp::recovery_phase from, tcp::recovery_phase to, instant now) override;
  void on_loss(const four_tuple& ends, std::uint32_t octets, instant now) override;
  void on_window(const four_tuple& ends, std::uint32_t cwnd, std::uint32_t ssthresh, instant now) override;

 private:
  using key = std::tuple<address, std::uint16_t, address, std::uint16_t>;
  /// The numbers of the SYNs.
  struct bases {
    seq ours, theirs;
  };
  static key key_of(const four_tuple& ends) {
    return {ends.local.address, ends.local.port, ends.remote.address, ends.remote.port};
  }

  std::map<key, bases> bases_;
};

}  // namespace tunic::app
