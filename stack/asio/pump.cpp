#include "stack/asio/pump.hpp"

#include <algorithm>

#include <asio/error.hpp>
#include <asio/post.hpp>

namespace tunic::detail {
namespace {

constexpr duration device_retry = std::chrono::seconds{1};     // a device that failed: often enough, and never a spin
constexpr duration full_retry = std::chrono::milliseconds{1};  // a full device that has no descriptor to wait for

std::chrono::steady_clock::time_point to_steady(instant t) {
  return std::chrono::steady_clock::time_point{t.time_since_epoch()};
}

}  // namespace

attachment::attachment(pump& host) : pump_(host), next_(host.attachments_) {
  if (next_) next_->previous_ = this;
  host.attachments_ = this;
}

attachment::~attachment() {
  if (pump_.closes_next_ == this) pump_.closes_next_ = next_;
  (previous_ ? previous_->next_ : pump_.attachments_) = next_;
  if (next_) next_->previous_ = previous_;
}

pump::pump(asio::io_context& io, device& d, const stack_config& c, const secret& key, tcp::observer* watcher,
           callbacks f, duration busy_poll)
    : executor_(io.get_executor()),
      device_(d),
      callbacks_(std::move(f)),
      busy_poll_(busy_poll),
      work_(executor_),
      descriptor_(io),
      timer_(io) {
  stack_.emplace(c, key, watcher);
  stack_->set_echo_user(this);
}

pump::~pump() {
  if (descriptor_.is_open()) descriptor_.release();  // the device's own
}

void pump::open() {
  if (device_.descriptor() >= 0) descriptor_.assign(device_.descriptor());
  device_.set_waker(this);
  schedule();
}

void pump::close() {
  if (closed_ || closing_) return;
  closing_ = true;
  now_ = read_clock();
  for (closes_next_ = attachments_; closes_next_;) {
    attachment& a = *closes_next_;
    closes_next_ = a.next_;
    a.on_close();
    while (!failed_ && !frame_held_ && transmit()) {  // now, for few resets may wait
    }
  }
  while (!draining_.empty()) complete(*draining_.front(), asio::error::operation_aborted);

  closed_ = true;
  device_.set_waker(nullptr);
  if (descriptor_.is_open()) descriptor_.release();
  timer_.cancel();
  // From here on the io_context owns what is to be delivered, and nothing is delivered where that is not run any more.
  if (!done_.empty())
    asio::post(executor_, [list = std::move(done_)]() mutable {
      while (!list.empty()) list.pop_front().deliver();
    });
  work_.reset();
}

void pump::complete(operation& o, std::error_code e) {
  o.finish(e);
  if (!closed_) {
    done_.push_back(o);
    wake();
    return;
  }
  operation_list one;
  one.push_back(o);
  asio::post(executor_, [list = std::move(one)]() mutable { list.pop_front().deliver(); });
}

void pump::drain(wait_operation& o) {
  if (closed_) return complete(o, asio::error::operation_aborted);
  draining_.push_back(o);
  wake();
}

void pump::on_echo_reply(const ip::echo_reply& r) {
  for (echo_user* u : echo_users_) u->on_echo_reply(r);
}

void pump::on_echo_error(const ip::icmp_error& e) {
  for (echo_user* u : echo_users_) u->on_echo_error(e);
}

void pump::wake() {
  if (pumping_)
    again_ = true;
  else
    schedule();
}

void pump::schedule() {
  if (scheduled_ || closed_ || closing_) return;
  scheduled_ = true;
  asio::post(executor_, kept_handler(handlers_, [self = shared_from_this()] {
               self->scheduled_ = false;
               self->pass();
             }));
}

instant pump::read_clock() const {
  if (callbacks_.clock) return callbacks_.clock();
  return instant{std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

void pump::pass() {
  if (closed_ || pumping_) return;  // pumping: a handler runs the io_context itself
  struct running {
    explicit running(pump& p) : it(p) { it.pumping_ = true; }
    ~running() {
      it.pumping_ = false;
      if (more) it.schedule();
    }
    pump& it;
    bool more = true;  // and after an exception of a handler's, too
  } run{*this};

  for (unsigned i = 0; (run.more || now_ < spin_until_) && i < rounds_a_pass && !closed_; ++i) run.more = round();
  if (closed_) {
    run.more = false;
    return;
  }
  arm_timer();
  if (run.more) return;
  check_drained();
  run.more = !done_.empty() || now_ < spin_until_;  // busy polling: the io_context's other handlers come in between
  if (!run.more) watch();
}

// What handlers say goes out first, then what has come is taken in. Returns whether another round has work.
bool pump::round() {
  now_ = read_clock();
  again_ = false;
  const bool undelivered = deliver();
  if (closed_) return false;
  if (stack_->next_deadline() <= now_) stack_->on_deadline(now_);
  const bool untransmitted = transmit();
  const bool received = receive();
  if (received) {
    ++batch_;
    spin_until_ = now_ + busy_poll_;
  }
  return undelivered || untransmitted || received || again_;
}

// Only what is done by now: a handler that keeps starting operations which are done at once must not hold up the
// packets.
bool pump::deliver() {
  const operation* last = done_.back();
  while (!done_.empty() && !closed_) {
    operation& o = done_.pop_front();
    const bool enough = &o == last;
    o.deliver();
    if (enough) break;
  }
  return !done_.empty();
}

// Returns whether the bound has ended it rather than the stack.
bool pump::transmit() {
  full_until_ = never;
  std::size_t octets = 0;
  for (unsigned n = 0; n < frames_a_round && octets < octets_sent_a_round; ++n) {
    if (!frame_held_ && !stack_->poll_transmit(frame_, now_)) return false;
    const std::error_code e = device_.transmit(frame_, now_);
    octets += frame_.size();
    frame_held_ = false;
    if (!e) {
      if (reported_ && !failed_) report({});
      continue;
    }
    if (e == std::errc::operation_would_block || e == std::errc::resource_unavailable_try_again) {
      frame_held_ = true;
      watch_writable();
      return false;
    }
    if (e == std::errc::bad_address)
      stack_->on_unreadable(frame_, now_);  // the user's fault, not the device's
    else
      report(e);  // the frame is lost, as it may be on any wire
  }
  return true;
}

bool pump::receive() {
  if (failed_ && now_ < retry_at_) return false;
  std::size_t octets = 0;
  for (unsigned n = 0; n < packets_a_round && octets < octets_a_round; ++n) {
    std::error_code e;
    packet p = device_.receive(stack_->pool(), now_, e);
    if (e) {
      fail(e);
      return n > 0;
    }
    if (failed_) recover();
    if (!p) return n > 0;
    octets += p.octets.size();
    stack_->on_packet(std::move(p), now_);
  }
  return true;
}

void pump::fail(std::error_code e) {
  failed_ = true;
  report(e);
  retry_at_ = std::clamp(device_.next_deadline(), now_ + device_retry / 20, now_ + device_retry);
  if (descriptor_.is_open()) descriptor_.release();
}

void pump::recover() {
  failed_ = false;
  retry_at_ = never;
  report({});
  std::error_code e;
  if (device_.descriptor() >= 0) descriptor_.assign(device_.descriptor(), e);
  if (e) fail(e);
}

void pump::report(std::error_code e) {
  if (e == reported_) return;
  reported_ = e;
  if (callbacks_.on_device) callbacks_.on_device(e);
}

void pump::watch() {
  if (watching_ || !descriptor_.is_open()) return;
  watching_ = true;
  descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                         kept_handler(handlers_, [self = shared_from_this()](std::error_code e) {
                           self->watching_ = false;
                           if (!e) return self->pass();
                           if (e == asio::error::operation_aborted || self->closed_) return;
                           self->fail(e);
                           self->wake();
                         }));
}

void pump::watch_writable() {
  if (watching_writable_) return;
  if (!descriptor_.is_open()) {
    full_until_ = now_ + full_retry;
    return;
  }
  watching_writable_ = true;
  descriptor_.async_wait(asio::posix::descriptor_base::wait_write,
                         kept_handler(handlers_, [self = shared_from_this()](std::error_code) {
                           self->watching_writable_ = false;
                           self->wake();
                         }));
}

instant pump::next_deadline() {
  const instant of_device = failed_ ? never : device_.next_deadline();
  return std::min({stack_->next_deadline(), of_device, retry_at_, full_until_});
}

void pump::arm_timer() {
  if (callbacks_.clock) return;  // whoever moves that clock wakes the host
  const instant next = next_deadline();
  if (next >= armed_) return;
  armed_ = next;
  timer_.expires_at(to_steady(next));
  timer_.async_wait(kept_handler(handlers_, [self = shared_from_this()](std::error_code e) {
    if (e) return;
    self->armed_ = never;
    self->pass();
  }));
}

void pump::check_drained() {
  if (draining_.empty() || frame_held_) return;
  if (stack_->tcp().connections() > stack_->tcp().in_time_wait()) return;
  while (!draining_.empty()) complete(*draining_.front());
}

}  // namespace tunic::detail
