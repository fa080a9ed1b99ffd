#include "packetdrill/connection.hpp"

#include <algorithm>
#include <cerrno>

namespace tunic::packetdrill {
namespace {

// What both opens are told.
template <class Options>
void fill(Options& o, const wishes& w) {
  o.no_delay = w.no_delay;
  o.mss = w.mss;
  o.tos = w.tos;
  o.hop_limit = w.hop_limit;
  o.receive_buffer = w.receive_buffer;
  o.send_buffer = w.send_buffer;
}

}  // namespace

connection::connection(network& n, const endpoint& remote, const std::optional<endpoint>& local, const wishes& w,
                       bool fast, owner& o)
    : network_(n), owner_(o), wishes_(w) {
  tcp::open_options options;
  options.remote = remote;
  if (local && !local->address.is_unspecified()) options.local_address = local->address;
  if (local) options.local_port = local->port;
  fill(options, w);
  if (fast) options.fast_open = client_use(w.fast_open, network_.sysctls());
  options.wait_for_text = fast;
  const auto opened = network_.tcp().open(options, *this, network_.now());
  if (!opened) {
    error_ = opened.error().value();
    return;
  }
  tcb_ = *opened;
  apply(w);
  network_.pump();
}

connection::connection(network& n, tcp::listener& from, const wishes& w, owner& o)
    : network_(n), owner_(o), tcb_(n.tcp().accept(from, *this)), wishes_(w) {
  if (!tcb_) return;
  apply(w);
  if (closed()) take_closed();  // the peer has reset it meanwhile
}

connection::~connection() {
  if (!tcb_) return;
  network_.tcp().release(*tcb_, network_.now());
  network_.pump();
}

void connection::on_events(tcp::events e) {
  if (e.closed) take_closed();
  owner_.on_connection(e);
}

void connection::take_closed() {
  error_ = tcp::layer::error(*tcb_).value();
  // Linux tells a writer whose peer had closed before that nobody reads any more.
  if (error_ == ECONNRESET && peer_has_closed() && !tcb_->closing) error_ = EPIPE;
  if (error_ == ECONNABORTED) error_ = 0;  // we did that ourselves
}

std::size_t connection::send_at_once(std::span<const std::byte> octets) {
  return network_.tcp().send(*tcb_, octets);
}

// Linux looks for room before it begins one of its buffers, each of half the peer's window, and fills that whole then:
// its limits are exceeded by as much.
std::size_t connection::send(std::span<const std::byte> octets, tcp::ending e) {
  constexpr std::uint32_t most = 65536 - 320;  // a super-segment, with room for headers
  tcp::layer& layer = network_.tcp();
  const tcp::status s = status();
  const std::uint32_t size = std::min(tcb_->snd.max_wnd / 2, most);
  const std::uint32_t buffer = std::max<std::uint32_t>(size - size % s.mss, s.mss);
  const std::size_t begun = unsent() % buffer;
  const bool full = queued() >= s.send_buffer || (unsent_limit() != 0 && unsent() >= unsent_limit());
  if (begun == 0 && full) return layer.send(*tcb_, octets, e);
  const std::size_t n = std::min(octets.size(), buffer - begun);
  layer.set_send_buffer(*tcb_, static_cast<std::uint32_t>(queued() + n));
  layer.set_unsent_limit(*tcb_, 0);
  const std::size_t taken = layer.send(*tcb_, octets.first(n), n < octets.size() ? tcp::ending::more : e);
  layer.set_send_buffer(*tcb_, wishes_.send_buffer);
  layer.set_unsent_limit(*tcb_, unsent_limit());
  return taken;
}

void connection::flush() {
  network_.tcp().set_no_delay(*tcb_, true);
  network_.pump();
}

std::size_t connection::receive(std::span<std::byte> to) {
  const std::size_t n = network_.tcp().receive(*tcb_, to);
  network_.pump();
  return n;
}

std::size_t connection::discard(std::size_t most) {
  const std::size_t n = std::min(most, available());
  network_.tcp().consume(*tcb_, n);
  network_.pump();
  return n;
}

std::span<const std::byte> connection::peek() const {
  return network_.tcp().peek(*tcb_);
}

std::size_t connection::available() const {
  return network_.tcp().available(*tcb_);
}

std::size_t connection::queued() const {
  return static_cast<std::size_t>(status().send_queued);
}

std::size_t connection::unsent() const {
  const tcp::status s = status();
  return static_cast<std::size_t>(s.send_queued) - std::min<std::size_t>(s.send_queued, s.in_flight);
}

bool connection::writable() const {
  const std::size_t limit = status().send_buffer;
  const bool room = queued() < limit && limit - queued() >= queued() / 2;
  return room && (unsent_limit() == 0 || 2 * unsent() < unsent_limit());
}

// The largest setting, which is Linux's default, means none.
std::uint32_t connection::unsent_limit() const {
  const std::uint32_t wished = wishes_.unsent_limit;
  const std::uint32_t limit = wished != 0 ? wished : network_.sysctls().number("ipv4/tcp_notsent_lowat", ~0u);
  return limit == ~0u ? 0 : limit;
}

void connection::shut_send() {
  network_.tcp().close(*tcb_, network_.now());
  network_.pump();
}

void connection::abort() {
  network_.tcp().abort(*tcb_, network_.now());
  network_.pump();
}

void connection::apply(const wishes& w) {
  tcp::layer& layer = network_.tcp();
  wishes_ = w;
  if (w.cork != tcb_->corked) layer.set_cork(*tcb_, w.cork);
  layer.set_unsent_limit(*tcb_, unsent_limit());
  if (w.no_delay != tcb_->no_delay) layer.set_no_delay(*tcb_, w.no_delay);
  if (const auto live = filled_in(w.live, layer.settings()); live != tcb_->live)
    layer.set_liveness(*tcb_, live, network_.now());
  if (w.receive_buffer != 0 && w.receive_buffer != tcb_->receive_buffer)
    layer.set_receive_buffer(*tcb_, w.receive_buffer);
  if (w.send_buffer != 0 && w.send_buffer != tcb_->send_buffer) layer.set_send_buffer(*tcb_, w.send_buffer);
  network_.pump();
}

tcp::status connection::status() const {
  return network_.tcp().status(*tcb_, network_.now());
}

tcp_info connection::info() const {
  return tcp_info_of(status(), *tcb_);
}

std::uint32_t connection::mss() const {
  return status().mss;
}

std::uint64_t connection::send_buffer() const {
  return status().send_buffer;
}

listener::listener(network& n, const endpoint& local, bool v6_only, std::size_t backlog, const wishes& w, owner& o)
    : network_(n), owner_(o) {
  tcp::listen_options options;
  options.local = local;
  options.v6_only = v6_only;
  options.backlog = backlog;
  fill(options, w);
  fill_fast_open(options, w.fast_open, n.sysctls());
  const auto made = network_.tcp().listen(options, *this);
  if (made) {
    listener_ = *made;
  } else {
    error_ = made.error().value();
  }
}

listener::~listener() {
  if (!listener_) return;
  network_.tcp().close(*listener_, network_.now());
  network_.pump();
}

void listener::apply(const wishes& w) {
  fill(listener_->options, w);
  fill_fast_open(listener_->options, w.fast_open, network_.sysctls());
}

std::unique_ptr<connection> listener::accept(const wishes& w, connection::owner& o) {
  auto c = std::make_unique<connection>(network_, *listener_, w, o);
  return c->open() ? std::move(c) : nullptr;
}

}  // namespace tunic::packetdrill
