#include "stack/asio/tcp_acceptor.hpp"

#include <asio/error.hpp>

namespace tunic::detail {
namespace {

constexpr std::uint16_t first_ephemeral_port = 49152;  // RFC 6335 §6
constexpr std::uint16_t last_ephemeral_port = 65535;

}  // namespace

listening::listening(pump& host, const tcp::listen_options& wanted,
                     std::function<tcp::verdict(const four_tuple&)> on_syn)
    : attachment(host), on_syn_(std::move(on_syn)) {
  tcp::listen_options o = wanted;
  o.no_delay = settings_.no_delay;
  const bool any_port = o.local.port == 0;
  if (any_port) o.local.port = first_ephemeral_port;
  auto made = host.stack().tcp().listen(o, *this);
  while (!made && any_port && made.error() == std::errc::address_in_use && o.local.port < last_ephemeral_port) {
    ++o.local.port;
    made = host.stack().tcp().listen(o, *this);
  }
  if (!made) throw std::system_error(to_asio(made.error()), "cannot listen on " + o.local.to_string());
  listener_ = *made;
}

std::unique_ptr<connection> listening::accept() {
  if (!listener_ || listener_->accept_queue.size() == 0) return nullptr;
  auto c = std::make_unique<connection>(host());
  if (!c->accept(*listener_)) return nullptr;
  if (settings_.live != tcp::liveness{} || settings_.linger) c->set(settings_);
  return c;
}

void listening::start(accept_operation& o) {
  accepting_.push_back(o);
  on_acceptable();
}

void listening::start(wait_operation& o) {
  waiting_.push_back(o);
  on_acceptable();
}

void listening::on_acceptable() {
  while (!accepting_.empty()) {
    auto& o = static_cast<accept_operation&>(*accepting_.front());
    o.accepted = accept();
    if (!o.accepted) return;
    host().complete(o);
  }
  if (listener_->accept_queue.size() > 0)
    while (!waiting_.empty()) host().complete(*waiting_.front());
}

tcp::verdict listening::on_syn(const four_tuple& ends) {
  return on_syn_ ? on_syn_(ends) : tcp::verdict::accept;
}

void listening::set(const socket_settings& s) {
  settings_ = s;
  tcp::listen_options& o = listener_->options;
  o.no_delay = s.no_delay;
  o.hop_limit = s.hop_limit;
  o.tos = s.tos;
  o.receive_buffer = s.receive_buffer;
  o.send_buffer = s.send_buffer;
  o.fast_open = s.use_if(s.fast_open > 0);
  o.fast_open_limit = s.fast_open;
}

void listening::cancel() {
  while (!accepting_.empty()) host().complete(*accepting_.front(), asio::error::operation_aborted);
  while (!waiting_.empty()) host().complete(*waiting_.front(), asio::error::operation_aborted);
}

void listening::close() {
  cancel();
  if (!listener_) return;
  host().stack().tcp().close(*std::exchange(listener_, nullptr), host().now());
  host().flush();
}

}  // namespace tunic::detail

namespace tunic::tcp {

acceptor::acceptor(host& h, const acceptor_options& o) : pump_(h.pump()) {
  if (o.backlog == 0)
    throw std::invalid_argument("tunic::tcp::acceptor: a backlog of 0 accepts nothing: give 1 or more");
  const address local = o.address ? o.address->value : address{};
  listen({.local = {local, o.port}, .v6_only = o.v6_only, .backlog = o.backlog}, o.on_syn);
  if (o.fast_open > 0) set_option(tcp::fast_open{static_cast<int>(o.fast_open)});
}

acceptor::acceptor(host& h, const endpoint_type& local) : pump_(h.pump()) {
  listen({.local = from_asio(local)}, {});
}

void acceptor::listen(const listen_options& o, std::function<verdict(const four_tuple&)> on_syn) {
  if (!pump_->is_open()) throw std::system_error(asio::error::operation_aborted, "the host is closed");
  listening_ = std::make_unique<detail::listening>(*pump_, o, std::move(on_syn));
}

acceptor& acceptor::operator=(acceptor&& other) noexcept {
  if (this != &other) {
    listening_ = std::move(other.listening_);  // first: the old one still needs its pump
    pump_ = other.pump_;
  }
  return *this;
}

std::error_code acceptor::closed() const {
  if (is_open()) return {};
  return pump_->is_open() ? asio::error::bad_descriptor : asio::error::operation_aborted;
}

socket acceptor::accept(std::error_code& e) {
  e = closed();
  auto c = e ? nullptr : listening_->accept();
  if (!e && !c) e = asio::error::would_block;
  return socket{pump_, std::move(c)};
}

socket acceptor::accept() {
  std::error_code e;
  socket s = accept(e);
  detail::throw_if(e, "accept");
  return s;
}

void acceptor::cancel() {
  if (listening_) listening_->cancel();
}

void acceptor::close() {
  if (listening_) listening_->close();
}

acceptor::endpoint_type acceptor::local_endpoint(std::error_code& e) const {
  e = closed();
  return e ? endpoint_type{} : to_asio<asio::ip::tcp>(listening_->listener()->options.local);
}

acceptor::endpoint_type acceptor::local_endpoint() const {
  std::error_code e;
  const endpoint_type local = local_endpoint(e);
  detail::throw_if(e, "local_endpoint");
  return local;
}

void acceptor::get_option(asio::ip::v6_only& o, std::error_code& e) const {
  e = closed();
  if (!e) o = listening_->listener()->options.v6_only;
}

}  // namespace tunic::tcp
