#include "http/server/connection.hpp"

#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>

namespace tunic::http {
namespace {

constexpr std::size_t linger_limit = 1024 * 1024;  // octets that are dropped while the peer comes to its end

}  // namespace

connection::connection(std::shared_ptr<service> shared, std::unique_ptr<transport> stream)
    : service_(std::move(shared)), stream_(std::move(stream)), client_(stream_->peer()) {
  sending_.reset(service_->options().send_timeout);
  entry_ = service_->enter(*this, client_.address());
}

connection::~connection() {
  if (me_) *me_ = nullptr;
  fall_silent();
  service_->leave(entry_, client_.address());
}

void connection::stop() {
  if (wait_.what() == waiting::phase::idle) stream_->cancel();
}

void connection::close() {
  stream_->close();
  if (talk_) talk_->break_off(asio::error::operation_aborted);
}

void connection::expire(waiting::clock::time_point now) {
  if (talk_) talk_->forget_unused();
  if (wait_.expires(now)) stream_->cancel();
}

void connection::watch_client() {
  if (watched_) return;
  if (!me_) me_ = std::make_shared<connection*>(this);
  watched_ = stream_->watch([me = me_](std::error_code error) {
    connection* const self = *me;
    if (self == nullptr) return;
    self->watched_ = false;
    if (error == asio::error::operation_aborted) return;
    if (self->talk_) self->talk_->break_off(asio::error::connection_reset);
  });
}

conversation& connection::talk() {
  if (!talk_) talk_ = service_->begin_conversation(*this);
  return *talk_;
}

void connection::fall_silent() {
  if (talk_) service_->end_conversation(std::move(talk_));
}

void connection::begin(owned self) {
  const auto executor = self->stream_->get_executor();
  asio::dispatch(executor, [self = std::move(self)]() mutable {
    go_on(std::move(self), [](connection& c) {
      if (!c.service_->is_crowded(c.client_.address())) return c.talk().proceed();
      return c.talk().end_with({status_code::service_unavailable, "too many connections from one address"});
    });
  });
}

void connection::on_readable(std::unique_ptr<input_waiter> waiter) {
  owned self(static_cast<connection*>(waiter.release()));
  if (wait_.what() == waiting::phase::lingering) return drop_input(std::move(self));
  go_on(std::move(self), [](connection& c) { return c.resume(); });
}

// After a wait for input.
connection::need connection::resume() {
  const bool in_head = wait_.what() == waiting::phase::head;
  if (wait_.what() == waiting::phase::content) wait_.end();
  if (!wait_.timed_out()) return talk().proceed();
  if (!in_head) return need::nothing;
  return talk().end_with({status_code::request_timeout, "the request did not arrive in time"});
}

// What `work` throws ends the connection, as if a coroutine had thrown it that nobody awaits.
template <class Work>
void connection::go_on(owned self, Work work) {
  need next = need::nothing;
  try {
    next = work(*self);
  } catch (...) {  // NOLINT(bugprone-empty-catch)
  }
  follow(std::move(self), next);
}

void connection::follow(owned self, need next) {
  switch (next) {
    case need::input: return wait_for_input(std::move(self));
    case need::turn: {
      const auto executor = self->stream_->get_executor();
      return asio::post(executor, [self = std::move(self)]() mutable {
        go_on(std::move(self), [](connection& c) { return c.talk().proceed(); });
      });
    }
    case need::coroutine: {
      const auto executor = self->stream_->get_executor();
      return asio::co_spawn(executor, await(std::move(self)), asio::detached);
    }
    case need::linger: return linger(std::move(self));
    case need::nothing: return self->stream_->close();
  }
}

asio::awaitable<void> connection::await(owned self) {
  need next = need::coroutine;
  while (next == need::coroutine) next = co_await self->talk_->work();
  follow(std::move(self), next);
}

void connection::wait_for_input(owned self) {
  connection& c = *self;
  const auto& options = c.service_->options();
  if (c.talk_->between_requests()) {
    if (c.service_->stopping()) return c.stream_->close();
    c.wait_.begin(waiting::phase::idle, options.idle_timeout);
    if (c.talk_->is_at_rest()) c.fall_silent();
  } else if (c.talk_->in_head()) {
    // One deadline for the whole of it.
    if (c.wait_.what() != waiting::phase::head) c.wait_.begin(waiting::phase::head, options.head_timeout);
  } else {
    c.wait_.begin(waiting::phase::content, c.talk_->content_patience());
  }
  c.stream_->wait_readable(std::move(self));
}

// RFC 9112 §9.6: closing with octets unread resets the connection and may cost the peer our last response. So our side
// is closed first, and what still comes is dropped until the peer closes, within bounds.
void connection::linger(owned self) {
  connection& c = *self;
  c.fall_silent();
  c.stream_->shutdown_send();
  c.wait_.begin(waiting::phase::lingering, c.service_->options().linger_timeout);
  drop_input(std::move(self));
}

void connection::drop_input(owned self) {
  connection& c = *self;
  while (c.dropped_ < linger_limit && !c.wait_.timed_out()) {
    std::error_code error;
    const auto input = c.stream_->borrow(error);
    if (would_block(error)) return c.stream_->wait_readable(std::move(self));
    if (error) break;
    c.dropped_ += input.size();
    c.stream_->consume(input.size());
  }
  c.stream_->close();
}

}  // namespace tunic::http
