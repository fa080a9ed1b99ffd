#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>

#include "drivers/loopback.hpp"
#include "drivers/pcap.hpp"
#include "stack/asio/host.hpp"
#include "stack/asio/tcp_acceptor.hpp"
#include "stack/asio/tcp_socket.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/print.hpp"

namespace tunic::http::test {

using namespace std::chrono_literals;

// The client's device: what crosses it is written down, a line a segment, in seconds and with relative numbers.
class recorder final : public device {
 public:
  explicit recorder(device& inner) : inner_(inner) {}

  device_capabilities capabilities() const override { return {}; }  // whole segments, easy to read
  std::size_t mtu() const override { return inner_.mtu(); }
  instant next_deadline() const override { return inner_.next_deadline(); }
  void set_waker(device_waker* waker) override { inner_.set_waker(waker); }

  packet receive(pool& from, instant now, std::error_code& error) override {
    packet p = inner_.receive(from, now, error);
    if (p) note("server", std::as_bytes(p.octets.octets()), p.octets.size(), now);
    return p;
  }
  std::error_code transmit(const frame& f, instant now) override {
    note("client", f.header(), f.size(), now);
    return inner_.transmit(f, now);
  }

  // The lines since the last call.
  std::string said() { return std::exchange(lines_, {}); }

 private:
  void note(const char* who, std::span<const std::byte> datagram, std::size_t size, instant now) {
    const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(datagram[i]); };
    const auto number = [&](std::size_t i) { return at(i) << 24 | at(i + 1) << 16 | at(i + 2) << 8 | at(i + 3); };
    constexpr std::size_t ip = 20;
    const unsigned flags = at(ip + 13);
    const auto text = size - ip - (at(ip + 12) >> 4) * 4;
    auto& first = first_[*who == 'c' ? 0 : 1];
    if (!first || (flags & 2) != 0) first = number(ip + 4);
    const auto& other = first_[*who == 'c' ? 1 : 0];
    std::string line = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - instant{}).count() - 3600);
    line.append(" ").append(who).append(" ");
    for (const auto& [bit, letter] : {std::pair{2U, 'S'}, {1U, 'F'}, {4U, 'R'}, {8U, 'P'}, {16U, '.'}})
      if ((flags & bit) != 0) line += letter;
    line.append(" ").append(std::to_string(static_cast<std::int32_t>(number(ip + 4) - *first)));
    line.append("(").append(std::to_string(text)).append(")");
    if ((flags & 16) != 0 && other) line.append(" ack ").append(std::to_string(number(ip + 8) - *other));
    lines_.append(line).append("\n");
  }

  device& inner_;
  std::array<std::optional<std::uint32_t>, 2> first_;
  std::string lines_;
};

// A client and a server on stacks of their own, back to back, in virtual time: when nothing is ready, the clock jumps
// to the next deadline. Where the environment has TUNIC_CAPTURES, a capture of each goes into that folder.
class two_ends {
 public:
  // `c`: the client's.
  explicit two_ends(const std::string& name, const tcp::config& c = {}) : config_(c) {
    if (const char* const folder = std::getenv("TUNIC_CAPTURES"))
      capture_ = std::make_unique<drivers::pcap>(
          link_.second(), drivers::pcap_options{.file = std::string(folder) + "/" + name + ".pcapng"});
    server_ = std::make_unique<host>(io, capture_ ? *capture_ : static_cast<device&>(link_.second()),
                                     options("198.51.100.2/24", {}));
  }

  // Runs until `done`, or nothing more can happen within `most` of the hosts' time. Says which.
  bool run_until(const std::function<bool()>& done, duration most = 1h) {
    const instant limit = now + most;
    while (!done()) {
      io.restart();
      if (io.poll() > 0) continue;
      const instant next = std::min(client.next_deadline(), server_->next_deadline());
      now = std::max(now, std::min(next, limit));
      client.wake();
      server_->wake();
      if (next > limit) return done();
    }
    return true;
  }
  void passes(duration time) {
    run_until([] { return false; }, time);
  }

  asio::io_context io;
  instant now{1h};

 private:
  host_options options(const char* address, const tcp::config& c) {
    host_options o;
    o.address = address;
    o.tcp = c;
    o.key = secret{1, 2, 3};
    o.clock = [this] { return now; };
    return o;
  }
  tcp::config config_;
  drivers::loopback_pair link_{{.offload = false}};
  std::unique_ptr<drivers::pcap> capture_;

 public:
  recorder wire{link_.first()};
  host client{io, wire, options("198.51.100.1/24", config_)};

 private:
  std::unique_ptr<host> server_;

 public:
  host& server() { return *server_; }
};

}  // namespace tunic::http::test
