#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "stack/device.hpp"
#include "stack/wire/tcp.hpp"

namespace tunic::test {

/// A network with many TCP clients of one server, as a device of that server. They know just enough of TCP for a path
/// that loses nothing, and once they are connected they allocate nothing, so that all that is counted is the server's.
class clients final : public device {
 public:
  enum class arrivals : std::uint8_t { by_waker, by_descriptor };

  /// `many` clients of the server 198.51.100.2, port 80.
  clients(std::size_t many, arrivals a);
  clients(const clients&) = delete;
  clients& operator=(const clients&) = delete;
  ~clients() override;

  /// All connect.
  void connect();
  void will_say(std::string text) { text_ = std::move(text); }
  /// Every client says its text so many times, each time but the first when it has been answered by a segment with PSH.
  void ask(unsigned times);
  /// The first client sends so many segments of `upload_segment` octets.
  void upload(unsigned segments);

  [[nodiscard]] std::size_t count() const { return all_.size(); }
  [[nodiscard]] std::size_t connected() const { return connected_; }
  [[nodiscard]] std::uint64_t answers() const { return answers_; }    ///< to all
  [[nodiscard]] std::uint64_t received() const { return received_; }  ///< octets of text
  [[nodiscard]] std::uint64_t ends() const { return ends_; }          ///< FINs and resets of the server's

  [[nodiscard]] device_capabilities capabilities() const override { return {true, true, true}; }
  [[nodiscard]] std::size_t mtu() const override { return 1500; }
  packet receive(pool& from, instant now, std::error_code& error) override;
  std::error_code transmit(const frame& f, instant now) override;
  [[nodiscard]] int descriptor() const override { return descriptor_; }
  void set_waker(device_waker* w) override { waker_ = w; }

  static constexpr std::uint32_t upload_segment = 1400;  ///< octets

 private:
  struct client {
    seq next{};      ///< to be said
    seq expected{};  ///< of the server's
    unsigned to_ask = 0;
    bool is_connected = false;
  };
  struct segment {
    std::size_t from = 0;
    seq number{};
    wire::tcp_flags flags{};
    std::uint32_t text = 0;  ///< octets
  };

  void say(std::size_t i, wire::tcp_flags flags, std::uint32_t text = 0);
  void connect_next();
  void ask_once(std::size_t i);
  void go_on_uploading(seq acknowledged);

  std::vector<client> all_;
  std::vector<segment> queue_;  // a ring
  std::size_t head_ = 0;
  std::size_t waiting_ = 0;
  std::string text_;
  unsigned left_to_upload_ = 0;
  std::size_t connecting_ = 0;  ///< or connected
  std::size_t connected_ = 0;
  std::uint64_t answers_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t ends_ = 0;
  int descriptor_ = -1;
  device_waker* waker_ = nullptr;
};

}  // namespace tunic::test
