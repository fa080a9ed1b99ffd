#pragma once

#include <array>
#include <cstdint>
#include <ostream>
#include <string>

#include "tests/sim/network.hpp"

namespace tunic::sim {

/// One side of a scenario.
struct side {
  host_options host;
  habits user;
  std::uint32_t receive_buffer = 0;  ///< octets; 0: it grows with use
  std::uint32_t send_buffer = 0;
  bool no_delay = false;
  std::uint32_t iss_before_wrap = 0;  ///< the initial sequence number is about so far before 2^32; 0: anywhere
};

/// Two stacks and one connection on a path: everything that a seed decides.
struct scenario {
  std::uint64_t seed = 1;
  network_options path;
  side client;
  side server;
  bool simultaneous = false;  ///< both open actively
  bool steady = false;        ///< both users write and read whatever they can: goodput tells of the path
};

/// A path and two users after a seed's chance: rates of 1 to 1,000 Mbit/s, delays of up to 300 ms, up to 10 % of loss,
/// evenly or in bursts, reordering, duplicates, corruption, now and then a path-MTU black hole; 64 KiB to 16 MiB each
/// way, 1 MiB at the median; options, buffers and manners of every kind.
scenario random_scenario(std::uint64_t seed);

/// What one direction of a transfer came to.
struct flow {
  std::uint64_t octets = 0;
  duration time{};         ///< from OPEN until the last octet was read
  std::uint64_t rate = 0;  ///< of the path that carried it, bit/s
  duration rtt{};          ///< without queues
  double loss = 0;         ///< share of its datagrams that did not arrive, for whatever reason but a full queue
  tcp::congestion_algorithm algorithm = tcp::congestion_algorithm::cubic;
  std::uint64_t retransmits = 0;  ///< segments
  std::uint64_t timeouts = 0;

  [[nodiscard]] double goodput() const {  ///< bit/s
    return static_cast<double>(octets) * 8e9 / static_cast<double>(time.count());
  }
  /// The time that it takes where nothing is lost: slow start from ten segments until the rate is reached.
  [[nodiscard]] duration ideal() const;
};

struct outcome {
  std::string fault;  ///< empty where all went well
  duration time{};    ///< until both were CLOSED
  duration longest_silence{};
  duration patience{};
  std::array<flow, 2> flows;  ///< from the client, from the server
};

outcome run(const scenario& s, std::ostream* transcript = nullptr);

/// A few lines that say what the scenario is like.
void describe(const scenario& s, std::ostream& out);

}  // namespace tunic::sim
