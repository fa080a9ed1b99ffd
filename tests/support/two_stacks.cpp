#include "tests/support/two_stacks.hpp"

#include <algorithm>
#include <cstdio>

#include <gtest/gtest.h>

#include "stack/wire/ipv4.hpp"
#include "stack/wire/print.hpp"
#include "tests/support/script.hpp"

namespace tunic::test {
namespace {

constexpr std::array names{"client", "server"};
constexpr std::array addresses{"198.51.100.1/24", "198.51.100.2/24"};
constexpr duration delay = 1ms;

}  // namespace

struct two_stacks::side final : tcp::observer, tcp::listener_user {
  side(two_stacks& all, std::size_t which, const tcp::config& c) : all_(all), which_(which) {
    stack_config s;
    s.ip.addresses = {*prefix::parse(addresses[which])};
    s.tcp = c;
    secret key{};
    key[0] = static_cast<std::uint8_t>(which + 1);
    stack = std::make_unique<tunic::stack>(s, key, this);
  }

  void on_segment(bool sent, const four_tuple& ends, const wire::tcp_header& h, std::uint32_t text, instant) override {
    const std::uint16_t port = (which_ == 0 ? ends.local : ends.remote).port;
    const auto known = all_.connections_.find(port);
    if (!sent || known == all_.connections_.end()) return;
    auto& first = known->second.first;
    if (h.flags.syn) first[which_] = h.seq_number;
    wire::tcp_header plain = h;
    plain.options = {};
    std::string line = wire::print(plain, text, {first[which_], first[1 - which_]});
    line.resize(line.find(" win "));
    all_.say(which_, ends, line);
  }
  void on_state(const four_tuple&, tcp::state, tcp::state, instant) override {}
  void on_acceptable() override {}

  std::unique_ptr<tunic::stack> stack;
  tcp::listener* listener = nullptr;

 private:
  two_stacks& all_;
  std::size_t which_;
};

two_stacks::two_stacks(const tcp::config& client, const tcp::config& server)
    : sides_{std::make_unique<side>(*this, 0, client), std::make_unique<side>(*this, 1, server)} {}

two_stacks::~two_stacks() {
  for (const auto& u : users_)
    if (u->tcb_) sides_[u->side_]->stack->tcp().release(*u->tcb_, now_);
}

void two_stacks::user::on_events(tcp::events e) {
  if (!e.closed) return;
  const auto why = tcp::layer::error(*tcb_);
  all_->say(side_, tcb_->ends, why ? "is told: " + why.message() : "is told: closed");
}

std::size_t two_stacks::user::sends(std::string_view text) {
  return all_->sides_[side_]->stack->tcp().send(*tcb_, std::as_bytes(std::span{text}));
}

std::string two_stacks::user::receives() {
  auto& tcp = all_->sides_[side_]->stack->tcp();
  std::string text(tcp.available(*tcb_), '\0');
  tcp.receive(*tcb_, std::as_writable_bytes(std::span{text}));
  return text;
}

void two_stacks::user::closes() {
  all_->sides_[side_]->stack->tcp().close(*tcb_, all_->now_);
}

void two_stacks::user::releases(std::optional<duration> linger) {
  all_->sides_[side_]->stack->tcp().release(*std::exchange(tcb_, nullptr), all_->now_, linger);
}

void two_stacks::user::keeps_alive(const tcp::liveness& l) {
  all_->sides_[side_]->stack->tcp().set_liveness(*tcb_, l, all_->now_);
}

tcp::status two_stacks::user::status() const {
  return all_->sides_[side_]->stack->tcp().status(*tcb_, all_->now_);
}

stack& two_stacks::client() {
  return *sides_[0]->stack;
}

stack& two_stacks::server() {
  return *sides_[1]->stack;
}

bool two_stacks::acceptable() const {
  return sides_[1]->listener->accept_queue.size() > 0;
}

void two_stacks::server_listens(std::size_t backlog) {
  tcp::listen_options options;
  options.backlog = backlog;
  options.local = {address::v4(0), port};
  sides_[1]->listener = *server().tcp().listen(options, *sides_[1]);
}

void two_stacks::server_stops_listening() {
  server().tcp().close(*std::exchange(sides_[1]->listener, nullptr), now_);
}

two_stacks::user& two_stacks::client_opens(std::uint16_t local_port) {
  tcp::open_options options;
  options.local_port = local_port;
  options.remote = {*address::parse("198.51.100.2"), port};
  auto& made = *users_.emplace_back(std::make_unique<user>(*this, 0));
  const auto opened = client().tcp().open(options, made, now_);
  if (!opened) throw std::system_error(opened.error());
  made.tcb_ = *opened;
  connections_[made.tcb_->ends.local.port] = {++opened_, {}};
  return made;
}

two_stacks::user& two_stacks::server_accepts() {
  auto& made = *users_.emplace_back(std::make_unique<user>(*this, 1));
  made.tcb_ = server().tcp().accept(*sides_[1]->listener, made);
  if (!made.tcb_) throw std::runtime_error("nothing to accept");
  return made;
}

void two_stacks::transmit(std::size_t from) {
  frame f;
  while (sides_[from]->stack->poll_transmit(f, now_)) {
    std::vector<std::byte> octets(f.header().begin(), f.header().end());
    for (const slice& s : f.text) octets.insert(octets.end(), s.octets().begin(), s.octets().end());
    const auto h = wire::parse_ipv4(octets);
    ASSERT_TRUE(h);
    if (h->destination != prefix::parse(addresses[1 - from])->address) {
      ++stray_;
      continue;
    }
    wire_.emplace(now_ + delay, std::pair{1 - from, std::move(octets)});
  }
}

void two_stacks::arrive() {
  while (!wire_.empty() && wire_.begin()->first <= now_) {
    const auto node = wire_.extract(wire_.begin());
    const auto& [to, octets] = node.mapped();
    stack& s = *sides_[to]->stack;
    const buffer_ref b = s.pool().fitting(octets.size());
    std::copy(octets.begin(), octets.end(), b->room().begin());
    s.on_packet({pool::view(b, octets.size()), 0, checksum_state::unknown}, now_);
  }
}

void two_stacks::server_gets(std::vector<std::byte> datagram) {
  wire_.emplace(now_, std::pair{std::size_t{1}, std::move(datagram)});
}

void two_stacks::passes(duration d) {
  const instant until = now_ + d;
  for (;;) {
    arrive();
    for (std::size_t i : {0, 1}) {
      sides_[i]->stack->on_deadline(now_);
      transmit(i);
    }
    instant next = wire_.empty() ? never : wire_.begin()->first;
    for (const auto& s : sides_) next = std::min(next, s->stack->next_deadline());
    if (next > until) break;
    now_ = std::max(now_, next);
  }
  now_ = until;
}

void two_stacks::say(std::size_t of, const four_tuple& ends, std::string_view what) {
  const std::size_t n = connections_.at((of == 0 ? ends.local : ends.remote).port).connection;
  notes(std::string{names[of]} + (n > 1 ? " " + std::to_string(n) : "") + "  " + std::string{what});
}

void two_stacks::notes(std::string_view text) {
  std::array<char, 32> time{};
  std::snprintf(time.data(), time.size(), "%6lld ms  ", static_cast<long long>((now_ - start_) / 1ms));
  transcript_ += std::string{time.data()} + std::string{text} + '\n';
}

std::vector<std::byte> datagram_of(const endpoint& from, const endpoint& to, wire::tcp_header h) {
  h.source_port = from.port;
  h.destination_port = to.port;
  std::vector<std::byte> octets(120);
  const std::size_t size = 20 + wire::emit_tcp(h, std::span{octets}.subspan(20));
  octets.resize(size);
  wire::ipv4_header ip;
  ip.source = from.address, ip.destination = to.address, ip.protocol = 6;
  ip.total_length = static_cast<std::uint16_t>(size);
  wire::emit_ipv4(ip, octets);
  repair_checksums(octets);
  return octets;
}

}  // namespace tunic::test
