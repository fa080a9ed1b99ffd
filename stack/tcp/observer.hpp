#pragma once

#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/base/time.hpp"
#include "stack/tcp/congestion_control.hpp"
#include "stack/tcp/state.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::tcp {

/// Watches connections; the core logs nothing itself. Every call is a fact that has just happened; the observer must
/// not call back into the stack. Overrides cost only those who watch.
class observer {
 public:
  /// A segment has come in or goes out. `text` counts octets; a super-segment is one call.
  virtual void on_segment(bool /*sent*/, const four_tuple& /*ends*/, const wire::tcp_header& /*header*/,
                          std::uint32_t /*text*/, instant /*now*/) {}
  virtual void on_state(const four_tuple& /*ends*/, state /*from*/, state /*to*/, instant /*now*/) {}
  /// The sender thinks otherwise of the path.
  virtual void on_phase(const four_tuple& /*ends*/, recovery_phase /*from*/, recovery_phase /*to*/, instant /*now*/) {}
  /// So many octets are taken for lost.
  virtual void on_loss(const four_tuple& /*ends*/, std::uint32_t /*octets*/, instant /*now*/) {}
  /// The congestion window is another, in octets.
  virtual void on_window(const four_tuple& /*ends*/, std::uint32_t /*cwnd*/, std::uint32_t /*ssthresh*/,
                         instant /*now*/) {}

 protected:
  ~observer() = default;
};

}  // namespace tunic::tcp
