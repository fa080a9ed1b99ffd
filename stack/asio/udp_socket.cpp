#include "stack/asio/udp_socket.hpp"

#include <algorithm>

#include <asio/error.hpp>

#include "stack/udp/layer.hpp"

namespace tunic::detail {

datagrams::datagrams(pump& host)
    : attachment(host), socket_(host.is_open() ? host.stack().udp().open(this) : nullptr) {}

std::error_code datagrams::unusable() const {
  if (socket_) return {};
  return host().is_open() ? asio::error::bad_descriptor : asio::error::operation_aborted;
}

void datagrams::bind(const endpoint& local, std::error_code& e) {
  if (!(e = unusable())) e = to_asio(socket_->bind(local, v6_only));
}

void datagrams::connect(const endpoint& remote, std::error_code& e) {
  if (!(e = unusable())) e = to_asio(socket_->connect(remote));
}

void datagrams::send(std::span<const std::byte> text, const endpoint* to, std::error_code& e) {
  if ((e = unusable()) || (e = std::exchange(error_, {}))) return;
  if (!to && !socket_->is_connected()) {
    e = asio::error::not_connected;
    return;
  }
  e = to_asio(socket_->send_to(text, to ? *to : socket_->remote(), host().now()));
  host().flush();
}

std::size_t datagrams::receive(const mutable_octets& to, asio::ip::udp::endpoint* sender, std::error_code& e) {
  if ((e = unusable()) || (e = std::exchange(error_, {}))) return 0;
  const auto r = socket_->receive();
  if (!r) {
    e = asio::error::would_block;
    return 0;
  }
  if (sender) *sender = to_asio<asio::ip::udp>(r->source);
  return asio::buffer_copy(to, asio::const_buffer{r->text.data(), r->text.size()});
}

void datagrams::start_receive(datagram_operation& o) {
  std::error_code e;
  o.octets = receive(o.buffers, o.sender, e);
  if (e == asio::error::would_block)
    receiving_.push_back(o);
  else
    host().complete(o, e);
}

void datagrams::start_wait(wait_operation& o, asio::socket_base::wait_type what) {
  const std::error_code e = unusable();
  const bool reads = what == asio::socket_base::wait_read;
  if (e || error_ || what == asio::socket_base::wait_write || (reads && socket_->readable()))
    return host().complete(o, e);
  (reads ? waiting_ : error_waiting_).push_back(o);
}

void datagrams::on_readable() {
  while (!receiving_.empty()) {
    auto& o = static_cast<datagram_operation&>(*receiving_.front());
    std::error_code e;
    o.octets = receive(o.buffers, o.sender, e);
    if (e == asio::error::would_block) return;
    host().complete(o, e);
  }
  if (socket_->readable())
    while (!waiting_.empty()) host().complete(*waiting_.front());
}

void datagrams::on_error(std::error_code e) {
  error_ = detail::to_asio(e);
  if (!receiving_.empty()) host().complete(*receiving_.front(), std::exchange(error_, {}));
  while (!waiting_.empty()) host().complete(*waiting_.front());
  while (!error_waiting_.empty()) host().complete(*error_waiting_.front());
}

void datagrams::cancel() {
  for (operation_list* list : {&receiving_, &waiting_, &error_waiting_})
    while (!list->empty()) host().complete(*list->front(), asio::error::operation_aborted);
}

void datagrams::close() {
  cancel();
  if (!socket_) return;
  host().stack().udp().close(std::exchange(socket_, nullptr));
  host().flush();
}

}  // namespace tunic::detail

namespace tunic::udp {

socket& socket::operator=(socket&& other) noexcept {
  if (this != &other) {
    datagrams_ = std::move(other.datagrams_);  // first: the old one still needs its pump
    pump_ = other.pump_;
  }
  return *this;
}

detail::datagrams& socket::open() {
  if (!datagrams_) datagrams_ = std::make_unique<detail::datagrams>(*pump_);
  return *datagrams_;
}

void socket::bind(const endpoint_type& local, std::error_code& e) {
  open().bind(from_asio(local), e);
}

void socket::bind(const endpoint_type& local) {
  std::error_code e;
  bind(local, e);
  detail::throw_if(e, "bind");
}

void socket::connect(const endpoint_type& remote, std::error_code& e) {
  open().connect(from_asio(remote), e);
}

void socket::connect(const endpoint_type& remote) {
  std::error_code e;
  connect(remote, e);
  detail::throw_if(e, "connect");
}

std::size_t socket::receive(const detail::mutable_octets& to, endpoint_type* sender, std::error_code& e) {
  const std::size_t n = open().receive(to, sender, e);
  if (e == asio::error::would_block && !open().non_blocking) e = asio::error::operation_not_supported;
  return n;
}

std::size_t socket::available(std::error_code& e) const {
  e = datagrams_ ? datagrams_->unusable() : asio::error::bad_descriptor;
  return e ? 0 : datagrams_->socket()->available();
}

void socket::cancel() {
  if (datagrams_) datagrams_->cancel();
}

void socket::close() {
  if (datagrams_) datagrams_->close();
}

socket::endpoint_type socket::local_endpoint(std::error_code& e) const {
  e = datagrams_ ? datagrams_->unusable() : asio::error::bad_descriptor;
  return e ? endpoint_type{} : to_asio<asio::ip::udp>(datagrams_->socket()->local());
}

socket::endpoint_type socket::local_endpoint() const {
  std::error_code e;
  const endpoint_type local = local_endpoint(e);
  detail::throw_if(e, "local_endpoint");
  return local;
}

socket::endpoint_type socket::remote_endpoint(std::error_code& e) const {
  e = datagrams_ ? datagrams_->unusable() : asio::error::bad_descriptor;
  if (!e && !datagrams_->socket()->is_connected()) e = asio::error::not_connected;
  return e ? endpoint_type{} : to_asio<asio::ip::udp>(datagrams_->socket()->remote());
}

socket::endpoint_type socket::remote_endpoint() const {
  std::error_code e;
  const endpoint_type remote = remote_endpoint(e);
  detail::throw_if(e, "remote_endpoint");
  return remote;
}

void socket::set_option(const asio::ip::unicast::hops& o, std::error_code& e) {
  e = open().unusable();
  if (!e && (o.value() < 1 || o.value() > 255)) e = asio::error::invalid_argument;
  if (!e) datagrams_->socket()->settings().hop_limit = static_cast<std::uint8_t>(o.value());
}

void socket::set_option(const dscp& o, std::error_code& e) {
  e = open().unusable();
  if (!e && (o.value() < 0 || o.value() > 63)) e = asio::error::invalid_argument;
  if (!e) datagrams_->socket()->settings().tos = static_cast<std::uint8_t>(o.value() << 2);
}

void socket::set_option(const receive_buffer_size& o, std::error_code& e) {
  e = open().unusable();
  if (!e && o.value() < 1) e = asio::error::invalid_argument;
  if (!e) datagrams_->socket()->settings().receive_buffer = static_cast<std::size_t>(o.value());
}

void socket::set_option(const asio::ip::v6_only& o, std::error_code& e) {
  e = open().unusable();
  if (!e && datagrams_->socket()->is_bound()) e = asio::error::invalid_argument;
  if (!e) datagrams_->v6_only = o.value();
}

void socket::get_option(asio::ip::unicast::hops& o, std::error_code& e) const {
  e = datagrams_ ? datagrams_->unusable() : asio::error::bad_descriptor;
  if (e) return;
  const std::uint8_t own = datagrams_->socket()->settings().hop_limit;
  o = own != 0 ? own : pump_->stack().ip().settings().hop_limit;
}

void socket::get_option(dscp& o, std::error_code& e) const {
  e = datagrams_ ? datagrams_->unusable() : asio::error::bad_descriptor;
  if (!e) o = datagrams_->socket()->settings().tos >> 2;
}

void socket::get_option(receive_buffer_size& o, std::error_code& e) const {
  e = datagrams_ ? datagrams_->unusable() : asio::error::bad_descriptor;
  if (!e) o = static_cast<int>(datagrams_->socket()->settings().receive_buffer);
}

void socket::get_option(asio::ip::v6_only& o, std::error_code& e) const {
  e = datagrams_ ? datagrams_->unusable() : asio::error::bad_descriptor;
  if (!e) o = datagrams_->v6_only;
}

}  // namespace tunic::udp
