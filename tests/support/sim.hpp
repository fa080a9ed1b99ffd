#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "stack/stack.hpp"

namespace tunic::test {

/// A path between two stacks, the same both ways. Probabilities are 0 to 1.
struct sim_path {
  std::uint64_t seed = 1;
  std::uint64_t rate = 100'000'000;  ///< bit/s
  duration delay = std::chrono::milliseconds{10};
  duration jitter{};  ///< at most so much more, drawn for each frame: it reorders
  double loss = 0;
  double duplicate = 0;
  double corrupt = 0;       ///< one bit of the datagram is flipped
  std::size_t queue = 256;  ///< frames that wait for the bottleneck; one more is lost
};

/// What one side sends and how its user behaves.
struct sim_side {
  std::uint64_t octets = 64 * 1024;  ///< sent, then CLOSE
  std::uint32_t receive_buffer = 256 * 1024;
  duration read_pause{};              ///< the user sleeps so long after each read: windows shut
  std::size_t read_size = 64 * 1024;  ///< octets a read takes at most
};

/// Two stacks on a simulated path, one connection, virtual time, one seed. After every step: what was received is a
/// prefix of what was sent. run() returns nothing, or says what went wrong.
class sim {
 public:
  /// `trace`, where given, collects a line a segment: a failing seed runs again with it.
  sim(const sim_path& path, const sim_side& client, const sim_side& server, std::vector<std::string>* trace = nullptr);
  ~sim();

  /// Runs until both ends are CLOSED and gone, or `limit` of virtual time has passed.
  [[nodiscard]] std::string run(duration limit);

  [[nodiscard]] duration elapsed() const { return now_ - start_; }
  [[nodiscard]] std::uint64_t retransmits() const;

 private:
  struct host;
  struct arrival {
    host* to;
    std::vector<std::byte> octets;
  };

  void transmit(host& from);
  void put_on_wire(host& to, const frame& f);
  [[nodiscard]] std::uint64_t draw();
  [[nodiscard]] bool chance(double p);

  sim_path path_;
  std::uint64_t random_;
  instant start_;
  instant now_;
  std::unique_ptr<host> client_;
  std::unique_ptr<host> server_;
  std::multimap<instant, arrival> wire_;
  std::vector<std::string>* trace_;
};

}  // namespace tunic::test
