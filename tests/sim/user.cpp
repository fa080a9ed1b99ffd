#include "tests/sim/user.hpp"

#include <algorithm>
#include <cstring>

#include "stack/buffer/shared_octets.hpp"

namespace tunic::sim {

user::user(tunic::stack& s, const habits& h, std::uint64_t own, std::uint64_t peer, std::uint64_t expected)
    : stack_(s),
      habits_(h),
      own_(own),
      peer_(peer),
      expected_(expected),
      next_write_pause_(h.octets / (h.write_pauses + 1)),
      next_read_pause_(expected / (h.read_pauses + 1)),
      room_(h.read_size) {}

void user::on_events(tcp::events e) {
  if (e.closed) {
    over_ = true;
    const std::error_code why = tcp::layer::error(*tcb_);
    if (why) fault_ = "the connection failed: " + why.message();
  }
  due_ = true;
}

void user::act(instant now) {
  due_ = false;
  if (!tcb_ || gone_) return;
  if (write_again_ <= now) write_again_ = never;
  if (read_again_ <= now) read_again_ = never;
  if (!over_ && write_again_ == never) write(now);
  if (read_again_ == never) read(now);
  close_if_done(now);
  const bool ended = tcp::layer::at_end(*tcb_);
  const bool waits = tcb_->state == tcp::state::time_wait;
  const bool nothing_left = over_ && stack_.tcp().available(*tcb_) == 0;
  if (nothing_left || (ended && closed_ && (waits || habits_.lets_go))) let_go(now);
}

void user::write(instant now) {
  while (written_ < habits_.octets) {
    std::uint64_t n = std::min<std::uint64_t>(habits_.write_size, habits_.octets - written_);
    if (habits_.write_pauses > 0) n = std::min(n, next_write_pause_ - written_);
    const auto text = own_.at(written_, n);
    const std::size_t taken =
        habits_.shares ? stack_.tcp().send(*tcb_, adopt(octets::table(), text)) : stack_.tcp().send(*tcb_, text);
    written_ += taken;
    if (habits_.write_pauses > 0 && written_ == next_write_pause_) {
      next_write_pause_ = std::min(habits_.octets, written_ + habits_.octets / (habits_.write_pauses + 1));
      if (written_ < habits_.octets) write_again_ = now + habits_.write_pause;
      return;
    }
    if (taken < n) return;
  }
}

void user::read(instant now) {
  for (;;) {
    std::uint64_t most = habits_.read_size;
    if (habits_.read_pauses > 0) most = std::min(most, std::max<std::uint64_t>(next_read_pause_, read_ + 1) - read_);
    const std::size_t n = read_some(most);
    if (n == 0) return;
    if (read_ == expected_ && finished_at_ == never) finished_at_ = now;
    if (habits_.read_pauses > 0 && read_ == next_read_pause_ && read_ < expected_) {
      next_read_pause_ += expected_ / (habits_.read_pauses + 1);
      read_again_ = now + habits_.read_pause;
      return;
    }
  }
}

std::size_t user::read_some(std::size_t most) {
  if (habits_.shares) {
    const auto text = stack_.tcp().peek(*tcb_);
    const std::size_t n = std::min({text.size(), most, octets::most});
    check(text.first(n));
    stack_.tcp().consume(*tcb_, n);
    return n;
  }
  const std::size_t n = stack_.tcp().receive(*tcb_, std::span{room_}.first(most));
  check(std::span{room_}.first(n));
  return n;
}

void user::check(std::span<const std::byte> text) {
  if (text.empty()) return;
  if (read_ + text.size() > expected_) {
    fault_ = "more was received than is sent";
  } else if (std::memcmp(text.data(), peer_.at(read_, text.size()).data(), text.size()) != 0) {
    fault_ = "a wrong octet behind " + std::to_string(read_);
  }
  read_ += text.size();
}

void user::close_if_done(instant now) {
  if (closed_ || over_ || written_ < habits_.octets || !tcb_->synchronised()) return;
  if (habits_.closes_last && !tcp::layer::at_end(*tcb_)) return;
  closed_ = true;
  stack_.tcp().close(*tcb_, now);
}

void user::let_go(instant now) {
  status_ = stack_.tcp().status(*tcb_, now);
  if (read_ != expected_ && fault_.empty()) fault_ = "the stream ended early";
  stack_.tcp().release(*tcb_, now);
  tcb_ = nullptr;
  gone_ = true;
  write_again_ = read_again_ = never;
}

}  // namespace tunic::sim
