#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <tuple>
#include <vector>

#include <asio/async_result.hpp>
#include <asio/ip/address.hpp>

#include "stack/asio/host.hpp"

namespace tunic {

/// What came back for an echo request.
struct echo_answer {
  asio::ip::address from;       ///< of an error: who reports it
  std::uint16_t sequence = 0;   ///< the request's
  std::uint8_t hop_limit = 0;   ///< of a reply, as it arrived
  std::vector<std::byte> text;  ///< of a reply
  /// Of an error: destination_unreachable, time_exceeded, … Nothing for a reply.
  std::optional<wire::icmp_kind> error;
  wire::unreachable_code unreachable = wire::unreachable_code::other;
  instant at{};
};

namespace detail {

struct answer_operation : operation {
  [[nodiscard]] std::tuple<std::error_code, echo_answer> result() { return {error, std::move(answer)}; }
  echo_answer answer;
};

class echoes final : public attachment, public echo_user {
 public:
  static constexpr std::size_t most_waiting = 1024;  ///< answers that nobody has received; one more is dropped

  echoes(pump& host, std::uint16_t identifier);
  ~echoes() { on_close(); }

  void send(const address& to, std::uint16_t sequence, std::span<const std::byte> text, std::uint8_t hop_limit,
            std::error_code& e);
  void start(answer_operation& o);
  void cancel();
  void on_close() override;

 private:
  void on_echo_reply(const ip::echo_reply& r) override;
  void on_echo_error(const ip::icmp_error& e) override;
  void take(echo_answer a);

  std::uint16_t identifier_;
  bool closed_ = false;
  std::vector<echo_answer> waiting_;
  operation_list receiving_;
};

}  // namespace detail

/// Sends echo requests of one identifier and receives what comes back: ping.
class echo {
 public:
  using executor_type = asio::io_context::executor_type;

  echo(host& h, std::uint16_t identifier)
      : pump_(h.pump()), echoes_(std::make_unique<detail::echoes>(*pump_, identifier)) {}

  [[nodiscard]] executor_type get_executor() const { return pump_->get_executor(); }

  /// `hop_limit` 0: the host's. Errors: network_unreachable, message_size (over 65,507 octets in version 4),
  /// no_buffer_space.
  void send(const asio::ip::address& to, std::uint16_t sequence, std::span<const std::byte> text,
            std::uint8_t hop_limit, std::error_code& e);
  /// void(std::error_code, tunic::echo_answer)
  template <class Token>
  auto async_receive(Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, echo_answer)>(receive_initiation{this}, token);
  }
  void cancel() { echoes_->cancel(); }

 private:
  struct receive_initiation {
    using executor_type = echo::executor_type;
    echo* self;
    [[nodiscard]] executor_type get_executor() const { return self->get_executor(); }
    template <class Handler>
    void operator()(Handler&& h) const {
      detail::initiate<detail::answer_operation>(*self->pump_, get_executor(), std::forward<Handler>(h),
                                                 [this](auto& o) { self->echoes_->start(o); });
    }
  };

  std::shared_ptr<detail::pump> pump_;
  std::unique_ptr<detail::echoes> echoes_;
};

}  // namespace tunic
