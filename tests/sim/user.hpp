#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stack/stack.hpp"
#include "tests/sim/octets.hpp"

namespace tunic::sim {

/// How a user behaves. Pauses are spread evenly over the octets.
struct habits {
  std::uint64_t octets = 1u << 20;     ///< sent, then CLOSE
  bool closes_last = false;            ///< CLOSE only once the peer's text has ended
  bool lets_go = false;                ///< of the connection, as soon as it has closed it and the peer's text has ended
  bool shares = false;                 ///< sends slices and reads in place: nothing is copied
  std::size_t write_size = 64 * 1024;  ///< octets a SEND at most
  std::size_t read_size = 64 * 1024;   ///< octets a RECEIVE at most
  unsigned write_pauses = 0;
  duration write_pause{};
  unsigned read_pauses = 0;
  duration read_pause{};  ///< so long that the window shuts, where the path is fast enough
};

/// A user of one connection: writes its stream, reads and checks the peer's, and closes.
class user final : public tcp::user {
 public:
  /// The peer will send `expected` octets of the stream number `peer`.
  user(tunic::stack& s, const habits& h, std::uint64_t own, std::uint64_t peer, std::uint64_t expected);

  void hold(tcp::tcb& t) { tcb_ = &t; }
  void on_events(tcp::events e) override;
  /// Does what it has a mind to.
  void act(instant now);

  [[nodiscard]] bool due(instant now) const { return due_ || wakes_at() <= now; }
  /// When a pause ends; `never` where none is being made.
  [[nodiscard]] instant wakes_at() const { return std::min(read_again_, write_again_); }

  /// Null before the connection is there, and once it was let go.
  [[nodiscard]] const tcp::tcb* connection() const { return tcb_; }
  [[nodiscard]] bool gone() const { return gone_; }  ///< the connection was let go
  [[nodiscard]] std::uint64_t written() const { return written_; }
  [[nodiscard]] std::uint64_t read() const { return read_; }
  [[nodiscard]] std::uint64_t expected() const { return expected_; }
  /// When everything had been read; `never` before.
  [[nodiscard]] instant finished_at() const { return finished_at_; }
  [[nodiscard]] const tcp::status& last_status() const { return status_; }  ///< as the connection was let go
  /// What is wrong; empty where nothing is.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  void write(instant now);
  void read(instant now);
  std::size_t read_some(std::size_t most);
  void check(std::span<const std::byte> text);
  void close_if_done(instant now);
  void let_go(instant now);

  tunic::stack& stack_;
  habits habits_;
  octets own_;
  octets peer_;
  std::uint64_t expected_;
  tcp::tcb* tcb_ = nullptr;
  std::uint64_t written_ = 0;
  std::uint64_t read_ = 0;
  std::uint64_t next_write_pause_;
  std::uint64_t next_read_pause_;
  instant write_again_ = never;
  instant read_again_ = never;
  instant finished_at_ = never;
  bool due_ = true;
  bool closed_ = false;  // it has called CLOSE
  bool over_ = false;    // the connection is CLOSED
  bool gone_ = false;
  tcp::status status_;
  std::string fault_;
  std::vector<std::byte> room_;
};

}  // namespace tunic::sim
