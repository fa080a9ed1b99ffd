#include "http/core/state.hpp"

namespace tunic::http {
namespace {

struct transition {
  role who;
  state from;
  happening what;
  state to;
};

// What each side does by itself. A pair that is not here is an error of that side. The one effect across: a client's
// request also puts the server from idle to send_response; a server that answers from idle answers no request (408).
constexpr transition by_happening[] = {
    {role::client, state::idle, happening::request, state::send_body},
    {role::client, state::idle, happening::connection_closed, state::closed},
    {role::client, state::send_body, happening::data, state::send_body},
    {role::client, state::send_body, happening::end_of_message, state::done},
    {role::client, state::done, happening::connection_closed, state::closed},
    {role::client, state::must_close, happening::connection_closed, state::closed},
    {role::client, state::closed, happening::connection_closed, state::closed},

    {role::server, state::idle, happening::request, state::send_response},
    {role::server, state::idle, happening::response, state::send_body},
    {role::server, state::idle, happening::connection_closed, state::closed},
    {role::server, state::send_response, happening::informational, state::send_response},
    {role::server, state::send_response, happening::response, state::send_body},
    {role::server, state::send_body, happening::data, state::send_body},
    {role::server, state::send_body, happening::end_of_message, state::done},
    {role::server, state::done, happening::connection_closed, state::closed},
    {role::server, state::must_close, happening::connection_closed, state::closed},
    {role::server, state::closed, happening::connection_closed, state::closed},
};

constexpr auto roles = 2U, from_states = 7U, happenings = 6U;
using table = std::array<state, roles * from_states * happenings>;

constexpr std::size_t index(role who, state from, happening what) {
  return (static_cast<std::size_t>(who) * from_states + static_cast<std::size_t>(from)) * happenings +
         static_cast<std::size_t>(what);
}

constexpr table lookup = [] {
  table all{};
  all.fill(state::error);
  for (const auto& t : by_happening) all[index(t.who, t.from, t.what)] = t.to;
  return all;
}();

}  // namespace

bool states::on(role who, happening what) {
  at(who) = lookup[index(who, at(who), what)];
  const bool allowed = at(who) != state::error;
  if (allowed && who == role::client && what == happening::request)
    at(role::server) = lookup[index(role::server, at(role::server), what)];
  settle();
  return allowed;
}

void states::disable_keep_alive() {
  keep_alive_ = false;
  settle();
}

bool states::next_cycle() {
  if (of(role::client) != state::done || of(role::server) != state::done) return false;
  at_ = {state::idle, state::idle};
  return true;
}

// What follows from the two states together: RFC 9112 §9.6.
void states::settle() {
  if (!keep_alive_) {
    for (auto& side : at_)
      if (side == state::done) side = state::must_close;
  }
  const auto gone = [](state s) { return s == state::must_close || s == state::closed || s == state::error; };
  if (of(role::server) == state::done && gone(of(role::client))) at(role::server) = state::must_close;
  if (of(role::client) == state::done && gone(of(role::server))) at(role::client) = state::must_close;
}

}  // namespace tunic::http
