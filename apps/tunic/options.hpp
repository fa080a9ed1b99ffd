#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "apps/tunic/impair/options.hpp"
#include "stack/base/address.hpp"
#include "stack/base/time.hpp"
#include "stack/tcp/congestion_control.hpp"

namespace tunic::app {

enum exit_code : int {
  exit_ok = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_http_status = 22,  // as curl's
  exit_interrupted = 130,
};

/// What serve, get and ping have in common: which device, and how the stack on it is set up.
struct network_options {
  std::string tun = "tun0";
  std::vector<prefix> addresses;  ///< the stack's
  std::vector<address> gateways;
  std::vector<prefix> host_addresses;  ///< given to the kernel's side of the device
  std::size_t mtu = 0;                 ///< octets; 0: the device's
  bool any_address = false;
  std::string pcap;  ///< the file of a capture; empty: none
  bool pcap_wire = false;
  bool verbose = false;
  std::chrono::duration<double> msl{30};
  std::chrono::duration<double> fin_timeout{60};
  tcp::congestion_algorithm congestion = tcp::congestion_algorithm::cubic;
  bool pacing = false;
  unsigned threads = 1;  ///< stacks, each on a queue of its own of the device
  duration busy_poll{};

  /// What one stack may take of what all may take together.
  [[nodiscard]] std::size_t share(std::size_t all) const { return (all + threads - 1) / threads; }
};

/// A site of its own for requests that name the host.
struct virtual_host {
  std::string name, folder;
};

/// A page for refusals of that status.
struct error_page {
  std::uint16_t status;
  std::string file;
};

enum class log_format : std::uint8_t { combined, json };

struct serve_options {
  network_options network;
  std::string folder;  ///< empty: the echo site
  bool echo = false;
  bool listing = false;
  bool plain = false;  ///< no Content-Encoding
  bool trace = false;
  std::vector<virtual_host> hosts;
  std::vector<error_page> error_pages;
  std::uint16_t port = 80;
  bool fast_open = false;
  std::size_t backlog = 1024;
  std::chrono::duration<double> head_timeout{10}, content_timeout{30}, send_timeout{60}, idle_timeout{75};
  std::uint64_t least_rate = 0;             ///< octets a second; 0: any
  std::uint64_t most_content = 0;           ///< octets of a request's content; 0: the default
  std::size_t connections_of_a_client = 0;  ///< 0: any number
  std::string access_log;                   ///< a file, "-": the standard output; empty: none
  log_format log_as = log_format::combined;
};

struct get_options {
  network_options network;
  std::string url;
  std::string output;  ///< empty: the standard output
  bool head = false;
  bool fast_open = false;
};

struct ping_options {
  network_options network;
  address destination;
  std::uint64_t count = 0;  ///< 0: until interrupted
  std::size_t size = 56;    ///< octets of text
  std::chrono::duration<double> interval{1};
};

struct ladder_options {
  std::string file;  ///< "-": the standard input
};

/// What the command line asks for; an exit code where there is nothing left to do (--help, or a mistake, which is
/// told).
using command = std::variant<exit_code, serve_options, get_options, ping_options, ladder_options, impair_options>;

command parse_command_line(int argc, char** argv);

}  // namespace tunic::app
