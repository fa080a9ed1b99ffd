#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "drivers/cutter.hpp"
#include "drivers/path.hpp"
#include "stack/stack.hpp"
#include "tests/sim/user.hpp"
#include "tests/sim/watch.hpp"

namespace tunic::sim {

/// What a host is like.
struct host_options {
  std::string name = "client";
  address own;
  stack_config stack = {};  ///< the address is filled in
  std::uint64_t seed = 1;   ///< of its secret
  duration ahead{};         ///< how far its clock is ahead of the network's
};

/// A stack at one end of a path, with its users. Every moment it is told is the network's.
class host final : tcp::observer, tcp::listener_user {
 public:
  host(const host_options& o, std::ostream* transcript);
  /// The secret that a seed gives a host.
  static secret secret_of(std::uint64_t seed);

  /// Begins an active OPEN.
  user& opens(const habits& h, const tcp::open_options& o, std::uint64_t own, std::uint64_t peer,
              std::uint64_t expected, instant now);
  /// A user that takes the first connection that comes to the port.
  user& listens(const habits& h, const tcp::listen_options& o, std::uint64_t own, std::uint64_t peer,
                std::uint64_t expected);

  void on_datagram(wire::octets datagram, instant now);
  void on_deadline(instant now);
  /// Users do what they have a mind to, and what there is to send goes to the path.
  void act(drivers::path& out, instant now);
  [[nodiscard]] instant next_deadline();

  [[nodiscard]] const address& own() const { return options_.own; }
  [[nodiscard]] const std::string& name() const { return options_.name; }
  [[nodiscard]] const tunic::stack& stack() const { return stack_; }
  /// What is wrong with its users, its connections or its memory; empty where nothing is.
  [[nodiscard]] std::string fault();
  /// Some user has not come as far as TIME-WAIT or CLOSED yet.
  [[nodiscard]] bool busy() const;
  /// All users are done and no connection is left.
  [[nodiscard]] bool finished();
  /// What should be gone then and is not.
  [[nodiscard]] std::string leak();
  /// Grows with everything that goes on.
  [[nodiscard]] std::uint64_t progress() const;
  /// Until when some user makes a pause; the epoch where none does.
  [[nodiscard]] instant pause(instant now) const;
  [[nodiscard]] std::string describe() const;

 private:
  struct party {
    tcp::listener* listener = nullptr;
    four_tuple ends = {};  // once they are known
    sim::user user;
    sim::watch watch = {};
    bool took = false;  // its listener's connection
    seq iss = {}, irs = {};
  };

  void on_acceptable() override { acceptable_ = true; }
  void on_segment(bool sent, const four_tuple& ends, const wire::tcp_header& h, std::uint32_t text,
                  instant now) override;
  void on_state(const four_tuple& ends, tcp::state from, tcp::state to, instant now) override;
  void on_phase(const four_tuple& ends, tcp::recovery_phase from, tcp::recovery_phase to, instant now) override;
  void on_loss(const four_tuple& ends, std::uint32_t octets, instant now) override;
  void on_window(const four_tuple& ends, std::uint32_t cwnd, std::uint32_t ssthresh, instant now) override;
  std::ostream& line(const four_tuple& ends, instant now);
  void accept();
  party* find(const four_tuple& ends);
  [[nodiscard]] instant here(instant t) const { return t + options_.ahead; }

  host_options options_;
  std::ostream* transcript_;
  tunic::stack stack_;
  drivers::cutter cutter_;
  frame frame_;
  std::vector<std::byte> scratch_;
  std::vector<std::unique_ptr<party>> parties_;
  bool acceptable_ = false;
  std::uint64_t states_ = 0;  // changes of state so far
  instant began_{};
};

}  // namespace tunic::sim
