#pragma once

#include <memory>
#include <optional>

#include <asio/io_context.hpp>

#include "apps/tunic/log_observer.hpp"
#include "apps/tunic/options.hpp"
#include "drivers/pcap.hpp"
#include "drivers/tun.hpp"
#include "stack/asio/host.hpp"

namespace tunic::app {

/// One stack on a TUN device, as the command line asks for it.
class network {
 public:
  /// Throws std::system_error or std::invalid_argument, whose what() says what to do.
  network(asio::io_context& io, const network_options& o);
  network(const network&) = delete;
  network& operator=(const network&) = delete;

  [[nodiscard]] tunic::host& host() { return *host_; }

 private:
  log_observer observer_;
  std::optional<drivers::tun> tun_;
  std::optional<drivers::pcap> pcap_;
  std::optional<tunic::host> host_;
};

}  // namespace tunic::app
