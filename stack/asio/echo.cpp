#include "stack/asio/echo.hpp"

#include <algorithm>

#include <asio/error.hpp>

#include "stack/asio/endpoint.hpp"
#include "stack/asio/error.hpp"

namespace tunic {
namespace detail {

echoes::echoes(pump& host, std::uint16_t identifier) : attachment(host), identifier_(identifier) {
  host.add_echo_user(*this);
}

void echoes::send(const address& to, std::uint16_t sequence, std::span<const std::byte> text, std::uint8_t hop_limit,
                  std::error_code& e) {
  if (closed_ || !host().is_open()) {
    e = asio::error::operation_aborted;
    return;
  }
  if (text.size() > 65535 - wire::icmp_header::size) {
    e = asio::error::message_size;
    return;
  }
  pool& buffers = host().stack().pool();
  const buffer_ref b = buffers.fitting(text.size());
  std::copy(text.begin(), text.end(), b->room().begin());
  e = detail::to_asio(
      host().stack().ip().send_echo(to, identifier_, sequence, pool::view(b, text.size()), hop_limit, host().now()));
  host().flush();
}

void echoes::start(answer_operation& o) {
  if (closed_) return host().complete(o, asio::error::operation_aborted);
  receiving_.push_back(o);
  if (waiting_.empty()) return;
  o.answer = std::move(waiting_.front());
  waiting_.erase(waiting_.begin());
  host().complete(o);
}

void echoes::cancel() {
  while (!receiving_.empty()) host().complete(*receiving_.front(), asio::error::operation_aborted);
}

void echoes::on_close() {
  if (closed_) return;
  closed_ = true;
  cancel();
  host().remove_echo_user(*this);
}

void echoes::on_echo_reply(const ip::echo_reply& r) {
  if (r.identifier != identifier_) return;
  const auto text = r.text.octets();
  take({.from = to_asio(r.source),
        .sequence = r.sequence,
        .hop_limit = r.hop_limit,
        .text = {text.begin(), text.end()},
        .error = {},
        .at = host().now()});
}

void echoes::on_echo_error(const ip::icmp_error& e) {
  const auto quoted = e.transport.octets();
  const auto number = [&](std::size_t at) {
    return static_cast<std::uint16_t>(std::to_integer<unsigned>(quoted[at]) << 8 |
                                      std::to_integer<unsigned>(quoted[at + 1]));
  };
  if (quoted.size() < wire::icmp_header::size || number(4) != identifier_) return;
  take({.from = to_asio(e.reporter),
        .sequence = number(6),
        .text = {},
        .error = e.kind,
        .unreachable = e.unreachable,
        .at = host().now()});
}

void echoes::take(echo_answer a) {
  if (receiving_.empty()) {
    if (waiting_.size() < most_waiting) waiting_.push_back(std::move(a));
    return;
  }
  auto& o = static_cast<answer_operation&>(*receiving_.front());
  o.answer = std::move(a);
  host().complete(o);
}

}  // namespace detail

void echo::send(const asio::ip::address& to, std::uint16_t sequence, std::span<const std::byte> text,
                std::uint8_t hop_limit, std::error_code& e) {
  echoes_->send(from_asio(to), sequence, text, hop_limit, e);
}

}  // namespace tunic
