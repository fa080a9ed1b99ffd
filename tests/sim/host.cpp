#include "tests/sim/host.hpp"

#include <algorithm>
#include <cstring>
#include <iomanip>
#include <sstream>

#include "stack/wire/print.hpp"

namespace tunic::sim {
namespace {

stack_config config_of(const host_options& o) {
  stack_config c = o.stack;
  c.ip.addresses = {prefix{o.own, static_cast<std::uint8_t>(o.own.is_v4() ? 24 : 64)}};
  return c;
}

}  // namespace

secret host::secret_of(std::uint64_t seed) {
  drivers::random_stream random{seed, 1};
  secret s{};
  for (auto& octet : s) octet = static_cast<std::uint8_t>(random.next());
  return s;
}

host::host(const host_options& o, std::ostream* transcript)
    : options_(o), transcript_(transcript), stack_(config_of(o), secret_of(o.seed), this), scratch_(pool::large_size) {}

user& host::opens(const habits& h, const tcp::open_options& o, std::uint64_t own, std::uint64_t peer,
                  std::uint64_t expected, instant now) {
  auto p = std::make_unique<party>(party{.user = {stack_, h, own, peer, expected}});
  tcp::tcb& t = **stack_.tcp().open(o, p->user, here(now));
  p->ends = t.ends;
  p->user.hold(t);
  p->took = true;
  began_ = now;
  parties_.push_back(std::move(p));
  return parties_.back()->user;
}

user& host::listens(const habits& h, const tcp::listen_options& o, std::uint64_t own, std::uint64_t peer,
                    std::uint64_t expected) {
  auto p = std::make_unique<party>(party{.user = {stack_, h, own, peer, expected}});
  p->listener = *stack_.tcp().listen(o, *this);
  parties_.push_back(std::move(p));
  return parties_.back()->user;
}

void host::on_datagram(wire::octets datagram, instant now) {
  const buffer_ref b = stack_.pool().fitting(datagram.size());
  std::memcpy(b->room().data(), datagram.data(), datagram.size());
  stack_.on_packet({.octets = pool::view(b, datagram.size())}, here(now));
}

void host::on_deadline(instant now) {
  if (stack_.next_deadline() <= here(now)) stack_.on_deadline(here(now));
}

void host::accept() {
  acceptable_ = false;
  for (auto& p : parties_) {
    if (p->took) continue;
    tcp::tcb* t = stack_.tcp().accept(*p->listener, p->user);
    if (!t) continue;
    p->took = true;
    p->ends = t->ends;
    p->user.hold(*t);
    p->user.on_events({.readable = true});
  }
}

void host::act(drivers::path& out, instant now) {
  if (acceptable_) accept();
  for (auto& p : parties_) {
    if (p->user.due(here(now))) p->user.act(here(now));
  }
  while (stack_.poll_transmit(frame_, here(now))) {
    std::byte* to = scratch_.data();
    std::memcpy(to, frame_.header_room.data(), frame_.header_size);
    to += frame_.header_size;
    for (const slice& s : frame_.text) {
      std::memcpy(to, s.data(), s.size());
      to += s.size();
    }
    cutter_.begin(std::span{scratch_.data(), to}, frame_.segment_size, frame_.partial_checksum);
    for (auto piece = cutter_.next(); !piece.empty(); piece = cutter_.next()) out.push(piece, now);
  }
}

instant host::next_deadline() {
  instant next = stack_.next_deadline();
  for (const auto& p : parties_) next = std::min(next, p->user.wakes_at());
  return next == never ? never : next - options_.ahead;
}

std::string host::fault() {
  std::uint64_t charged = 0;
  bool all_known = true;
  for (auto& p : parties_) {
    if (!p->user.fault().empty()) return p->user.fault();
    const tcp::tcb* t = p->user.connection();
    if (!t) {
      all_known = false;
      continue;
    }
    charged += t->charge;
    if (std::string wrong = p->watch.check(*t); !wrong.empty()) return wrong;
  }
  if (all_known && charged != stack_.tcp().memory_used()) return "the stack counts other memory than it holds";
  return {};
}

bool host::busy() const {
  return std::ranges::any_of(parties_, [](const auto& p) {
    const tcp::tcb* t = p->user.connection();
    return !p->user.gone() && !(t && t->state == tcp::state::time_wait);
  });
}

bool host::finished() {
  return std::ranges::all_of(parties_, [](const auto& p) { return p->user.gone(); }) &&
         stack_.tcp().connections() == 0 && !stack_.has_output();
}

std::string host::leak() {
  if (stack_.pool().in_use() > 0) return std::to_string(stack_.pool().in_use()) + " buffers leak";
  if (stack_.tcp().memory_used() > 0) return "memory of no connection is counted";
  if (stack_.tcp().in_time_wait() > 0) return "TIME-WAIT is counted wrong";
  if (stack_.next_deadline() != never) return "a timer runs for nobody";
  if (stack_.counters().established > 0) return "established connections are counted that are no more";
  return {};
}

std::uint64_t host::progress() const {
  std::uint64_t n = states_;
  for (const auto& p : parties_) n += p->user.read();
  return n;
}

instant host::pause(instant now) const {
  instant until{};
  for (const auto& p : parties_) {
    if (const instant at = p->user.wakes_at(); at != never && at > here(now))
      until = std::max(until, at - options_.ahead);
  }
  return until;
}

std::string host::describe() const {
  std::ostringstream out;
  out << options_.name << ':';
  for (const auto& p : parties_) {
    const tcp::tcb* t = p->user.connection();
    out << " wrote " << p->user.written() << ", read " << p->user.read() << " of " << p->user.expected() << ", "
        << (t                ? tcp::name(t->state)
            : p->user.gone() ? "gone"
                             : "not there yet");
    if (!t) continue;
    out << " (" << t->outstanding() << " outstanding, window " << t->snd.wnd << ", phase "
        << tcp::name(t->recovery.phase);
    if (t->cc) out << ", cwnd " << t->cc->cwnd() << ", pace " << t->cc->pacing_rate() << " octets/s";
    out << ')';
  }
  return out.str();
}

// --- The transcript, and what is watched on the way.

host::party* host::find(const four_tuple& ends) {
  for (auto& p : parties_) {
    if (p->ends == ends) return p.get();
    // Not accepted yet, but it comes to this listener.
    if (!p->took && p->listener->options.local.port == ends.local.port) return p.get();
  }
  return nullptr;
}

std::ostream& host::line(const four_tuple& ends, instant now) {
  *transcript_ << std::fixed << std::setprecision(6) << std::setw(12)
               << std::chrono::duration<double>(now - options_.ahead - began_).count() << "  " << options_.name << ' '
               << ends.local.port << "  ";
  return *transcript_;
}

void host::on_segment(bool sent, const four_tuple& ends, const wire::tcp_header& h, std::uint32_t text, instant now) {
  party* p = find(ends);
  if (!p) return;
  if (sent && p->took) p->watch.on_sent(h, p->user.connection());
  if (!transcript_) return;
  if (h.flags.syn) (sent ? p->iss : p->irs) = h.seq_number;
  const wire::print_base base = sent ? wire::print_base{p->iss, p->irs} : wire::print_base{p->irs, p->iss};
  line(ends, now) << (sent ? "sends  " : "takes  ") << wire::print(h, text, base) << '\n';
}

void host::on_state(const four_tuple& ends, tcp::state, tcp::state to, instant now) {
  ++states_;
  if (transcript_) line(ends, now) << tcp::name(to) << '\n';
}

void host::on_phase(const four_tuple& ends, tcp::recovery_phase, tcp::recovery_phase to, instant now) {
  if (transcript_) line(ends, now) << "phase " << tcp::name(to) << '\n';
}

void host::on_loss(const four_tuple& ends, std::uint32_t octets, instant now) {
  if (transcript_) line(ends, now) << "takes " << octets << " octets for lost\n";
}

void host::on_window(const four_tuple& ends, std::uint32_t cwnd, std::uint32_t ssthresh, instant now) {
  if (transcript_) line(ends, now) << "cwnd " << cwnd << " ssthresh " << ssthresh << '\n';
}

}  // namespace tunic::sim
