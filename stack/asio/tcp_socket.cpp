#include "stack/asio/tcp_socket.hpp"

#include <asio/error.hpp>

namespace tunic::tcp {
socket& socket::operator=(socket&& other) noexcept {
  if (this != &other) {
    connection_ = std::move(other.connection_);  // first: the old one still needs its pump
    pump_ = other.pump_;
  }
  return *this;
}

detail::connection& socket::self() {
  if (!connection_) connection_ = std::make_unique<detail::connection>(*pump_);
  return *connection_;
}

std::size_t socket::explained(std::size_t n, std::error_code& e) const {
  if (e == asio::error::would_block && !connection_->non_blocking) e = asio::error::operation_not_supported;
  return n;
}

std::size_t socket::available(std::error_code& e) const {
  return self().available(e);
}

std::size_t socket::available() const {
  std::error_code e;
  const std::size_t n = available(e);
  detail::throw_if(e, "available");
  return n;
}

std::size_t socket::try_read(std::span<std::byte> to, std::error_code& e) {
  return self().read(detail::read_buffers{asio::mutable_buffer{to.data(), to.size()}}, e);
}

std::size_t socket::try_write(std::span<const std::byte> from, std::error_code& e) {
  return self().write(detail::write_buffers{asio::const_buffer{from.data(), from.size()}}, e);
}

std::size_t socket::try_adopt(std::shared_ptr<const void> owner, std::span<const std::byte> octets,
                              std::error_code& e) {
  return self().adopt(std::move(owner), octets, e);
}

std::span<const std::byte> socket::borrow(std::error_code& e) {
  return self().borrow(e);
}

void socket::bind(const endpoint_type& local) {
  std::error_code e;
  bind(local, e);
  detail::throw_if(e, "bind");
}

void socket::shutdown(shutdown_type what) {
  std::error_code e;
  shutdown(what, e);
  detail::throw_if(e, "shutdown");
}

socket::endpoint_type socket::local_endpoint(std::error_code& e) const {
  return to_asio<asio::ip::tcp>(self().local(e));
}

socket::endpoint_type socket::local_endpoint() const {
  std::error_code e;
  const endpoint_type local = local_endpoint(e);
  detail::throw_if(e, "local_endpoint");
  return local;
}

socket::endpoint_type socket::remote_endpoint(std::error_code& e) const {
  return to_asio<asio::ip::tcp>(self().remote(e));
}

socket::endpoint_type socket::remote_endpoint() const {
  std::error_code e;
  const endpoint_type remote = remote_endpoint(e);
  detail::throw_if(e, "remote_endpoint");
  return remote;
}

tcp::status socket::status() const {
  return self().status();
}

}  // namespace tunic::tcp
