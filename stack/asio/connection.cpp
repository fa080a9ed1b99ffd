#include "stack/asio/connection.hpp"

#include <algorithm>
#include <chrono>

#include <asio/error.hpp>

#include "stack/asio/error.hpp"
#include "stack/buffer/shared_octets.hpp"

namespace tunic::detail {

bool connection::accept(tcp::listener& from) {
  const tcp::listen_options& o = from.options;
  tcb_ = layer().accept(from, *this);
  if (!tcb_) return false;
  settings_.no_delay = o.no_delay;
  settings_.hop_limit = o.hop_limit;
  settings_.tos = o.tos;
  settings_.receive_buffer = o.receive_buffer;
  settings_.send_buffer = o.send_buffer;
  return true;
}

void connection::connect(const endpoint& to, ready_operation& o) {
  if (!host().is_open()) return host().complete(o, asio::error::operation_aborted);
  if (tcb_) return host().complete(o, connecting_ ? asio::error::already_started : asio::error::already_connected);
  tcp::open_options open{.remote = to,
                         .local_address = {},
                         .no_delay = settings_.no_delay,
                         .hop_limit = settings_.hop_limit,
                         .tos = settings_.tos,
                         .receive_buffer = settings_.receive_buffer,
                         .send_buffer = settings_.send_buffer,
                         .fast_open = settings_.use_if(settings_.fast_open_connect),
                         .wait_for_text = true};
  if (settings_.bound) {
    open.local_port = settings_.bound->port;
    if (!settings_.bound->address.is_unspecified()) open.local_address = settings_.bound->address;
  }
  const auto opened = layer().open(open, *this, host().now());
  if (!opened) return host().complete(o, to_asio(opened.error()));
  tcb_ = *opened;
  connecting_ = !tcp::layer::waits_for_text(*tcb_);
  read_shut_ = write_shut_ = false;
  layer().set_liveness(*tcb_, settings_.live, host().now());
  if (!connecting_) return host().complete(o);  // the first write sends the SYN
  pending_.push_back(o);
  host().flush();
}

void connection::start(socket_operation& o) {
  std::error_code e;
  if (attempt(o, e))
    host().complete(o, e);
  else
    pending_.push_back(o);
}

bool connection::attempt(socket_operation& o, std::error_code& e) {
  switch (o.what) {
    case wanted::connect: return !connecting_;
    case wanted::read: {
      auto& r = static_cast<read_operation&>(o);
      r.octets = read(r.buffers, e);
      return e != asio::error::would_block;
    }
    case wanted::write: {
      auto& w = static_cast<write_operation&>(o);
      w.octets = write(w.buffers, e);
      return e != asio::error::would_block;
    }
    case wanted::wait_read:
    case wanted::wait_write:
    case wanted::wait_error: break;
  }
  // A wait ends without error when the call it is for would not block, be it for an error; that call tells which.
  if (!tcb_) {
    e = unusable();
    return true;
  }
  if (connecting_) return false;
  if (tcb_->state == tcp::state::closed) return true;
  if (o.what == wanted::wait_read) return layer().available(*tcb_) > 0 || end_of_reading();
  if (o.what == wanted::wait_write) {
    if (end_of_writing() || layer().send_room(*tcb_) > 0) return true;
    static constexpr std::byte none{};
    layer().send(*tcb_, std::span{&none, 1});  // is refused, and so has events::writable follow
  }
  return false;
}

void connection::attempt_all() {
  for (operation *o = pending_.front(), *next = nullptr; o; o = next) {
    next = operation_list::next(*o);
    std::error_code e;
    if (attempt(static_cast<socket_operation&>(*o), e)) host().complete(*o, e);
  }
}

void connection::on_events(tcp::events e) {
  if (connecting_ && (e.established || e.closed)) {
    connecting_ = false;
    if (!e.established) {  // the attempt has failed; another may be made
      std::error_code why = to_asio(tcp::layer::error(*tcb_));
      if (!why) why = asio::error::connection_aborted;
      layer().release(*std::exchange(tcb_, nullptr), host().now());
      while (operation* o = pending_.front()) host().complete(*o, why);
      return;
    }
  }
  attempt_all();
}

std::error_code connection::unusable() const {
  if (!host().is_open()) return asio::error::operation_aborted;
  if (!tcb_) return asio::error::bad_descriptor;
  if (connecting_) return asio::error::not_connected;
  return {};
}

std::error_code connection::end_of_reading() const {
  if (read_shut_ || tcp::layer::at_end(*tcb_)) return asio::error::eof;
  if (tcb_->state != tcp::state::closed) return {};
  const std::error_code e = to_asio(tcp::layer::error(*tcb_));
  return e ? e : asio::error::eof;
}

std::error_code connection::end_of_writing() const {
  if (tcb_->state == tcp::state::closed)
    if (const std::error_code e = to_asio(tcp::layer::error(*tcb_))) return e;
  if (write_shut_ || tcb_->state == tcp::state::closed) return asio::error::broken_pipe;
  return {};
}

std::size_t connection::read(const read_buffers& to, std::error_code& e) {
  e = {};
  if (to.empty() || (e = unusable())) return 0;
  std::size_t n = 0;
  for (const asio::mutable_buffer& b : to) {
    const std::size_t got = layer().receive(*tcb_, {static_cast<std::byte*>(b.data()), b.size()});
    n += got;
    if (got < b.size()) break;
  }
  if (n > 0)
    host().flush();
  else if (!(e = end_of_reading()))
    e = asio::error::would_block;
  return n;
}

std::size_t connection::write(const write_buffers& from, std::error_code& e) {
  e = {};
  if (from.empty() || (e = unusable()) || (e = end_of_writing())) return 0;
  std::size_t n = 0;
  for (const asio::const_buffer& b : from) {
    const std::size_t taken = layer().send(*tcb_, std::span{static_cast<const std::byte*>(b.data()), b.size()});
    n += taken;
    if (taken < b.size()) break;
  }
  if (n > 0)
    host().flush();
  else
    e = asio::error::would_block;
  return n;
}

std::size_t connection::adopt(std::shared_ptr<const void> owner, std::span<const std::byte> octets,
                              std::error_code& e) {
  e = {};
  if (octets.empty() || (e = unusable()) || (e = end_of_writing())) return 0;
  const std::size_t n = std::min(octets.size(), layer().send_room(*tcb_));
  if (n == 0) {
    e = asio::error::would_block;
    return 0;
  }
  layer().send(*tcb_, tunic::adopt(std::move(owner), octets.first(n)));
  host().flush();
  return n;
}

std::span<const std::byte> connection::borrow(std::error_code& e) {
  e = unusable();
  if (e) return {};
  const auto octets = layer().peek(*tcb_);
  if (octets.empty() && !(e = end_of_reading())) e = asio::error::would_block;
  return octets;
}

void connection::consume(std::size_t n) {
  if (!tcb_ || n == 0) return;
  layer().consume(*tcb_, n);
  host().flush();
}

std::size_t connection::available(std::error_code& e) const {
  e = unusable();
  return e ? 0 : layer().available(*tcb_);
}

void connection::bind(const endpoint& local, std::error_code& e) {
  e = {};
  if (!host().is_open())
    e = asio::error::operation_aborted;
  else if (tcb_)
    e = asio::error::invalid_argument;
  else if (!local.address.is_unspecified() && !host().stack().ip().is_ours(local.address))
    e = std::make_error_code(std::errc::address_not_available);
  else
    settings_.bound = local;
}

void connection::shutdown(asio::socket_base::shutdown_type what, std::error_code& e) {
  e = unusable();
  if (!e && tcb_->state == tcp::state::closed) e = asio::error::not_connected;
  if (e) return;
  if (what != asio::socket_base::shutdown_receive) {
    write_shut_ = true;
    layer().close(*tcb_, host().now());
  }
  if (what != asio::socket_base::shutdown_send) {
    read_shut_ = true;
    layer().shut_receive(*tcb_);
  }
  attempt_all();
  host().flush();
}

void connection::close() {
  const std::chrono::seconds linger{settings_.linger_seconds};
  let_go(settings_.linger && linger == linger.zero(),
         settings_.linger ? std::optional<duration>{linger} : std::nullopt);
}

void connection::on_close() {
  let_go(true);
}

void connection::let_go(bool abort, std::optional<duration> linger) {
  abort_pending();
  settings_.bound.reset();
  if (!tcb_) return;
  tcp::tcb& t = *std::exchange(tcb_, nullptr);
  connecting_ = read_shut_ = write_shut_ = false;
  if (abort) layer().abort(t, host().now());
  layer().release(t, host().now(), linger);
  host().flush();
}

void connection::cancel() {
  abort_pending();
}

void connection::abort_pending() {
  while (operation* o = pending_.front()) host().complete(*o, asio::error::operation_aborted);
}

endpoint connection::local(std::error_code& e) const {
  e = {};
  if (tcb_) return tcb_->ends.local;
  if (settings_.bound) return *settings_.bound;
  e = unusable();
  return {};
}

endpoint connection::remote(std::error_code& e) const {
  e = unusable();
  return e ? endpoint{} : tcb_->ends.remote;
}

tcp::status connection::status() const {
  return tcb_ ? layer().status(*tcb_, host().now()) : tcp::status{};
}

socket_settings connection::settings_in_effect() const {
  socket_settings s = settings_;
  if (!host().is_open()) return s;
  if (s.hop_limit == 0) s.hop_limit = host().stack().ip().settings().hop_limit;
  const tcp::status now = status();  // buffers of no stated size grow
  const auto& c = layer().settings();
  if (s.receive_buffer == 0)
    s.receive_buffer = tcb_ ? static_cast<std::uint32_t>(now.receive_buffer) : c.receive_buffer_initial;
  if (s.send_buffer == 0) s.send_buffer = tcb_ ? static_cast<std::uint32_t>(now.send_buffer) : c.send_buffer_initial;
  s.live = filled_in(s.live, layer().settings());
  return s;
}

void connection::set(const socket_settings& s) {
  const socket_settings old = std::exchange(settings_, s);
  if (!tcb_) return;
  if (s.no_delay != old.no_delay) layer().set_no_delay(*tcb_, s.no_delay);
  if (s.live != old.live) layer().set_liveness(*tcb_, s.live, host().now());
  if (s.hop_limit != old.hop_limit) tcb_->hop_limit = s.hop_limit;
  tcb_->tos = s.tos;
  if (s.receive_buffer != old.receive_buffer) layer().set_receive_buffer(*tcb_, s.receive_buffer);
  if (s.send_buffer != old.send_buffer) {
    layer().set_send_buffer(*tcb_, s.send_buffer);
    attempt_all();
  }
  host().flush();
}

}  // namespace tunic::detail
