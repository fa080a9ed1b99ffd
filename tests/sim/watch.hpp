#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "stack/tcp/tcb.hpp"

namespace tunic::sim {

/// What must hold of a connection after every step, whatever befell it.
class watch {
 public:
  /// A segment of the connection leaves.
  void on_sent(const wire::tcp_header& h, const tcp::tcb* t);
  /// What does not hold; empty where all does.
  std::string check(const tcp::tcb& t);

 private:
  [[nodiscard]] static std::string check_sender(const tcp::tcb& t);
  [[nodiscard]] static std::string check_receiver(const tcp::tcb& t);
  [[nodiscard]] std::string check_board(const tcp::tcb& t);
  [[nodiscard]] std::string check_progress(const tcp::tcb& t);

  std::optional<seq> offered_;  // the right edge of the window as it left on the wire
  std::uint8_t shift_ = 0;
  bool shrunk_ = false;
  bool began_ = false;
  seq una_, nxt_, rcv_nxt_, edge_;
  std::size_t since_count_ = 0;  // checks since the scoreboard was counted anew
};

}  // namespace tunic::sim
