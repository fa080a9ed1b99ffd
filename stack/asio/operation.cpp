#include "stack/asio/operation.hpp"

#include <cassert>

#include <asio/error.hpp>

#include "stack/asio/pump.hpp"

namespace tunic::detail {

operation::~operation() {
  if (link_) link_->operation_ = nullptr;
}

void operation::finish(std::error_code e) {
  error = e;
  done_ = true;
  if (list_) list_->remove(*this);
  if (link_) std::exchange(link_, nullptr)->operation_ = nullptr;
}

operation_list::operation_list(operation_list&& other) noexcept {
  while (!other.empty()) push_back(other.pop_front());
}

operation_list::~operation_list() {
  while (head_) pop_front().destroy();
}

void operation_list::push_back(operation& o) {
  assert(!o.list_);
  o.list_ = this;
  o.previous_ = tail_;
  o.next_ = nullptr;
  (tail_ ? tail_->next_ : head_) = &o;
  tail_ = &o;
}

void operation_list::remove(operation& o) {
  assert(o.list_ == this);
  (o.previous_ ? o.previous_->next_ : head_) = o.next_;
  (o.next_ ? o.next_->previous_ : tail_) = o.previous_;
  o.list_ = nullptr;
}

operation& operation_list::pop_front() {
  operation& o = *head_;
  remove(o);
  return o;
}

cancellation_link::cancellation_link(operation& o, pump& host) : operation_(&o), pump_(host) {
  o.link_ = this;
}

cancellation_link::~cancellation_link() {
  if (operation_) operation_->link_ = nullptr;
}

void cancellation_link::operator()(asio::cancellation_type_t type) {
  if (operation_ && type != asio::cancellation_type::none) pump_.complete(*operation_, asio::error::operation_aborted);
}

}  // namespace tunic::detail
