#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stack/stack.hpp"

namespace tunic::test {

using namespace std::chrono_literals;

/// Two stacks in virtual time, a client at 198.51.100.1 and a server at 198.51.100.2, and what passes between them as a
/// transcript to be compared: "     2 ms  client  . 1:1(0) ack 1". Numbers count from each side's SYN; connections
/// after the first are named by their number: "client 2". A segment takes 1 ms and none is lost.
class two_stacks {
 public:
  static constexpr std::uint16_t port = 80;

  explicit two_stacks(const tcp::config& client = {}, const tcp::config& server = {});
  ~two_stacks();

  /// A side of a connection with its user. What it is told goes into the transcript where that is an end.
  class user final : public tcp::user {
   public:
    user(two_stacks& all, std::size_t side) : all_(&all), side_(side) {}
    std::size_t sends(std::string_view text);
    std::string receives();
    void closes();
    void releases(std::optional<duration> linger = std::nullopt);
    void keeps_alive(const tcp::liveness& l);
    [[nodiscard]] tcp::status status() const;
    [[nodiscard]] tcp::state state() const { return status().state; }
    [[nodiscard]] bool at_end() const { return tcp::layer::at_end(*tcb_); }
    [[nodiscard]] std::error_code error() const { return tcp::layer::error(*tcb_); }

   private:
    friend class two_stacks;
    void on_events(tcp::events e) override;
    two_stacks* all_;
    std::size_t side_;
    tcp::tcb* tcb_ = nullptr;
  };

  void server_listens(std::size_t backlog = 1024);
  void server_stops_listening();
  user& client_opens(std::uint16_t local_port = 0);  ///< throws std::system_error
  user& server_accepts();

  /// Runs so long.
  void passes(duration d);
  /// A line of its own.
  void notes(std::string_view text);
  /// What was said since the last call.
  [[nodiscard]] std::string said() { return std::exchange(transcript_, {}); }
  /// A datagram of somebody else's comes to the server; what is answered goes nowhere.
  void server_gets(std::vector<std::byte> datagram);

  [[nodiscard]] stack& client();
  [[nodiscard]] stack& server();
  [[nodiscard]] instant now() const { return now_; }
  [[nodiscard]] bool acceptable() const;
  /// Datagrams to nobody here.
  [[nodiscard]] std::uint64_t stray() const { return stray_; }

 private:
  struct side;
  void transmit(std::size_t from);
  void arrive();
  void say(std::size_t of, const four_tuple& ends, std::string_view what);

  instant start_{1h};
  instant now_ = start_;
  std::array<std::unique_ptr<side>, 2> sides_;
  std::vector<std::unique_ptr<user>> users_;
  std::multimap<instant, std::pair<std::size_t, std::vector<std::byte>>> wire_;
  struct numbers {
    std::size_t connection = 0;  // the first is 1
    std::array<seq, 2> first{};  // the client's, the server's
  };
  std::map<std::uint16_t, numbers> connections_;  // by the client's port
  std::size_t opened_ = 0;
  std::string transcript_;
  std::uint64_t stray_ = 0;
};

/// An IPv4 datagram with the segment.
std::vector<std::byte> datagram_of(const endpoint& from, const endpoint& to, wire::tcp_header h);

}  // namespace tunic::test
