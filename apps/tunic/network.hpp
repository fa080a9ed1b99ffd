#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

#include <asio/io_context.hpp>

#include "apps/tunic/log_observer.hpp"
#include "apps/tunic/options.hpp"
#include "drivers/pcap.hpp"
#include "drivers/tun.hpp"
#include "stack/asio/host.hpp"

namespace tunic::app {

/// The TUN device that the command line asks for, with the kernel's side set up: a queue of it for each thread. Throws
/// std::system_error or std::invalid_argument, whose what() says what to do.
std::vector<std::unique_ptr<drivers::tun>> open_device(const network_options& o);

/// One stack on a queue of a TUN device, as the command line asks for it.
class network {
 public:
  /// On a device of its own. Throws as open_device does.
  network(asio::io_context& io, const network_options& o);
  /// On one of several queues. `on_gone` is told when the device has been deleted: another one of its name has other
  /// flows on its queues, so that this is the end where there are several.
  network(asio::io_context& io, const network_options& o, drivers::tun& queue, const secret& key,
          std::function<void(std::error_code)> on_gone);
  network(const network&) = delete;
  network& operator=(const network&) = delete;

  [[nodiscard]] tunic::host& host() { return *host_; }

 private:
  network(asio::io_context& io, const network_options& o, std::unique_ptr<drivers::tun> own);

  log_observer observer_;
  std::unique_ptr<drivers::tun> own_;
  std::optional<drivers::pcap> pcap_;
  std::optional<tunic::host> host_;
};

}  // namespace tunic::app
