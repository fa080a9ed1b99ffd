#include "tests/support/sim.hpp"

#include <algorithm>
#include <sstream>

#include "stack/wire/print.hpp"

namespace tunic::test {
namespace {

std::byte pattern(std::uint64_t offset, std::uint64_t salt) {
  return static_cast<std::byte>((offset * 131 + (offset >> 8) * 7 + salt) & 0xff);
}

stack_config config_of(const char* own) {
  stack_config c;
  c.ip.addresses = {*prefix::parse(own)};
  return c;
}

}  // namespace

// A stack with a user that writes a pattern, reads and checks the peer's, and closes when both are done.
struct sim::host final : tcp::user, tcp::listener_user, tcp::observer {
  host(const char* own, const secret& key, const sim_side& s, std::uint64_t salt, std::uint64_t peer_salt,
       std::vector<std::string>* trace)
      : stack(config_of(own), key, trace ? this : nullptr),
        side(s),
        salt_(salt),
        peer_salt_(peer_salt),
        trace_(trace) {}

  void on_segment(bool sent, const four_tuple& ends, const wire::tcp_header& h, std::uint32_t text,
                  instant now) override {
    std::ostringstream out;
    out << std::chrono::duration<double>(now.time_since_epoch()).count() << ' ' << ends.local.to_string()
        << (sent ? " sends " : " gets  ") << wire::print(h, text);
    trace_->push_back(out.str());
  }
  void on_state(const four_tuple& ends, tcp::state, tcp::state to, instant) override {
    trace_->push_back(ends.local.to_string() + " -> " + std::string{tcp::name(to)});
  }

  void on_events(tcp::events e) override {
    if (e.closed) {
      error = tcp::layer::error(*tcb);
      closed = true;
    }
    due = true;
  }
  void on_acceptable() override { due = true; }

  // What the user does when it looks: writes as much as is taken, reads unless it pauses.
  void act(instant now) {
    if (!tcb && listener) tcb = stack.tcp().accept(*listener, *this);
    if (!tcb || released) return;
    if (!closed) write(now);
    if (now >= read_again) read(now);
    if (closed || (at_end && close_called && tcb->state == tcp::state::time_wait)) {
      stack.tcp().release(*tcb, now);
      released = true;
    }
    due = false;
  }

  void write(instant now) {
    std::array<std::byte, 8192> text{};
    while (written < side.octets) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(text.size(), side.octets - written));
      for (std::size_t i = 0; i < n; ++i) text[i] = pattern(written + i, salt_);
      const std::size_t taken = stack.tcp().send(*tcb, std::span{text}.first(n));
      written += taken;
      if (taken < n) return;
    }
    if (!close_called && tcb->synchronised()) {
      close_called = true;
      stack.tcp().close(*tcb, now);
    }
  }

  void read(instant now) {
    std::vector<std::byte> text(side.read_size);
    for (;;) {
      const std::size_t n = stack.tcp().receive(*tcb, text);
      for (std::size_t i = 0; i < n && wrong.empty(); ++i)
        if (text[i] != pattern(received + i, peer_salt_)) wrong = "wrong octet at " + std::to_string(received + i);
      received += n;
      at_end = tcp::layer::at_end(*tcb);
      if (n == 0) return;
      if (side.read_pause > duration{}) {
        read_again = now + side.read_pause;
        return;
      }
    }
  }

  tunic::stack stack;
  sim_side side;
  tcp::tcb* tcb = nullptr;
  tcp::listener* listener = nullptr;
  std::uint64_t written = 0;
  std::uint64_t received = 0;
  bool close_called = false;
  bool at_end = false;
  bool closed = false;
  bool released = false;
  bool due = true;
  instant read_again{};
  instant wire_free{};  // when the bottleneck has sent what it has
  std::size_t queued = 0;
  std::error_code error;
  std::string wrong;

 private:
  std::uint64_t salt_;
  std::uint64_t peer_salt_;
  std::vector<std::string>* trace_;
};

sim::sim(const sim_path& path, const sim_side& client, const sim_side& server, std::vector<std::string>* trace)
    : path_(path),
      random_(path.seed * 0x9e3779b97f4a7c15u + 1),
      start_(std::chrono::seconds{draw() % 20000}),
      now_(start_),
      trace_(trace) {
  secret keys[2]{};
  for (auto& key : keys)
    for (auto& octet : key) octet = static_cast<std::uint8_t>(draw());
  client_ = std::make_unique<host>("198.51.100.1/24", keys[0], client, 3, 101, trace_);
  server_ = std::make_unique<host>("198.51.100.2/24", keys[1], server, 101, 3, trace_);
  tcp::listen_options l;
  l.local = {address::v4(0), 80};
  l.receive_buffer = server.receive_buffer;
  server_->listener = *server_->stack.tcp().listen(l, *server_);
  tcp::open_options o;
  o.remote = {*address::parse("198.51.100.2"), 80};
  o.receive_buffer = client.receive_buffer;
  client_->tcb = *client_->stack.tcp().open(o, *client_, now_);
}

sim::~sim() = default;

std::uint64_t sim::draw() {  // xorshift64*
  random_ ^= random_ >> 12;
  random_ ^= random_ << 25;
  random_ ^= random_ >> 27;
  return random_ * 0x2545f4914f6cdd1du;
}

bool sim::chance(double p) {
  return p > 0 && static_cast<double>(draw() >> 11) / 9007199254740992.0 < p;
}

std::uint64_t sim::retransmits() const {
  return client_->stack.counters().retransmits + server_->stack.counters().retransmits;
}

void sim::put_on_wire(host& to, const frame& f) {
  host& from = &to == client_.get() ? *server_ : *client_;
  if (chance(path_.loss)) return;
  const auto on_wire = duration{static_cast<std::int64_t>(f.size() * 8 * 1'000'000'000 / path_.rate)};
  from.wire_free = std::max(from.wire_free, now_);
  if (from.wire_free - now_ > on_wire * static_cast<std::int64_t>(path_.queue)) return;
  from.wire_free += on_wire;
  arrival a{&to, {f.header().begin(), f.header().end()}};
  for (const slice& s : f.text) a.octets.insert(a.octets.end(), s.octets().begin(), s.octets().end());
  if (chance(path_.corrupt)) a.octets[draw() % a.octets.size()] ^= static_cast<std::byte>(1u << draw() % 8);
  const auto late = path_.jitter > duration{}
                        ? duration{static_cast<std::int64_t>(draw() % static_cast<std::uint64_t>(path_.jitter.count()))}
                        : duration{};
  const instant at = from.wire_free + path_.delay + late;
  if (chance(path_.duplicate)) wire_.emplace(at + path_.delay / 2, a);
  wire_.emplace(at, std::move(a));
}

void sim::transmit(host& from) {
  host& to = &from == client_.get() ? *server_ : *client_;
  frame f;
  while (from.stack.poll_transmit(f, now_)) put_on_wire(to, f);
}

std::string sim::run(duration limit) {
  const auto describe = [&](const std::string& what) {
    std::ostringstream out;
    out << what << " after " << std::chrono::duration<double>(elapsed()).count() << " s; seed " << path_.seed;
    for (const host* h : {client_.get(), server_.get()}) {
      out << "; " << (h == client_.get() ? "client" : "server") << " wrote " << h->written << " read " << h->received
          << ' ' << (h->tcb && !h->released ? tcp::name(h->tcb->state) : "gone");
      if (h->error) out << " (" << h->error.message() << ')';
    }
    return out.str();
  };
  for (;;) {
    for (host* h : {client_.get(), server_.get()}) {
      if (h->due || (h->tcb && !h->released && now_ >= h->read_again)) h->act(now_);
      transmit(*h);
      if (!h->wrong.empty()) return describe(h->wrong);
      const host& peer = h == client_.get() ? *server_ : *client_;
      if (h->received > peer.written) return describe("more received than sent");
      if (h->error) return describe("connection failed");
    }
    const bool done = client_->released && server_->released && client_->stack.tcp().connections() == 0 &&
                      server_->stack.tcp().connections() == 0;
    if (done) break;
    instant next = wire_.empty() ? never : wire_.begin()->first;
    for (host* h : {client_.get(), server_.get()}) {
      next = std::min(next, h->stack.next_deadline());
      if (h->read_again > now_ && h->tcb && !h->released) next = std::min(next, h->read_again);
    }
    if (next == never) return describe("stalled for ever");
    if (next - start_ > limit) return describe("not done");
    now_ = std::max(now_, next);
    while (!wire_.empty() && wire_.begin()->first <= now_) {
      const auto node = wire_.extract(wire_.begin());
      host& to = *node.mapped().to;
      const auto& octets = node.mapped().octets;
      const buffer_ref b = to.stack.pool().fitting(octets.size());
      std::copy(octets.begin(), octets.end(), b->room().begin());
      to.stack.on_packet({pool::view(b, octets.size()), 0, checksum_state::unknown}, now_);
    }
    for (host* h : {client_.get(), server_.get()}) h->stack.on_deadline(now_);
  }
  if (client_->received != server_->written || server_->received != client_->written)
    return describe("octets are missing");
  wire_.clear();
  if (client_->stack.pool().in_use() + server_->stack.pool().in_use() != 0) return describe("buffers leak");
  return {};
}

}  // namespace tunic::test
