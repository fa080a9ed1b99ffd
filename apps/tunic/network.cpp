#include "apps/tunic/network.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

#include <spdlog/spdlog.h>

#include "drivers/link.hpp"
#include "drivers/tun_queues.hpp"

namespace tunic::app {
namespace {

void log(std::string_view sentence) {
  spdlog::warn("{}", sentence);
}

/// The stack must not take an address that the kernel answers for.
void refuse_taken(const network_options& o) {
  for (const prefix& p : o.addresses)
    if (const auto link = drivers::link_of(p.address))
      throw std::invalid_argument("--address " + p.address.to_string() + " is the kernel's, on " + *link +
                                  ": give the stack another one of the same network");
  for (const prefix& p : o.host_addresses)
    if (std::any_of(o.addresses.begin(), o.addresses.end(),
                    [&](const prefix& ours) { return ours.address == p.address; }))
      throw std::invalid_argument(p.address.to_string() +
                                  " cannot be both --address and --host-address: the two ends of the "
                                  "device need one each");
}

void set_up_link(const std::string& link, const network_options& o) {
  for (const prefix& p : o.host_addresses) drivers::add_link_address(link, p);
  if (!o.host_addresses.empty()) return drivers::bring_link_up(link);
  const auto all = drivers::link_addresses();
  if (std::none_of(all.begin(), all.end(), [&](const drivers::link_address& a) { return a.link == link; }))
    spdlog::info(
        "{} has no address on the kernel's side yet; --host-address gives it one, or 'ip address add A/LEN dev {}' "
        "and 'ip link set {} up'",
        link, link, link);
}

/// The Unix time of the stack clock's zero, which is that of the steady clock.
std::chrono::nanoseconds epoch_of_steady_clock() {
  return std::chrono::system_clock::now().time_since_epoch() - std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace

std::vector<std::unique_ptr<drivers::tun>> open_device(const network_options& o) {
  refuse_taken(o);
  auto queues = drivers::open_queues({.name = o.tun, .mtu = o.mtu, .log = log}, o.threads);
  set_up_link(o.tun, o);
  drivers::await_link(o.tun);
  return queues;
}

network::network(asio::io_context& io, const network_options& o) : network(io, o, std::move(open_device(o).front())) {}

network::network(asio::io_context& io, const network_options& o, std::unique_ptr<drivers::tun> own)
    : network(io, o, *own, draw_secret(), {}) {
  own_ = std::move(own);
}

network::network(asio::io_context& io, const network_options& o, drivers::tun& queue, const secret& key,
                 std::function<void(std::error_code)> on_gone) {
  if (!o.pcap.empty())
    pcap_.emplace(queue,
                  drivers::pcap_options{.file = o.pcap,
                                        .form = o.pcap_wire ? drivers::pcap_form::wire : drivers::pcap_form::finished,
                                        .interface = o.tun,
                                        .epoch = epoch_of_steady_clock(),
                                        .log = log});
  host_options h;
  for (const prefix& p : o.addresses) h.addresses.emplace_back(p);
  for (const address& a : o.gateways) h.gateways.emplace_back(a);
  h.any_address = o.any_address;
  h.tcp.msl = std::chrono::duration_cast<duration>(o.msl);
  h.tcp.fin_wait_2_timeout = std::chrono::duration_cast<duration>(o.fin_timeout);
  h.tcp.congestion = o.congestion;
  h.tcp.pacing = o.pacing;
  h.tcp.memory = o.share(h.tcp.memory);
  h.tcp.time_wait_records = o.share(h.tcp.time_wait_records);
  h.tcp.released_connections = o.share(h.tcp.released_connections);
  h.tcp.challenge_acks_per_second = static_cast<unsigned>(o.share(h.tcp.challenge_acks_per_second));
  if (o.verbose) h.observer = &observer_;
  h.key = key;
  h.busy_poll = o.busy_poll;
  h.one_of_several = o.threads > 1;
  h.on_device = [several = o.threads > 1, on_gone = std::move(on_gone)](std::error_code e) {
    if (several && e == drivers::tun_errc::device_gone)
      on_gone(e);
    else if (e)
      spdlog::error("the device has failed: {}; it is tried again every second", e.message());
    else
      spdlog::info("the device works again");
  };
  device& d = pcap_ ? static_cast<device&>(*pcap_) : queue;
  host_.emplace(io, d, h);
}

}  // namespace tunic::app
