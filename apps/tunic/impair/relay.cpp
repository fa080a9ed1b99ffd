#include "apps/tunic/impair/relay.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <system_error>

#include "stack/buffer/flatten.hpp"

namespace tunic::app {
namespace {

constexpr std::uint64_t batch = 64;  // datagrams between two looks at the clock

// Under load a turn each 200 us does the work of several: waking up costs more than a datagram. But a few turns in a
// row are free, so that a lonely datagram, such as a ping, and its answer wait for nothing.
constexpr duration turn = std::chrono::microseconds{200};
constexpr int free_turns = 8;

instant read_clock() {
  return instant{std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

// A delay is worth something only where it ends on time, on a busy machine as well: the relay takes little of a
// processor, but at once. Where that is not permitted, it goes on as an ordinary process whose waits are exact at
// least.
void keep_time() {
  const sched_param lowest{::sched_get_priority_min(SCHED_RR)};
  ::sched_setscheduler(0, SCHED_RR, &lowest);
  ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);  // and not up to 50 us late, the kernel's default
}

}  // namespace

bool relay_direction::take(instant now) {
  const std::uint64_t enough = path_.counters().came + batch;
  while (path_.counters().came < enough) {
    std::error_code error;
    const packet p = from_.receive(pool_, now, error);
    if (error) throw std::system_error{error, name_};
    if (!p) return false;
    cutter_.begin(p.octets.octets(), p.segment_size, p.checksum == checksum_state::partial);
    for (auto piece = cutter_.next(); !piece.empty(); piece = cutter_.next()) path_.push(piece, now);
  }
  return true;
}

void relay_direction::hand_on(instant now) {
  for (instant due = path_.next_deadline(); due <= now; due = path_.next_deadline()) {
    make_frame(frame_, path_.pop(now));
    if (to_.transmit(frame_, now)) ++refused_;
    late_ += now - due;
    most_late_ = std::max(most_late_, now - due);
  }
  frame_.clear();
}

duration relay_direction::mean_lateness() const {
  const auto passed = static_cast<duration::rep>(path_.counters().passed);
  return passed > 0 ? late_ / passed : duration{};
}

relay::relay(relay_direction& there, relay_direction& back, limits bounds)
    : there_(there), back_(back), bounds_(bounds) {
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGINT);
  ::sigaddset(&ends, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  signals_ = drivers::file_descriptor{::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (!signals_) throw std::system_error{errno, std::system_category(), "signalfd"};
  keep_time();
}

void relay::run() {
  const instant end = bounds_.time > duration{} ? read_clock() + bounds_.time : never;
  instant next_turn{};
  bool told_to_end = false;
  while (!told_to_end) {
    const instant now = read_clock();
    if (now >= end) return;
    bool more = false;
    const std::uint64_t before = moved();
    if (may_take())
      for (relay_direction* d : {&there_, &back_}) more |= d->take(now);
    for (relay_direction* d : {&there_, &back_}) d->hand_on(now);
    if (!may_take() && there_.path().under_way() + back_.path().under_way() == 0) return;

    next_turn = std::max(next_turn, now - free_turns * turn) + turn;
    if (more)
      told_to_end = wait(now, false);
    else if (moved() != before && next_turn > now)
      told_to_end = wait(next_turn, false);
    else
      told_to_end = wait(std::min({end, there_.path().next_deadline(), back_.path().next_deadline()}), may_take());
  }
}

std::uint64_t relay::moved() const {
  const auto of = [](const drivers::path_counters& c) { return c.came + c.passed; };
  return of(there_.path().counters()) + of(back_.path().counters());
}

bool relay::may_take() const {
  return bounds_.count == 0 || there_.path().counters().came + back_.path().counters().came < bounds_.count;
}

// One system call a turn, to the nanosecond: cheaper than an event loop for three descriptors.
bool relay::wait(instant until, bool for_datagrams) const {
  pollfd watched[] = {{signals_.get(), POLLIN, 0}, {there_.descriptor(), POLLIN, 0}, {back_.descriptor(), POLLIN, 0}};
  timespec left{};
  if (until != never) {
    const std::int64_t ns = std::max<std::int64_t>((until - read_clock()).count(), 0);
    left = {ns / 1'000'000'000, ns % 1'000'000'000};
  }
  ::ppoll(watched, for_datagrams ? std::size(watched) : 1, until == never ? nullptr : &left, nullptr);
  return watched[0].revents != 0;
}

}  // namespace tunic::app
