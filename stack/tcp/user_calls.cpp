#include <algorithm>

#include "stack/tcp/layer.hpp"

// RFC 9293 §3.10.1 to §3.10.6: OPEN, SEND, RECEIVE, CLOSE, ABORT, STATUS.

namespace tunic::tcp {

// The address is IP's to choose where the user names none (RFC 9293 §3.9.1.1, MUST-44, MUST-46).
result<tcb*, std::error_code> layer::open(const open_options& o, user& u, instant now) {
  if (o.remote.port == 0 || o.remote.address.is_unspecified() || o.remote.address.is_multicast() ||
      o.remote.address.is_broadcast())
    return make_error_code(std::errc::invalid_argument);
  const auto local = o.local_address ? o.local_address : ip_.source_for(o.remote.address);
  if (!local || !ip_.reachable(o.remote.address)) return make_error_code(std::errc::network_unreachable);
  if (!ip_.is_ours(*local) || local->is_v4() != o.remote.address.is_v4())
    return make_error_code(std::errc::address_not_available);

  four_tuple ends{{*local, o.local_port}, o.remote};
  const auto holder = [&](std::uint16_t port) { return demux_.find({{*local, port}, o.remote}); };
  const auto is_free = [&](std::uint16_t port) { return !holder(port); };
  const auto is_reusable = [&](std::uint16_t port) {
    const demux_node* n = holder(port);
    return !n || (n->kind == demux_kind::time_wait && may_reopen(static_cast<const time_wait&>(*n), now));
  };
  if (o.local_port == 0) {
    auto port = ports_.choose(ends, is_free);
    if (!port) port = ports_.choose(ends, is_reusable);
    if (!port) return make_error_code(std::errc::address_in_use);
    ends.local.port = *port;
  } else if (!is_reusable(o.local_port)) {
    return make_error_code(std::errc::address_in_use);
  }

  std::optional<seq> used;
  if (demux_node* old = holder(ends.local.port)) {
    used = static_cast<time_wait&>(*old).snd_nxt;
    leave_time_wait(static_cast<time_wait&>(*old), now);
  }
  tcb& t = make(ends, now);
  if (used) follow(t, *used);
  ++counters_.active_opens;  // RFC 4022 §3
  t.user = &u;
  t.no_delay = o.no_delay;
  if (o.hop_limit != 0) t.hop_limit = o.hop_limit;
  t.tos = o.tos;
  if (o.ecn) t.ecn = tcp::ecn{*o.ecn, t.snd.iss};
  take_buffers(t, o.receive_buffer, o.send_buffer);
  t.user_mss = o.mss;
  offer_options(t);
  enter(t, state::syn_sent, now);
  if (o.fast_open != fast_open_use::off) {
    t.flight->fast = std::make_unique<fast_opening>();
    t.flight->fast->use = o.fast_open;
    t.flight->fast->waits_for_text = o.wait_for_text && syn_text_room(t, now) > 0;
  }
  if (!waits_for_text(t)) make_ready(t);
  return &t;
}

// It leaves alone whatever the port has already, or says why not (RFC 9293 §3.9.1.1, MUST-41, MUST-42, MUST-43).
result<listener*, std::error_code> layer::listen(const listen_options& o, listener_user& u) {
  const address& local = o.local.address;
  if (o.local.port == 0) return make_error_code(std::errc::invalid_argument);
  if (!local.is_unspecified() && !ip_.is_ours(local)) return make_error_code(std::errc::address_not_available);
  for (const auto& l : listeners_) {
    const listen_options& other = l->options;
    if (other.local.port != o.local.port) continue;
    if (other.local.address == local) return make_error_code(std::errc::address_in_use);
    // The two unspecified addresses overlap unless version 6 keeps to itself.
    const bool both_any = other.local.address.is_unspecified() && local.is_unspecified();
    if (both_any && !(other.local.address.is_v4() ? o.v6_only : other.v6_only))
      return make_error_code(std::errc::address_in_use);
  }
  listeners_.push_back(std::make_unique<listener>(o, u));
  return listeners_.back().get();
}

tcb* layer::accept(listener& l, user& u) {
  tcb* t = l.accept_queue.front();
  if (!t) return nullptr;
  leave_listener(*t);
  t->user = &u;
  t->pending = {};
  return t;
}

void layer::close(listener& l, instant now) {
  while (tcb* t = l.syn_queue.front()) abort_with(*t, {}, now);
  while (tcb* t = l.accept_queue.front()) {
    leave_listener(*t);
    if (t->state == state::closed) {
      bury(*t);
    } else {
      abort_with(*t, {}, now);
    }
  }
  std::erase_if(listeners_, [&](const auto& held) { return held.get() == &l; });
}

std::size_t layer::send_room(const tcb& t) const {
  const bool open = t.state == state::established || t.state == state::close_wait || t.state == state::syn_sent ||
                    t.state == state::syn_received;
  if (!open || t.closing) return 0;
  const std::uint64_t most = send_limit(t);
  const std::uint64_t room = t.flight->send_queue.size() < most ? most - t.flight->send_queue.size() : 0;
  const std::uint64_t unsent = unsent_octets(t);
  const std::uint64_t may_wait = t.unsent_limit == 0 ? room : t.unsent_limit > unsent ? t.unsent_limit - unsent : 0;
  return static_cast<std::size_t>(std::min(room, may_wait));
}

std::size_t layer::send(tcb& t, std::span<const std::byte> octets, ending e) {
  if (waits_for_text(t)) let_syn_go(t);
  const std::size_t n = std::min(octets.size(), send_room(t));
  if (n < octets.size() && !t.closing) t.send_short = true;
  if (n == 0) return 0;
  take_flight(t);
  t.fresh = t.fresh || (t.flight->send_queue.empty() && t.flight->board.empty());
  t.flight->send_queue.copy_in(pool_, octets.first(n));
  take_ending(t, n < octets.size() && e == ending::record ? ending::push : e);
  settle(t);
  if (t.text_flows()) make_ready(t);
  return n;
}

std::size_t layer::send(tcb& t, const slice& octets) {
  if (waits_for_text(t)) let_syn_go(t);
  const std::size_t n = std::min<std::size_t>(octets.size(), send_room(t));
  if (n < octets.size() && !t.closing) t.send_short = true;
  if (n == 0) return 0;
  take_flight(t);
  t.fresh = t.fresh || (t.flight->send_queue.empty() && t.flight->board.empty());
  t.flight->send_queue.push_back(octets.sub(0, static_cast<std::uint32_t>(n)));
  take_ending(t, ending::push);
  settle(t);
  if (t.text_flows()) make_ready(t);
  return n;
}

// RFC 9293 §3.9.1.2. What goes on for half of the peer's window is pushed as well: some receivers hand text up only
// then.
void layer::take_ending(tcb& t, ending e) {
  const std::uint64_t end = t.flight->send_queue.end();
  t.more_follows = e == ending::more;
  const bool goes_on = t.text_flows() && distance(t.pushed, t.text_end()) > t.snd.max_wnd / 2;
  if (e != ending::more || goes_on) {
    t.flight->pushes.add(end, t.mss);
    t.pushed = t.text_end();
  }
  if (e != ending::record) return;
  t.flight->records.add(end);
}

void layer::let_syn_go(tcb& t) {
  t.flight->fast->waits_for_text = false;
  make_ready(t);
}

std::size_t layer::receive(tcb& t, std::span<std::byte> to) {
  const std::size_t n = t.receive_queue.copy_out(to);
  if (n > 0) after_receive(t);
  return n;
}

void layer::consume(tcb& t, std::size_t n) {
  t.receive_queue.pop_front(n);
  after_receive(t);
}

void layer::close(tcb& t, instant now) {
  if (t.closing) return;
  switch (t.state) {
    case state::closed:
    case state::listen: return;
    case state::syn_sent: close_with(t, std::errc::connection_aborted, now); return;
    case state::syn_received:  // queued until ESTABLISHED, or leaves behind what is sent already
      t.closing = true;
      if (!t.early) return;
      break;
    case state::established:
      t.closing = true;
      enter(t, state::fin_wait_1, now);
      break;
    case state::close_wait:
      t.closing = true;
      enter(t, state::last_ack, now);
      break;
    case state::fin_wait_1:
    case state::fin_wait_2:
    case state::closing:
    case state::last_ack:
    case state::time_wait: return;
  }
  make_ready(t);
}

// RFC 9293 §3.6.1, MAY-1.
void layer::shut_receive(tcb& t) {
  t.deaf = true;
  t.receive_queue.drop_ready();
  after_receive(t);
}

void layer::abort(tcb& t, instant now) {
  if (t.state == state::time_wait) {
    leave_time_wait(record_of(t), now);
    return;
  }
  abort_with(t, std::errc::connection_aborted, now);
}

void layer::release(tcb& t, instant now, std::optional<duration> linger) {
  t.user = nullptr;
  if (t.state == state::time_wait) {
    record_of(t).held = nullptr;
    bury(t);
    return;
  }
  if (t.state == state::closed) {
    bury(t);
    return;
  }
  if (!t.receive_queue.empty() && !t.deaf) {  // RFC 9293 §3.6.1, SHLD-3: the peer must learn that its text was not read
    abort_with(t, {}, now);
    return;
  }
  if (released_ >= config_.released_connections) {
    ++counters_.releases_aborted;
    abort_with(t, {}, now);
    return;
  }
  t.released = true;
  ++released_;
  close(t, now);
  if (t.state == state::fin_wait_2) {
    t.deadline(timer::released) = now + t.live.fin_wait_2;
  } else if (linger) {
    t.deadline(timer::released) = now + *linger;
  }
  if (t.state != state::closed) rearm(t);
}

// A short rest has waited long enough for what was to follow.
void layer::uncork_once(tcb& t) {
  t.more_follows = false;
  take_ending(t, ending::push);
  t.window_probe_due = true;  // whatever fits goes
  make_ready(t);
}

void layer::set_cork(tcb& t, bool on) {
  t.corked = on;
  if (on) return;
  t.deadline(timer::cork) = never;
  if (t.text_flows()) make_ready(t);
}

void layer::set_unsent_limit(tcb& t, std::uint32_t octets) {
  t.unsent_limit = octets;
}

void layer::set_no_delay(tcb& t, bool on) {
  t.no_delay = on;
  if (on) t.corked = t.more_follows = false;
  if (on && t.text_flows()) make_ready(t);
}

}  // namespace tunic::tcp
