#include "stack/tcp/syn_cookie.hpp"

#include <algorithm>
#include <array>

#include "stack/tcp/isn.hpp"
#include "stack/tcp/layer.hpp"

// RFC 4987 §3.6: a listener under a flood of SYNs answers without remembering.

namespace tunic::tcp {
namespace {

// What an MSS is rounded down to: nothing less than what mss_for() takes for absurd, both versions' defaults, and what
// tunnels, Ethernet and jumbo frames have. The more there are, the more numbers are good: a guess hits one of 2^28.
constexpr std::array<std::uint16_t, 8> mss_table{48, 536, 1220, 1300, 1400, 1440, 1460, 8940};

// The low bits of a stamp.
constexpr std::uint32_t scale_bits = 0xf;  // 15: no window scale, whose counts end at 14 (RFC 7323 §2.3)
constexpr std::uint32_t sack_bit = 0x10;
constexpr unsigned ecn_shift = 5;  // an ecn_feedback
constexpr std::uint32_t stamp_bits = 0x7f;

std::int64_t tick_of(instant now) {
  return now.time_since_epoch() / syn_cookies::tick;
}

}  // namespace

std::uint32_t syn_cookies::hash(const four_tuple& ends, seq irs, std::int64_t tick_number) const {
  std::array<std::uint8_t, 20> text{};
  auto* at = text.data();
  const auto put = [&](std::uint64_t value, unsigned octets) {
    for (unsigned i = 0; i < octets; ++i) *at++ = static_cast<std::uint8_t>(value >> (8 * i));
  };
  put(keyed_hash(key_, ends, hash_use::syn_cookie), 8);
  put(irs.value(), 4);
  put(static_cast<std::uint64_t>(tick_number), 8);
  return static_cast<std::uint32_t>(siphash(key_, text));
}

// RFC 4987 §3.6.
seq syn_cookies::make(const four_tuple& ends, seq irs, std::uint16_t peer_mss, instant now) const {
  const auto* above = std::upper_bound(mss_table.begin() + 1, mss_table.end(), peer_mss);
  return seq{hash(ends, irs, tick_of(now))} + static_cast<std::uint32_t>(above - 1 - mss_table.begin());
}

std::optional<std::uint16_t> syn_cookies::mss_of(const four_tuple& ends, seq irs, seq cookie, instant now) const {
  for (unsigned age = 0; age < ticks; ++age) {
    const std::uint32_t index = distance(seq{hash(ends, irs, tick_of(now) - age)}, cookie);
    if (index < mss_table.size()) return mss_table[index];
  }
  return std::nullopt;
}

std::uint32_t syn_cookies::stamp(std::uint32_t clock, const cookie_agreement& a) {
  const std::uint32_t bits = (a.window_scale ? a.window_scale->value : scale_bits) | (a.sack ? sack_bit : 0) |
                             static_cast<std::uint32_t>(a.ecn) << ecn_shift;
  const std::uint32_t value = (clock & ~stamp_bits) | bits;
  return value > clock ? value - (stamp_bits + 1) : value;
}

cookie_agreement syn_cookies::agreement_of(std::uint32_t stamp) {
  constexpr std::uint8_t most = 14;
  cookie_agreement a;
  if (const auto scale = static_cast<std::uint8_t>(stamp & scale_bits); scale <= most)
    a.window_scale = wire::window_shift{scale};
  a.sack = (stamp & sack_bit) != 0;
  switch ((stamp & stamp_bits) >> ecn_shift) {
    case 1: a.ecn = ecn_feedback::classic; break;
    case 2: a.ecn = ecn_feedback::accurate; break;
    default: break;
  }
  return a;
}

// RFC 4987 §4: cookies stand in for a queue that is full, unless the user wants no queue at all.
bool layer::keeps_no_syn(const listener& l) const {
  switch (config_.syn_cookies) {
    case syn_cookie_use::never: return false;
    case syn_cookie_use::when_full: return l.syn_queue.size() >= l.options.backlog;
    case syn_cookie_use::always: return true;
  }
  return false;
}

// RFC 4987 §3.6: the SYN-ACK of a connection that exists for as long as it takes to write it.
void layer::answer_with_cookie(listener& l, const segment& s, instant now) {
  segment syn = s;
  if (!config_.timestamps || !syn.header.options.timestamps) {  // what only timestamps could keep is not offered
    syn.header.options = {.mss = s.header.options.mss};
    syn.header.flags.ece = syn.header.flags.cwr = syn.header.flags.ae = false;
  }
  flight brief;
  tcb t{s.ends, &brief};
  begin(t, now);
  take_first_syn(t, l, syn);
  wire::tcp_header h = syn_header(t, true, now);
  h.seq_number = cookies_.make(t.ends, t.rcv.irs, t.peer_mss, now);
  h.ack_number = t.rcv.nxt;
  h.window = scale_down(t.receive_buffer, {});
  if (t.timestamps_on) {
    const cookie_agreement a{t.scale_on ? std::optional{t.snd_shift} : std::nullopt, t.sack_on, t.ecn.feedback()};
    h.options.timestamps->val = t.ts.offset + syn_cookies::stamp(timestamp(t, now) - t.ts.offset, a);
  }
  l.cookies_until = now + syn_cookies::lifetime;
  ++counters_.syn_cookies_sent;
  push_orphan({t.ends, h, t.tos, t.hop_limit});
}

// The third segment of a handshake whose second was a cookie brings back the first, as far as the cookie tells, and
// makes the connection. False where it is nothing of the kind.
bool layer::completes_by_cookie(listener& l, const segment& s, instant now) {
  if (s.flags.syn || now >= l.cookies_until) return false;
  const auto mss = cookies_.mss_of(s.ends, s.seq - 1, s.ack - 1, now);
  if (!mss) {
    ++counters_.syn_cookies_failed;
    return false;
  }
  ++counters_.syn_cookies_received;
  if (l.accept_queue.size() >= l.options.backlog) {
    counters_.count(drop::accept_queue_full);  // the peer repeats what it says, and somebody may accept by then
    return true;
  }
  segment syn;
  syn.ends = s.ends;
  syn.seq = syn.header.seq_number = s.seq - 1;
  syn.header.window = s.header.window;
  syn.header.options.mss = *mss;
  if (const auto& ts = s.header.options.timestamps) {
    const cookie_agreement a = syn_cookies::agreement_of(ts->ecr - isn_.timestamp_offset(s.ends));
    syn.header.options.timestamps = ts;
    syn.header.options.window_scale = a.window_scale;
    syn.header.options.sack_permitted = a.sack;
    syn.header.flags.ece = syn.header.flags.cwr = a.ecn != ecn_feedback::none;
    syn.header.flags.ae = a.ecn == ecn_feedback::accurate;
  }
  tcb& t = make(s.ends, now);
  number_from(t, s.ack - 1);
  t.snd.nxt = s.ack;
  t.stateless = true;
  t.incoming = std::make_unique<incoming>(incoming{&l});
  l.syn_queue.push_back(t);
  take_first_syn(t, l, syn);
  enter(t, state::syn_received, now);
  segment ack = s;
  arrives_at(t, ack, now);
  return true;
}

}  // namespace tunic::tcp
