#include "stack/tcp/fast_open.hpp"

#include <algorithm>

#include "stack/tcp/layer.hpp"

// TCP Fast Open (RFC 7413): text with the SYN, before the handshake has told who sends it; a cookie vouches for its
// address instead.

namespace tunic::tcp {

// RFC 7413 §4.1.2.
wire::fast_open fast_open_cookie(const secret& key, const address& client, const address& server) {
  std::array<std::uint8_t, 32> text{};
  const auto from = client.wire_octets();
  const auto to = server.wire_octets();
  const auto end = std::copy(to.begin(), to.end(), std::copy(from.begin(), from.end(), text.begin()));
  const std::uint64_t hash = siphash(key, {text.begin(), end});
  wire::fast_open o;
  o.size = sizeof hash;
  for (std::size_t i = 0; i < sizeof hash; ++i) o.cookie[i] = static_cast<std::uint8_t>(hash >> 8 * i);
  return o;
}

fast_open_keys derived_keys(const secret& key, duration period, instant now) {
  const std::int64_t n = period > duration{} ? now.time_since_epoch() / period : 0;
  const auto of = [&](std::int64_t which) {
    secret made{};
    for (std::size_t half = 0; half < 2; ++half) {
      std::array<std::uint8_t, 10> text{static_cast<std::uint8_t>(hash_use::fast_open),
                                        static_cast<std::uint8_t>(half)};
      for (std::size_t i = 0; i < 8; ++i)
        text[2 + i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(which) >> 8 * i);
      const std::uint64_t hash = siphash(key, text);
      for (std::size_t i = 0; i < 8; ++i) made[8 * half + i] = static_cast<std::uint8_t>(hash >> 8 * i);
    }
    return made;
  };
  return {of(n), of(n - 1)};
}

// RFC 7413 §5.1.
bool pending_fast_opens::take(std::size_t most, instant now) {
  if (count_ >= most) {
    if (resets_.empty() || resets_.front() > now) return false;
    resets_.erase(resets_.begin());
    --count_;
  }
  if (count_ >= most) return false;  // the limit was lowered
  ++count_;
  return true;
}

// --- The server

fast_open_keys layer::fast_open_keys_of(const listener& l, instant now) const {
  if (l.options.fast_open_keys) return *l.options.fast_open_keys;
  if (config_.fast_open_keys) return *config_.fast_open_keys;
  return derived_keys(secret_, config_.fast_open_period, now);
}

// RFC 7413 §4.2, §4.2.1 and §4.2.2: a listener that was not told to ignores the option. A request is answered by a
// cookie, so is a cookie that is not ours; one that is ours opens the connection at once.
void layer::consider_fast_open(listener& l, tcb& t, const segment& s, instant now) {
  const auto& asked = s.header.options.fast_open;
  if (l.options.fast_open == fast_open_use::off || (!asked && s.text.empty())) return;
  if (asked && asked->size == 0) ++counters_.fast_open_requests;
  if (!l.fast_opens->take(l.options.fast_open_limit, now)) {  // §5.1: as if there were no Fast Open
    ++counters_.fast_open_overflows;
    return;
  }
  const bool unasked = l.options.fast_open == fast_open_use::without_cookie;
  std::optional<wire::fast_open> answer;
  bool valid = unasked;
  if (asked && !unasked) {
    const fast_open_keys keys = fast_open_keys_of(l, now);
    const auto made_by = [&](const secret& key) {
      wire::fast_open o = fast_open_cookie(key, s.ends.remote.address, s.ends.local.address);
      o.experimental = asked->experimental;
      return o;
    };
    answer = made_by(keys.primary);
    valid = *asked == *answer;
    if (valid) {
      answer.reset();
    } else if (asked->size > 0) {
      valid = keys.backup && *asked == made_by(*keys.backup);  // and the answer is a fresh one
      if (!valid) ++counters_.fast_open_refusals;
    }
  }
  if (answer) {
    t.flight->fast = std::make_unique<fast_opening>();
    t.flight->fast->answer = answer;
  }
  if (!valid) return l.fast_opens->give_back();
  if (!t.flight->fast) t.flight->fast = std::make_unique<fast_opening>();
  t.flight->fast->counted = l.fast_opens;
  open_early(l, t, s, now);
}

// The connection can be accepted, and text flows both ways (§4.2.2).
void layer::open_early(listener& l, tcb& t, const segment& s, instant now) {
  ++counters_.fast_opens_passive;
  t.early = true;
  l.syn_queue.remove(t);
  l.accept_queue.push_back(t);
  begin_text(t, now);
  segment rest = s;
  rest.seq += 1;
  rest.flags.syn = false;
  if (!rest.text.empty() && check_sequence(t, rest)) {
    const std::uint64_t before = t.receive_queue.expected();
    take_text(t, rest, now);
    t.syn_text = static_cast<std::uint16_t>(t.receive_queue.expected() - before);
  }
  t.pending.established = true;
}

// The SYN or SYN-ACK that leaves for the first time: once more it has neither option nor text (§4.2.2). How many octets
// of text go with it.
std::uint32_t layer::add_fast_open(tcb& t, wire::tcp_header& h, instant now) {
  fast_opening& f = *t.flight->fast;
  if (t.state == state::syn_received) {
    f.answered_at = now;
    h.options.fast_open = f.answer;
    return 0;
  }
  const fast_open_experience* known = fast_open_cache_.find(t.ends);
  if (known && now < known->off_until) return 0;
  const std::uint32_t text = syn_text_room(t, now);
  if (f.use == fast_open_use::on) {
    auto& o = h.options.fast_open.emplace();
    if (known && known->cookie.size > 0) {
      o = known->cookie;
    } else {
      o.experimental = known && known->experimental == old_form::due;
    }
    f.asked = true;
    f.experimental = o.experimental;
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(text, t.flight->send_queue.size()));
}

// --- The client

std::uint32_t layer::syn_text_room(const tcb& t, instant now) const {
  if (!t.flight->fast || t.state != state::syn_sent || t.snd.nxt != t.snd.iss) return 0;
  const fast_open_experience* known = fast_open_cache_.find(t.ends);
  if (known && now < known->off_until) return 0;
  if (t.flight->fast->use == fast_open_use::on && (!known || known->cookie.size == 0)) return 0;
  // What the peer announced last time; options take as much as they can (§4.1.3, §4.2.1).
  const std::uint32_t mss = mss_with(t, known && known->mss != 0 ? known->mss : own_mss(t));
  constexpr std::uint32_t options = wire::tcp_header::max_size - wire::tcp_header::min_size;
  return mss > options ? mss - options : 0;
}

// The SYN-ACK: its cookie and MSS are remembered, and what went wrong (§4.1.3, §4.1.3.1, §4.2.2).
void layer::learn_fast_open(tcb& t, const segment& s, instant now) {
  const fast_opening& f = *t.flight->fast;
  const bool text = !t.flight->board.empty();
  if (!f.asked && !text) return;
  fast_open_experience& e = fast_open_cache_.at(t.ends, config_.fast_open_cache);
  e.mss = t.peer_mss;
  const auto& o = s.header.options.fast_open;
  const bool cookie = f.asked && o && o->size > 0;
  if (cookie) e.cookie = *o;
  const bool timed_out = t.unanswered > 0;
  if (cookie || (text && s.ack > t.snd.iss + 1)) {
    e.misses = 0;
  } else if (text || timed_out) {
    miss_fast_open(e, now);
  } else if (e.cookie.size == 0) {
    if (f.experimental) {
      e.experimental = old_form::tried;
    } else if (e.experimental == old_form::untried) {
      e.experimental = old_form::due;
    }
  }
}

// §4.1.3.1: once may be chance. A path that goes on losing such SYNs, or a server that goes on ignoring their text, is
// spared for a while that doubles.
void layer::miss_fast_open(fast_open_experience& e, instant now) const {
  constexpr unsigned most_doublings = 10;
  if (e.misses < 255) ++e.misses;
  if (e.misses < 2) return;
  e.off_until = now + config_.fast_open_pause * (1u << std::min<unsigned>(e.misses - 2u, most_doublings));
}

// What of the SYN's text is acknowledged; the rest goes again, at once and without a sign of congestion (§4.2.2).
void layer::settle_syn_text(tcb& t, seq ack, instant now) {
  if (t.flight->board.empty()) return;
  const std::uint32_t sent = t.flight->board.outstanding();
  t.flight->send_queue.pop_front(distance(t.snd.iss + 1, ack));
  t.flight->board.acknowledge(ack, [&](const scoreboard::run& r) { t.rate.on_delivered(t.flight->samples, r, now); });
  if (t.flight->board.empty()) {
    t.syn_text = static_cast<std::uint16_t>(sent);
    ++counters_.fast_opens_active;
  } else {
    ++counters_.fast_open_fails;
    resend_outstanding(t);
  }
}

// --- Both

// The handshake is over, one way or the other.
void layer::leave_fast_open(tcb& t, bool reset, instant now) {
  if (!t.flight->fast) return;
  const fast_opening& f = *t.flight->fast;
  if (f.counted) {
    if (reset) {
      f.counted->give_back_at(now + config_.fast_open_reset_wait);
    } else {
      f.counted->give_back();
    }
  }
  if (t.state == state::syn_sent && f.asked && t.unanswered > 0) {  // nobody answered at all (§4.1.3.1)
    ++counters_.fast_open_fails;
    miss_fast_open(fast_open_cache_.at(t.ends, config_.fast_open_cache), now);
  }
  t.flight->fast.reset();
}

}  // namespace tunic::tcp
