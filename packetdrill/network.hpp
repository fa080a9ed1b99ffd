#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "packetdrill/clock.hpp"
#include "packetdrill/flags.hpp"
#include "packetdrill/sysctls.hpp"
#include "stack/stack.hpp"

namespace tunic::packetdrill {

/// A datagram that the stack has emitted.
struct emitted {
  std::vector<std::byte> octets;
  instant at{};
};

/// The stack under test with its device: datagrams go in one by one, what it emits waits in a queue.
class network : public timed {
 public:
  network(const flags& f, clock& c);

  [[nodiscard]] instant next_deadline() override { return stack_.next_deadline(); }
  void on_deadline(instant now) override;

  void on_datagram(std::span<const std::byte> octets);
  [[nodiscard]] bool has_emitted() const { return !queue_.empty(); }
  emitted take();

  /// Reads the settings of the namespace anew, for connections to come.
  void configure();
  /// Takes out of the stack what it has to say: to be called after every user call.
  void pump();

  [[nodiscard]] tcp::layer& tcp() { return stack_.tcp(); }
  [[nodiscard]] instant now() const { return clock_.now(); }
  [[nodiscard]] const packetdrill::sysctls& sysctls() const { return sysctls_; }

 private:
  static stack_config config_of(const flags& f);
  void emit(const frame& f);

  clock& clock_;
  packetdrill::sysctls sysctls_;
  stack stack_;
  std::unique_ptr<frame> frame_ = std::make_unique<frame>();
  std::deque<emitted> queue_;
};

}  // namespace tunic::packetdrill
