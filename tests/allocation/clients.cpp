#include "tests/allocation/clients.hpp"

#include <cstring>
#include <stdexcept>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "stack/wire/ipv4.hpp"

namespace tunic::test {
namespace {

constexpr address server = address::v4(198, 51, 100, 2);
constexpr address network = address::v4(198, 51, 100, 1);  // all clients are there, told apart by their ports
constexpr std::uint16_t server_port = 80;
constexpr std::uint16_t first_port = 1024;
constexpr std::size_t connecting_at_once = 64;
constexpr std::uint32_t upload_window = 16;  // segments that are on their way at once
constexpr std::size_t ip_header = wire::ipv4_header::min_size;

}  // namespace

clients::clients(std::size_t many, arrivals a) : all_(many), queue_(many * 2 + 1024) {
  if (many > std::size_t{65535} - first_port) throw std::invalid_argument("more clients than ports");
  if (a == arrivals::by_descriptor) descriptor_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

clients::~clients() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void clients::connect() {
  for (std::size_t i = 0; i < connecting_at_once; ++i) connect_next();
}

void clients::connect_next() {
  if (connecting_ < all_.size()) say(connecting_++, {.syn = true});
}

void clients::ask(unsigned times) {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    all_[i].to_ask = times;
    ask_once(i);
  }
}

void clients::ask_once(std::size_t i) {
  --all_[i].to_ask;
  say(i, {.psh = true, .ack = true}, static_cast<std::uint32_t>(text_.size()));
}

void clients::upload(unsigned segments) {
  left_to_upload_ = segments;
  text_.assign(upload_segment, 'x');
  go_on_uploading(all_.front().next);
}

void clients::go_on_uploading(seq acknowledged) {
  client& c = all_.front();
  while (left_to_upload_ > 0 && distance(acknowledged, c.next) < upload_window * upload_segment) {
    --left_to_upload_;
    say(0, {.ack = true}, upload_segment);
  }
}

void clients::say(std::size_t i, wire::tcp_flags flags, std::uint32_t text) {
  if (waiting_ == queue_.size()) throw std::logic_error("the queue is too short");
  client& c = all_[i];
  queue_[(head_ + waiting_) % queue_.size()] = {i, c.next, flags, text};
  c.next = c.next + text + (flags.syn ? 1 : 0);
  if (++waiting_ > 1) return;
  if (descriptor_ >= 0)
    ::eventfd_write(descriptor_, 1);
  else if (waker_)
    waker_->wake();
}

packet clients::receive(pool& from, instant, std::error_code& error) {
  error = {};
  if (waiting_ == 0) {
    eventfd_t ignored = 0;
    if (descriptor_ >= 0) ::eventfd_read(descriptor_, &ignored);
    return {};
  }
  const segment s = queue_[head_];
  head_ = (head_ + 1) % queue_.size();
  --waiting_;

  wire::tcp_header h{.source_port = static_cast<std::uint16_t>(first_port + s.from),
                     .destination_port = server_port,
                     .seq_number = s.number,
                     .ack_number = all_[s.from].expected,
                     .flags = s.flags,
                     .window = {65535}};
  if (s.flags.syn) {
    h.options.mss = 1460;
    h.options.sack_permitted = true;
    h.options.window_scale = wire::window_shift{7};
  }
  const buffer_ref b = from.small();
  const auto to = b->room();
  const std::size_t header = wire::emit_tcp(h, to.subspan(ip_header));
  std::memcpy(to.data() + ip_header + header, text_.data(), s.text);
  const std::size_t size = ip_header + header + s.text;
  wire::emit_ipv4({.total_length = static_cast<std::uint16_t>(size),
                   .protocol = wire::number(wire::protocol::tcp),
                   .source = network,
                   .destination = server},
                  to);
  return {.octets = pool::view(b, size), .checksum = checksum_state::partial};
}

std::error_code clients::transmit(const frame& f, instant) {
  const auto h = wire::parse_tcp(f.header().subspan(ip_header), server, network, checksum_state::good);
  if (!h || h->flags.rst || h->flags.fin) {
    ++ends_;
    return {};
  }
  const std::size_t i = h->destination_port - std::size_t{first_port};
  client& c = all_.at(i);
  if (h->flags.syn && !c.is_connected) {
    c.is_connected = true;
    c.expected = h->seq_number + 1;
    ++connected_;
    say(i, {.ack = true});
    connect_next();
    return {};
  }
  if (h->flags.syn || (f.text_size() > 0 && h->seq_number != c.expected)) {  // again: a slow machine has made it wait
    say(i, {.ack = true});
    return {};
  }
  if (i == 0) go_on_uploading(h->ack_number);
  const auto n = static_cast<std::uint32_t>(f.text_size());
  if (n == 0) return {};
  c.expected = c.expected + n;
  received_ += n;
  answers_ += h->flags.psh;
  if (h->flags.psh && c.to_ask > 0)
    ask_once(i);
  else
    say(i, {.ack = true});
  return {};
}

}  // namespace tunic::test
