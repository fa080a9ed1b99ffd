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
                       owner& o)
    : network_(n), owner_(o), wishes_(w) {
  tcp::open_options options;
  options.remote = remote;
  if (local && !local->address.is_unspecified()) options.local_address = local->address;
  if (local) options.local_port = local->port;
  fill(options, w);
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
  if (tcb_) apply(w);
}

connection::~connection() {
  if (!tcb_) return;
  network_.tcp().release(*tcb_, network_.now());
  network_.pump();
}

void connection::on_events(tcp::events e) {
  if (e.closed) {
    error_ = tcp::layer::error(*tcb_).value();
    // Linux tells a writer whose peer had closed before that nobody reads any more.
    if (error_ == ECONNRESET && peer_has_closed() && !tcb_->closing) error_ = EPIPE;
    if (error_ == ECONNABORTED) error_ = 0;  // we did that ourselves
  }
  owner_.on_connection(e);
}

std::size_t connection::send(std::span<const std::byte> octets) {
  return network_.tcp().send(*tcb_, octets);
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
  return network_.tcp().send_room(*tcb_) >= queued() / 2 && network_.tcp().send_room(*tcb_) > 0;
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
}

std::unique_ptr<connection> listener::accept(const wishes& w, connection::owner& o) {
  auto c = std::make_unique<connection>(network_, *listener_, w, o);
  return c->open() ? std::move(c) : nullptr;
}

}  // namespace tunic::packetdrill
