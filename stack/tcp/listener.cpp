#include "stack/tcp/listener.hpp"

#include <algorithm>

#include "stack/tcp/layer.hpp"

namespace tunic::tcp {

void tcb_queue::push_back(tcb& t) {
  t.incoming->previous = tail_;
  t.incoming->next = nullptr;
  (tail_ ? tail_->incoming->next : head_) = &t;
  tail_ = &t;
  ++size_;
}

void tcb_queue::remove(tcb& t) {
  incoming& i = *t.incoming;
  (i.previous ? i.previous->incoming->next : head_) = i.next;
  (i.next ? i.next->incoming->previous : tail_) = i.previous;
  i.next = i.previous = nullptr;
  --size_;
}

bool listener::matches(const endpoint& local) const {
  if (options.local.port != local.port) return false;
  const address& own = options.local.address;
  if (!own.is_unspecified()) return own == local.address;
  return own.is_v4() == local.address.is_v4() || (!own.is_v4() && !options.v6_only);
}

// §3.10.7.2, LISTEN.
void layer::arrives_listen(listener& l, const segment& s, instant now) {
  if (s.flags.rst) return;  // first
  if (s.flags.ack) {        // second
    if (completes_by_cookie(l, s, now)) return;
    counters_.count(drop::unacceptable_ack);
    reset_peer(s);
    return;
  }
  if (!s.flags.syn || s.flags.fin)
    return counters_.count(drop::bad_flags);  // fourth; a SYN with FIN is nobody's request
  if (const auto full = refuses_syn(l)) return counters_.count(*full);
  switch (l.user->on_syn(s.ends)) {  // third: where RFC 9293 checks security
    case verdict::accept: break;
    case verdict::refuse: reset_peer(s); return;
    case verdict::drop: counters_.count(drop::no_listener); return;
  }
  if (keeps_no_syn(l)) return answer_with_cookie(l, s, now);
  tcb& t = make(s.ends, now);
  t.incoming = std::make_unique<incoming>(incoming{&l});
  l.syn_queue.push_back(t);
  take_first_syn(t, l, s);
  enter(t, state::syn_received, now);
  make_ready(t);
  consider_fast_open(l, t, s, now);
  settle(t);
  notify(t);
}

// RFC 4987 §3.4.
std::optional<drop> layer::refuses_syn(const listener& l) const {
  if (l.syn_queue.size() >= l.options.backlog && !keeps_no_syn(l)) return drop::syn_queue_full;
  if (l.accept_queue.size() >= l.options.backlog) return drop::accept_queue_full;
  return std::nullopt;
}

// What a connection has from its listener and from the peer's SYN.
void layer::take_first_syn(tcb& t, const listener& l, const segment& s) {
  t.passive = true;  // RFC 9293 §3.5, MUST-11
  t.no_delay = l.options.no_delay;
  t.tos = l.options.tos;
  if (l.options.ecn) t.ecn = tcp::ecn{*l.options.ecn, t.snd.iss};
  if (l.options.hop_limit != 0) t.hop_limit = l.options.hop_limit;
  take_buffers(t, l.options.receive_buffer, l.options.send_buffer);
  t.user_mss = l.options.mss;
  offer_options(t);
  t.rcv.irs = s.seq;
  t.rcv.nxt = s.seq + 1;
  t.rcv.edge = t.rcv.nxt + std::min<std::uint32_t>(t.receive_buffer, 0xffff);  // a SYN's window is not scaled
  take_options(t, s);
  static_cast<void>(t.ecn.take_syn(s.header, s.mark));  // the first SYN contradicts nothing
}

}  // namespace tunic::tcp
