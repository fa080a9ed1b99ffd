#include "stack/asio/socket_settings.hpp"

#include <asio/error.hpp>

namespace tunic::detail {
namespace {

template <class Number>
void take(Number& to, int value, int most, std::error_code& e) {
  if (value < 1 || value > most) {
    e = asio::error::invalid_argument;
    return;
  }
  e = {};
  to = static_cast<Number>(value);
}

constexpr int most_buffer = 1 << 30;  // octets: what a window of RFC 7323 can offer

}  // namespace

void set(socket_settings& s, const asio::ip::tcp::no_delay& o, std::error_code& e) {
  e = {}, s.no_delay = o.value();
}

void set(socket_settings& s, const asio::socket_base::keep_alive& o, std::error_code& e) {
  e = {}, s.live.keep_alive = o.value();
}

void set(socket_settings& s, const asio::socket_base::linger& o, std::error_code& e) {
  e = {};
  if (o.enabled() && o.timeout() < 0) {
    e = asio::error::invalid_argument;
    return;
  }
  s.linger = o.enabled();
  s.linger_seconds = o.timeout();
}

void set(socket_settings& s, const asio::socket_base::receive_buffer_size& o, std::error_code& e) {
  take(s.receive_buffer, o.value(), most_buffer, e);
}

void set(socket_settings& s, const asio::socket_base::send_buffer_size& o, std::error_code& e) {
  take(s.send_buffer, o.value(), most_buffer, e);
}

void set(socket_settings& s, const asio::ip::unicast::hops& o, std::error_code& e) {
  take(s.hop_limit, o.value(), 255, e);
}

void set(socket_settings& s, const dscp& o, std::error_code& e) {
  e = {};
  if (o.value() < 0 || o.value() > 63)
    e = asio::error::invalid_argument;
  else
    s.tos = static_cast<std::uint8_t>(o.value() << 2);
}

void set(socket_settings& s, const tcp::fast_open& o, std::error_code& e) {
  e = {};
  if (o.value() < 0)
    e = asio::error::invalid_argument;
  else
    s.fast_open = static_cast<std::uint32_t>(o.value());
}

void set(socket_settings& s, const tcp::fast_open_connect& o, std::error_code& e) {
  e = {}, s.fast_open_connect = o.value();
}

void set(socket_settings& s, const tcp::fast_open_no_cookie& o, std::error_code& e) {
  e = {}, s.fast_open_no_cookie = o.value();
}

void get(const socket_settings& s, asio::ip::tcp::no_delay& o) {
  o = s.no_delay;
}

void get(const socket_settings& s, asio::socket_base::keep_alive& o) {
  o = s.live.keep_alive;
}

void get(const socket_settings& s, asio::socket_base::linger& o) {
  o = {s.linger, s.linger_seconds};
}

void get(const socket_settings& s, asio::socket_base::receive_buffer_size& o) {
  o = static_cast<int>(s.receive_buffer);
}

void get(const socket_settings& s, asio::socket_base::send_buffer_size& o) {
  o = static_cast<int>(s.send_buffer);
}

void get(const socket_settings& s, asio::ip::unicast::hops& o) {
  o = s.hop_limit;
}

void get(const socket_settings& s, dscp& o) {
  o = s.tos >> 2;
}

void get(const socket_settings& s, tcp::fast_open& o) {
  o = static_cast<int>(s.fast_open);
}

void get(const socket_settings& s, tcp::fast_open_connect& o) {
  o = s.fast_open_connect;
}

void get(const socket_settings& s, tcp::fast_open_no_cookie& o) {
  o = s.fast_open_no_cookie;
}

}  // namespace tunic::detail
