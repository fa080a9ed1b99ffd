#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/script.hpp"

// The calls of the user.

namespace tunic::test {

void script::user_opens() {
  step("user opens");
  tcp::open_options o;
  o.remote = peer_;
  o.local_port = us_.port;
  o.no_delay = options_.no_delay;
  o.fast_open = options_.fast_open;
  const auto opened = stack_->tcp().open(o, *holder_, now_);
  ASSERT_TRUE(opened) << opened.error().message();
  tcb_ = *opened;
  written_ = read_ = 0;
}

void script::user_opens_with(std::size_t octets) {
  user_opens();
  note("user sends " + std::to_string(octets));
  put(octets);
}

void script::user_listens() {
  step("user listens");
  tcp::listen_options o;
  o.local = {address::any(us_.address.family()), us_.port};
  o.backlog = options_.backlog;
  o.no_delay = options_.no_delay;
  o.mss = options_.mss;
  o.fast_open = options_.fast_open;
  o.fast_open_limit = options_.fast_open_limit;
  const auto l = stack_->tcp().listen(o, *owner_);
  ASSERT_TRUE(l) << l.error().message();
  listener_ = *l;
}

void script::user_accepts() {
  step("user accepts");
  tcb_ = stack_->tcp().accept(*listener_, *holder_);
  if (!tcb_) fail("nothing to accept");
  ASSERT_NE(tcb_, nullptr);
}

std::size_t script::user_sends(std::size_t octets, tcp::ending e) {
  step("user sends " + std::to_string(octets));
  return put(octets, e);
}

std::size_t script::put(std::size_t octets, tcp::ending e) {
  std::vector<std::byte> text(octets);
  for (std::size_t i = 0; i < octets; ++i) text[i] = pattern(written_ + i, true);
  const std::size_t n = stack_->tcp().send(*tcb_, text, e);
  written_ += n;
  return n;
}

void script::user_receives(std::size_t octets) {
  step("user receives " + std::to_string(octets));
  std::vector<std::byte> text(octets);
  const std::size_t n = stack_->tcp().receive(*tcb_, text);
  if (n != octets) return fail("only " + std::to_string(n) + " octets are there");
  for (std::size_t i = 0; i < n; ++i)
    if (text[i] != pattern(read_ + i, false)) return fail("octet " + std::to_string(read_ + i) + " received is wrong");
  read_ += n;
}

void script::user_closes() {
  step("user closes");
  stack_->tcp().close(*tcb_, now_);
}

void script::user_sends_and_closes(std::size_t octets) {
  user_sends(octets);
  stack_->tcp().close(*tcb_, now_);
}

void script::user_aborts() {
  step("user aborts");
  stack_->tcp().abort(*tcb_, now_);
}

void script::user_releases(std::optional<duration> linger) {
  step("user releases");
  stack_->tcp().release(*std::exchange(tcb_, nullptr), now_, linger);
}

void script::user_shuts_receive() {
  step("user shuts the receiving side");
  stack_->tcp().shut_receive(*tcb_);
}

void script::user_stops_listening() {
  step("user stops listening");
  stack_->tcp().close(*std::exchange(listener_, nullptr), now_);
}

void script::user_answers_syns(tcp::verdict v) {
  owner_->answer = v;
}

}  // namespace tunic::test
