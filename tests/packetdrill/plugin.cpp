#include "tests/packetdrill/plugin.hpp"

#include <arpa/inet.h>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <fstream>
#include <stdexcept>

#include <gtest/gtest.h>

#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "tests/support/script.hpp"

namespace tunic::test {

plugin::plugin(int domain, const std::string& flags, bool ipv6)
    : domain_(domain),
      us_(*address::parse(ipv6 ? "2001:db8::2" : "198.51.100.2")),
      peer_(*address::parse(ipv6 ? "2001:db8::1" : "198.51.100.1")) {
  library_ = dlopen(TUNIC_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  if (!library_) throw std::runtime_error{dlerror()};
  const auto init =
      reinterpret_cast<decltype(&packetdrill_interface_init)>(dlsym(library_, "packetdrill_interface_init"));
  if (!init) throw std::runtime_error{dlerror()};
  init(("local=" + us_.to_string() + "," + flags).c_str(), &table_);
}

plugin::~plugin() {
  table_.free(table_.self);
  dlclose(library_);
}

void plugin::arrives(std::string_view text) {
  const line l = parse_line(text);
  wire::tcp_header h;
  h.source_port = peer_port_;
  h.destination_port = our_port_;
  h.seq_number = seq{l.begin};
  h.flags = l.flags;
  if (l.ack) h.ack_number = iss_ + *l.ack;
  h.window.value = static_cast<std::uint16_t>(l.win.value_or(65535));
  if (l.options) h.options = *l.options;
  std::vector<std::byte> octets(120);
  const std::size_t ip_size = us_.is_v4() ? 20 : 40;
  const std::size_t tcp_size = wire::emit_tcp(h, std::span{octets}.subspan(ip_size));
  const auto length = static_cast<std::uint16_t>(tcp_size + l.length);
  octets.resize(ip_size + length);
  if (us_.is_v4()) {
    wire::ipv4_header ip;
    ip.source = peer_, ip.destination = us_, ip.protocol = 6;
    ip.total_length = static_cast<std::uint16_t>(ip_size + length);
    wire::emit_ipv4(ip, octets);
  } else {
    wire::ipv6_header ip;
    ip.source = peer_, ip.destination = us_, ip.protocol = 6, ip.payload_length = length;
    wire::emit_ipv6(ip, octets);
  }
  repair_checksums(octets);
  EXPECT_EQ(table_.netdev_send(self(), octets.data(), octets.size()), 0);
}

std::optional<emitted_segment> plugin::emits() {
  std::vector<std::byte> octets(65536);
  std::size_t size = octets.size();
  long long at = 0;
  EXPECT_EQ(table_.netdev_receive(self(), octets.data(), &size, &at), 0);
  if (size == 0) return std::nullopt;
  const std::size_t ip_size = us_.is_v4() ? 20 : 40;
  const auto segment = std::span<const std::byte>{octets}.first(size).subspan(ip_size);
  const auto h = wire::parse_tcp(segment, us_, peer_, checksum_state::unknown);
  if (!h) {
    ADD_FAILURE() << "what the plug-in emitted is no TCP segment with a good checksum";
    return std::nullopt;
  }
  our_port_ = h->source_port;
  peer_port_ = h->destination_port;
  if (h->flags.syn) iss_ = h->seq_number;
  return emitted_segment{*h, distance(iss_, h->seq_number),
                         static_cast<std::uint32_t>(segment.size() - h->header_length), at};
}

int plugin::stream(bool non_blocking) {
  const int fd = table_.socket(self(), domain_, SOCK_STREAM, IPPROTO_TCP);
  EXPECT_EQ(table_.fcntl(self(), fd, F_SETFL, non_blocking ? O_RDWR | O_NONBLOCK : O_RDWR), 0);
  return fd;
}

std::pair<sockaddr_storage, socklen_t> plugin::name_of(const address& a, std::uint16_t port) const {
  sockaddr_storage name{};
  if (domain_ == AF_INET6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6, in.sin6_port = htons(port);
    std::memcpy(&in.sin6_addr, a.octets().data(), 16);
    std::memcpy(&name, &in, sizeof in);
    return {name, sizeof in};
  }
  sockaddr_in in{};
  in.sin_family = AF_INET, in.sin_port = htons(port), in.sin_addr.s_addr = htonl(a.v4_value());
  std::memcpy(&name, &in, sizeof in);
  return {name, sizeof in};
}

int plugin::dial(int fd) {
  const auto [name, length] = name_of(peer_, 80);
  return table_.connect(self(), fd, reinterpret_cast<const sockaddr*>(&name), length);
}

int plugin::listening(bool non_blocking) {
  const int fd = stream(non_blocking);
  const auto [name, length] = name_of(us_, 8080);
  EXPECT_EQ(table_.bind(self(), fd, reinterpret_cast<const sockaddr*>(&name), length), 0);
  EXPECT_EQ(table_.listen(self(), fd, 1), 0);
  return fd;
}

int plugin::established(bool non_blocking) {
  const int listener = listening();
  arrives("S 0:0(0) win 65535 <mss 1460>");
  EXPECT_TRUE(emits());
  arrives(". 1:1(0) ack 1");
  const int fd = table_.accept(self(), listener, nullptr, nullptr);
  EXPECT_GE(fd, 0);
  EXPECT_EQ(table_.fcntl(self(), fd, F_SETFL, non_blocking ? O_RDWR | O_NONBLOCK : O_RDWR), 0);
  return fd;
}

ssize_t plugin::reads(int fd, std::size_t octets) {
  std::vector<char> to(octets);
  return table_.read(self(), fd, to.data(), octets);
}

ssize_t plugin::writes(int fd, std::size_t octets) {
  const std::vector<char> from(octets);
  return table_.write(self(), fd, from.data(), octets);
}

std::int64_t plugin::now() {
  timeval t{};
  EXPECT_EQ(table_.gettimeofday(self(), &t, nullptr), 0);
  return std::int64_t{t.tv_sec} * 1'000'000 + t.tv_usec;
}

int plugin::number(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  EXPECT_EQ(table_.getsockopt(self(), fd, level, name, &value, &length), 0);
  return value;
}

bool is_asleep(pid_t thread) {
  std::ifstream file{"/proc/self/task/" + std::to_string(thread) + "/stat"};
  std::string line;
  std::getline(file, line);
  const std::size_t end = line.rfind(')');
  return end != std::string::npos && line.compare(end, 3, ") S") == 0;
}

}  // namespace tunic::test
