#include "tests/support/script.hpp"

#include <algorithm>
#include <sstream>
#include <tuple>

#include <gtest/gtest.h>

#include "stack/tcp/isn.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/print.hpp"

namespace tunic::test {
namespace {

constexpr secret key{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

stack_config config_of(const script_options& o) {
  stack_config c = o.stack;
  c.tcp.quick_acks = o.quick_acks;
  if (c.ip.addresses.empty()) c.ip.addresses = {*prefix::parse("198.51.100.2/24"), *prefix::parse("2001:db8::2/64")};
  return c;
}

std::string name(wire::ecn_codepoint c) {
  static constexpr const char* names[] = {"", "[ect1] ", "[ect0] ", "[ce] "};
  return names[static_cast<unsigned>(c)];
}

std::string in_words(instant since, instant now) {
  std::ostringstream out;
  out << std::chrono::duration<double, std::milli>(now - since).count() << " ms";
  return out.str();
}

}  // namespace

void script::holder::on_events(tcp::events e) {
  told.established = told.established || e.established;
  told.readable = told.readable || e.readable;
  told.writable = told.writable || e.writable;
  told.closed = told.closed || e.closed;
  closed = closed || e.closed;
}

script::script(script_options o)
    : options_(std::move(o)),
      us_{*address::parse(!options_.us.empty() ? options_.us
                          : options_.ipv6      ? "2001:db8::2"
                                               : "198.51.100.2"),
          80},
      peer_{*address::parse(options_.ipv6 ? "2001:db8::1" : "198.51.100.1"), 40000},
      stack_(std::make_unique<tunic::stack>(config_of(options_), key)) {
  // RFC 6528's clock is 4 µs: the moment at which our initial sequence number stands so far before the wrap.
  const seq at_zero = tcp::isn_generator{key}.next(ends(), instant{});
  const std::uint32_t ticks = 0u - options_.iss_before_wrap - at_zero.value();
  now_ = instant{std::chrono::microseconds{4} * std::int64_t{ticks}};
  start_ = now_;
  iss_ = seq{0u - options_.iss_before_wrap};
  irs_ = seq{0u - options_.irs_before_wrap};
}

script::~script() {
  if (!stack_) return;  // moved from
  if (!failed_) unclaimed("the end");
  if (tcb_) stack_->tcp().release(*tcb_, now_);
}

script script::listening(script_options o) {
  script t{std::move(o)};
  t.user_listens();
  return t;
}

script script::opening(script_options o) {
  script t{std::move(o)};
  t.user_opens();
  t.sends("S 0:0(0)");
  return t;
}

script script::established(script_options o) {
  script t = listening(std::move(o));
  t.arrives("S 0:0(0) win 65535 <" + t.options_.syn_options + ">");
  t.sends("S. 0:0(0) ack 1");
  t.arrives(". 1:1(0) ack 1");
  t.user_accepts();
  t.in_state(tcp::state::established);
  return t;
}

script script::in(tcp::state s, script_options o) {
  using tcp::state;
  if (s == state::listen || s == state::closed)
    return s == state::listen ? listening(std::move(o)) : script{std::move(o)};
  if (s == state::syn_sent) return opening(std::move(o));
  if (s == state::syn_received) {
    script t = listening(std::move(o));
    t.arrives("S 0:0(0) win 65535 <" + t.options_.syn_options + ">");
    t.sends("S. 0:0(0) ack 1");
    return t;
  }
  script t = established(std::move(o));
  if (s == state::close_wait || s == state::last_ack) {
    t.arrives("F. 1:1(0) ack 1");
    t.sends(". 1:1(0) ack 2");
  }
  if (s != state::established && s != state::close_wait) {
    t.user_closes();
    t.sends(s == state::last_ack ? "F. 1:1(0) ack 2" : "F. 1:1(0) ack 1");
  }
  if (s == state::closing) {
    t.arrives("F. 1:1(0) ack 1");
    t.sends(". 2:2(0) ack 2");
  }
  if (s == state::fin_wait_2 || s == state::time_wait) t.arrives(". 1:1(0) ack 2");
  if (s == state::time_wait) {
    t.arrives("F. 1:1(0) ack 2");
    t.sends(". 2:2(0) ack 2");
  }
  t.in_state(s);
  return t;
}

void script::note(const std::string& what) {
  transcript_.push_back(std::to_string(transcript_.size() + 1) + "  +" + in_words(start_, now_) + "  " + what);
}

void script::fail(const std::string& why) {
  failed_ = true;
  std::ostringstream out;
  for (const auto& l : transcript_) out << "  " << l << '\n';
  ADD_FAILURE() << why << "\n" << out.str() << "  ^ here";
}

void script::step(const std::string& what) {
  unclaimed(what);
  note(what);
}

void script::unclaimed(std::string_view before) {
  pull();
  if (sent_.empty()) return;
  std::string all;
  for (const auto& s : sent_) all += "\n    " + s.printed;
  sent_.clear();
  fail("sent, and no line claims it, before \"" + std::string{before} + "\":" + all);
}

std::byte script::pattern(std::uint64_t offset, bool ours) const {
  return static_cast<std::byte>((offset * 31 + offset / 251 + (ours ? 7 : 91)) & 0xff);
}

std::string script::print(wire::tcp_header h, std::uint32_t text) const {
  if (h.options.timestamps) h.options.timestamps->val -= first_timestamp_.value_or(0);
  return wire::print(h, text, {iss_, irs_});
}

void script::pull() {
  frame f;
  while (stack_->poll_transmit(f, now_)) {
    std::vector<std::byte> octets(f.header().begin(), f.header().end());
    for (const slice& s : f.text) octets.insert(octets.end(), s.octets().begin(), s.octets().end());
    address source;
    address destination;
    std::size_t ip_size = 0;
    auto ecn = wire::ecn_codepoint::not_ect;
    if (options_.ipv6) {
      const auto h = wire::parse_ipv6(octets);
      ASSERT_TRUE(h);
      ASSERT_EQ(h->protocol, 6);
      source = h->source, destination = h->destination, ip_size = h->header_length,
      ecn = wire::ecn_of(h->traffic_class);
    } else {
      const auto h = wire::parse_ipv4(octets);
      ASSERT_TRUE(h);
      ASSERT_EQ(h->protocol, 6);
      source = h->source, destination = h->destination, ip_size = h->header_length, ecn = wire::ecn_of(h->tos);
    }
    const auto segment = std::span<const std::byte>{octets}.subspan(ip_size);
    const auto h = wire::parse_tcp(segment, source, destination,
                                   f.partial_checksum ? checksum_state::partial : checksum_state::unknown);
    ASSERT_TRUE(h) << "a segment of ours does not parse: " << name(h.error());
    if (h->options.timestamps && !first_timestamp_) first_timestamp_ = h->options.timestamps->val;
    sent s{ecn, *h, {segment.begin() + h->header_length, segment.end()}, {}};
    s.printed = name(ecn) + print(s.header, static_cast<std::uint32_t>(s.text.size()));
    sent_.push_back(std::move(s));
  }
}

void script::arrives(std::string_view text) {
  step("arrives  " + std::string{text});
  datagram_arrives(datagram(text));
}

void script::sends(std::string_view text) {
  note("sends    " + std::string{text});
  pull();
  if (sent_.empty()) return fail("nothing was sent");
  const sent s = std::move(sent_.front());
  sent_.pop_front();
  const line l = parse_line(text);
  bool same = s.header.flags == l.flags && s.header.seq_number == iss_ + l.begin && s.text.size() == l.length;
  if (l.ack) same = same && s.header.ack_number == irs_ + *l.ack;
  if (l.win) same = same && s.header.window.value == *l.win;
  if (l.ecn) same = same && s.ecn == *l.ecn;
  if (l.options) {
    const auto& want = *l.options;
    const auto& got = s.header.options;
    same = same && want.mss == got.mss && want.window_scale == got.window_scale &&
           want.sack_permitted == got.sack_permitted && want.timestamps.has_value() == got.timestamps.has_value() &&
           want.sack.size() == got.sack.size() && want.accurate_ecn == got.accurate_ecn &&
           want.fast_open == got.fast_open;
    if (same && want.timestamps)
      same = want.timestamps->val + first_timestamp_.value_or(0) == got.timestamps->val &&
             want.timestamps->ecr == got.timestamps->ecr;
    for (std::size_t i = 0; same && i < want.sack.size(); ++i)
      same = irs_ + want.sack.begin()[i].left.value() == got.sack.begin()[i].left &&
             irs_ + want.sack.begin()[i].right.value() == got.sack.begin()[i].right;
  }
  if (!same) return fail("sent instead: " + s.printed);
  const std::uint32_t offset = l.flags.syn ? l.begin : l.begin - 1;  // of the stream
  for (std::size_t i = 0; i < s.text.size(); ++i)
    if (s.text[i] != pattern(offset + i, true)) return fail("octet " + std::to_string(i) + " of the text is wrong");
}

std::optional<wire::tcp_header> script::takes_sent() {
  pull();
  if (sent_.empty()) return std::nullopt;
  const wire::tcp_header h = sent_.front().header;
  note("sends    " + sent_.front().printed + " (taken)");
  sent_.pop_front();
  return h;
}

wire::tcp_header script::takes_syn_ack() {
  const auto h = takes_sent();
  if (!h || !h->flags.syn || !h->flags.ack) {
    fail("no SYN-ACK");
    return {};
  }
  iss_ = h->seq_number;
  if (h->ack_number != irs_ + 1) fail("it acknowledges something else");
  return *h;
}

std::uint32_t script::takes_sent_text() {
  pull();
  if (sent_.empty()) return 0;
  const auto n = static_cast<std::uint32_t>(sent_.front().text.size());
  sent_up_to_ = std::max(sent_up_to_, distance(iss_, sent_.front().header.seq_number) + n);
  takes_sent();
  return n;
}

void script::advance(duration d, bool stop_at_first) {
  const instant until = now_ + d;
  for (;;) {
    pull();
    if (!sent_.empty() && stop_at_first) return;
    const instant next = std::max(now_, stack_->next_deadline());
    if (next > until) break;
    now_ = next;
    stack_->on_deadline(now_);
  }
  now_ = until;
  stack_->on_deadline(now_);
}

void script::silent_for(duration d) {
  step("silent for " + std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(d).count()) + " us");
  advance(d, true);
  unclaimed("the silence is over");
}

void script::passes(duration d) {
  step("time passes");
  advance(d, true);
}

void script::passes_unheard(duration d) {
  note("time passes unheard");
  advance(d, false);
  sent_.clear();
}

void script::silent() {
  step("silent");
}

void script::in_state(tcp::state s) {
  step("in state " + std::string{tcp::name(s)});
  if (const auto is = status().state; is != s) fail("the state is " + std::string{tcp::name(is)});
}

void script::at_end() {
  step("at end");
  if (!tcp::layer::at_end(*tcb_)) fail("the end of the stream is not reached");
}

void script::closed_with(std::error_code why) {
  step("closed with " + (why ? why.message() : "no error"));
  if (!holder_->closed) fail("the user was not told");
  if (tcb_->state != tcp::state::closed) fail("not CLOSED");
  const std::error_code reason = tcp::layer::error(*tcb_);
  if (reason != why) fail("the reason is " + reason.message());
}

void script::dropped(drop reason, std::uint64_t times) {
  const auto n = counted().dropped(reason);
  if (n != times) fail("dropped as \"" + std::string{name(reason)} + "\": " + std::to_string(n));
}

void script::reads_nothing() {
  step("user reads nothing");
  if (stack_->tcp().available(*tcb_) != 0) fail("there is text");
}

tcp::status script::status() const {
  if (tcb_) return stack_->tcp().status(*tcb_, now_);
  tcp::status s;
  if (listener_) {
    s.state = listener_->syn_queue.front() ? tcp::state::syn_received : tcp::state::listen;
  }
  return s;
}

void script::peer_port(std::uint16_t port, std::uint32_t irs_before_wrap) {
  other_ports_.insert_or_assign(peer_.port, std::pair{iss_, irs_});
  peer_.port = port;
  const auto [known, is_new] =
      other_ports_.try_emplace(port, tcp::isn_generator{key}.next(ends(), now_), seq{0u - irs_before_wrap});
  std::tie(iss_, irs_) = known->second;
}

}  // namespace tunic::test
