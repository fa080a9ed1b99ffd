#include "packetdrill/network.hpp"

#include <cstring>
#include <utility>

#include "drivers/segmentation.hpp"
#include "packetdrill/fast_open.hpp"

namespace tunic::packetdrill {
namespace {

// Scripts compare sequence numbers relative to the first, so any secret will do; the same one makes runs repeatable.
constexpr secret fixed_secret{0x74, 0x75, 0x6e, 0x69, 0x63};

duration seconds(std::uint32_t n) {
  return std::chrono::seconds{n};
}

// Linux's tcp_ecn. It can also accept RFC 9768 without asking for it (4 and 5), which nobody here needs.
tcp::ecn_use ecn_of(std::uint32_t n) {
  switch (n) {
    case 0: return tcp::ecn_use::off;
    case 1:
    case 4: return tcp::ecn_use::on;
    case 3: return tcp::ecn_use::accurate;
    default: return tcp::ecn_use::passive;
  }
}

// The namespace's settings as the stack's, one line each.
tcp::config settings_of(const sysctls& s) {
  tcp::config c;
  c.window_scale = s.number("ipv4/tcp_window_scaling", 1) != 0;
  c.timestamps = s.number("ipv4/tcp_timestamps", 1) != 0;
  c.require_timestamps = false;  // Linux does not
  c.sack = s.number("ipv4/tcp_sack", 1) != 0;
  c.ecn = ecn_of(s.number("ipv4/tcp_ecn", 2));
  const auto receive = s.triple("ipv4/tcp_rmem", {4096, 131072, 6291456});
  c.receive_buffer_initial = receive[1] / 2;  // Linux keeps the other half for overhead
  c.receive_buffer = receive[2];
  const auto send = s.triple("ipv4/tcp_wmem", {4096, 16384, 4194304});
  c.send_buffer_initial = send[1];
  c.send_buffer = send[2];
  c.burst_segments = s.number("ipv4/tcp_min_tso_segs", 2);
  c.syn_retries = s.number("ipv4/tcp_syn_retries", 6);
  c.syn_ack_retries = s.number("ipv4/tcp_synack_retries", 5);
  c.retries = s.number("ipv4/tcp_retries2", 15);
  c.fin_wait_2_timeout = seconds(s.number("ipv4/tcp_fin_timeout", 60));
  c.keep_alive_idle = seconds(s.number("ipv4/tcp_keepalive_time", 7200));
  c.keep_alive_interval = seconds(s.number("ipv4/tcp_keepalive_intvl", 75));
  c.keep_alive_probes = s.number("ipv4/tcp_keepalive_probes", 9);
  c.fast_open_keys = parse_keys(s.text("ipv4/tcp_fastopen_key", ""));
  return c;
}

}  // namespace

stack_config network::config_of(const flags& f) {
  stack_config c;
  for (const address& a : f.local) c.ip.addresses.push_back({a, a.bits()});
  c.ip.any_address = true;  // a script may dial any address: nothing leaves the plug-in
  c.ip.mtu = f.mtu;
  c.device = {.checksum = false, .segmentation_v4 = true, .segmentation_v6 = true};
  return c;
}

network::network(const flags& f, clock& c) : clock_(c), sysctls_(f.sysctls), stack_(config_of(f), fixed_secret) {
  clock_.drive(*this);
}

void network::on_deadline(instant now) {
  stack_.on_deadline(now);
  pump();
}

void network::on_datagram(std::span<const std::byte> octets) {
  if (octets.empty() || octets.size() > pool::large_size) return;
  const buffer_ref b = stack_.pool().fitting(octets.size());
  std::memcpy(b->room().data(), octets.data(), octets.size());
  stack_.on_packet({.octets = pool::view(b, octets.size())}, now());
  pump();
}

emitted network::take() {
  emitted e = std::move(queue_.front());
  queue_.pop_front();
  return e;
}

void network::configure() {
  stack_.tcp().configure(settings_of(sysctls_));
}

void network::pump() {
  while (stack_.poll_transmit(*frame_, now())) emit(*frame_);
}

// Cuts a super-segment as a network interface does: packetdrill joins equal segments again, at the borders that the
// script expects.
void network::emit(const frame& f) {
  std::vector<std::byte> whole(f.header().begin(), f.header().end());
  for (const slice& s : f.text) whole.insert(whole.end(), s.octets().begin(), s.octets().end());
  if (f.segment_size == 0 || f.text_size() <= f.segment_size) {
    queue_.push_back({std::move(whole), now()});
    return;
  }
  const auto layout = drivers::layout_of(whole);
  if (!layout) return;
  const std::span octets{whole};
  std::uint32_t index = 0;
  for (std::uint32_t at = layout->text; at < layout->end; ++index) {
    const std::uint32_t size = std::min<std::uint32_t>(f.segment_size, layout->end - at);
    const auto text = octets.subspan(at, size);
    std::vector<std::byte> segment(octets.begin(), octets.begin() + layout->text);
    drivers::cut_header(segment, *layout, index, f.segment_size, size, at + size == layout->end);
    drivers::finish_checksum(segment, *layout, text);
    segment.insert(segment.end(), text.begin(), text.end());
    queue_.push_back({std::move(segment), now()});
    at += size;
  }
}

}  // namespace tunic::packetdrill
