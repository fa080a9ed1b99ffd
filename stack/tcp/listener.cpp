#include "stack/tcp/listener.hpp"

#include "stack/tcp/tcb.hpp"

namespace tunic::tcp {

void tcb_queue::push_back(tcb& t) {
  t.queue_previous = tail_;
  t.queue_next = nullptr;
  (tail_ ? tail_->queue_next : head_) = &t;
  tail_ = &t;
  ++size_;
}

void tcb_queue::remove(tcb& t) {
  (t.queue_previous ? t.queue_previous->queue_next : head_) = t.queue_next;
  (t.queue_next ? t.queue_next->queue_previous : tail_) = t.queue_previous;
  t.queue_next = t.queue_previous = nullptr;
  --size_;
}

bool listener::matches(const endpoint& local) const {
  if (options.local.port != local.port) return false;
  const address& own = options.local.address;
  if (!own.is_unspecified()) return own == local.address;
  return own.is_v4() == local.address.is_v4() || (!own.is_v4() && !options.v6_only);
}

}  // namespace tunic::tcp
