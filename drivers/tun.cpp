#include "drivers/tun.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <sys/uio.h>
#include <utility>

#include "drivers/link.hpp"
#include "drivers/tun_attach.hpp"
#include "drivers/virtio_net.hpp"

namespace tunic::drivers {

namespace {

constexpr duration retry_interval = std::chrono::seconds{1};
constexpr std::size_t least_mtu = 68, most_mtu = 65535;  // RFC 791 §3.2; the kernel's limit for TUN

class tun_errors final : public std::error_category {
  [[nodiscard]] const char* name() const noexcept override { return "tunic.tun"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<tun_errc>(value)) {
      case tun_errc::device_gone: return "the TUN device was deleted";
      case tun_errc::device_down: return "the TUN device is not up ('ip link set DEVICE up')";
    }
    return "unknown TUN error";
  }
};

bool would_block(int number) {
  return number == EAGAIN || number == EWOULDBLOCK;
}

iovec piece(std::span<const std::byte> octets) {
  return {const_cast<std::byte*>(octets.data()), octets.size()};
}

virtio_net_header about(const frame& f) {
  virtio_net_header h;
  if (f.partial_checksum) {
    h.flags = virtio_net_header::needs_checksum;
    h.checksum_start = f.checksum_start;
    h.checksum_offset = f.checksum_offset;
  }
  if (f.segment_size > 0) {
    constexpr std::size_t flags_offset = 13;
    constexpr std::byte cwr{0x80};
    h.gso_type = f.ipv6 ? virtio_net_header::gso_tcpv6 : virtio_net_header::gso_tcpv4;
    if ((f.header()[f.checksum_start + flags_offset] & cwr) != std::byte{}) h.gso_type |= virtio_net_header::gso_ecn;
    h.gso_size = f.segment_size;
    h.header_length = static_cast<std::uint16_t>(f.header_size);
  }
  return h;
}

checksum_state state_of(const virtio_net_header& h) {
  if ((h.flags & virtio_net_header::needs_checksum) != 0) return checksum_state::partial;
  if ((h.flags & virtio_net_header::data_valid) != 0) return checksum_state::good;
  return checksum_state::unknown;
}

bool is_tcp(std::uint8_t gso_type) {
  const int type = gso_type & ~virtio_net_header::gso_ecn;
  return type == virtio_net_header::gso_tcpv4 || type == virtio_net_header::gso_tcpv6;
}

}  // namespace

const std::error_category& tun_category() {
  static const tun_errors category;
  return category;
}

tun::tun(tun_options options) : options_(std::move(options)) {
  if (options_.mtu != 0 && (options_.mtu < least_mtu || options_.mtu > most_mtu))
    throw std::system_error{EINVAL, std::generic_category(),
                            "an MTU of " + std::to_string(options_.mtu) + " is not between 68 and 65535"};
  fd_ = open_tun();
  if (!options_.multi_queue) expect_no_others(options_.name, 0);  // before anything of theirs is changed
  attach();
  if (!options_.multi_queue) expect_no_others(options_.name, 1);  // who has come meanwhile
}

void tun::attach() {
  const tun_attachment granted =
      attach_tun(fd_.get(), options_.name, options_.multi_queue, options_.offload, options_.log);
  multi_queue_ = granted.multi_queue;
  // What is granted concerns the way to us; the kernel finishes the checksums of what we write in any case.
  capabilities_ = {true, granted.segmentation, granted.segmentation};
  mtu_ = link_mtu(options_.name);
  if (options_.mtu == 0 || options_.mtu == mtu_) return;
  try {
    set_link_mtu(options_.name, options_.mtu);
  } catch (const std::system_error&) {
    say("not permitted to set the MTU; the kernel's side keeps " + std::to_string(mtu_) + " octets, ours sends up to " +
        std::to_string(options_.mtu));
  }
  mtu_ = options_.mtu;
}

bool tun::attach_again(instant now) {
  if (now < retry_at_) return false;
  retry_at_ = now + retry_interval;
  try {
    if (!link_exists(options_.name)) return false;
    attach();
  } catch (const std::system_error& e) {
    say(e.what());
    return false;
  }
  gone_ = false;
  say("attached again");
  return true;
}

instant tun::next_deadline() const {
  if (super_) return super_->received;  // at once
  return gone_ ? retry_at_ : never;
}

std::error_code tun::trouble(int number, instant now) {
  if (would_block(number)) return std::make_error_code(std::errc::operation_would_block);
  if (number == EBADFD) {
    gone_ = true;
    retry_at_ = now + retry_interval;
    say("the device was deleted");
    return tun_errc::device_gone;
  }
  if (number == EIO) {
    down_ = true;
    say("the device is not up; what we send is lost");
    return tun_errc::device_down;
  }
  return {number, std::generic_category()};
}

void tun::say(const std::string& sentence) {
  if (sentence == said_) return;
  said_ = sentence;
  if (options_.log) options_.log(options_.name + ": " + sentence);
}

packet tun::receive(pool& from, instant now, std::error_code& error) {
  error.clear();
  if (super_) return next_of_super(from);
  if (gone_ && !attach_again(now)) {
    error = tun_errc::device_gone;
    return {};
  }
  if (!small_) small_ = from.small();
  if (!large_) large_ = from.large();

  virtio_net_header header;
  const auto small = small_->room();
  const auto rest = large_->room().subspan(small.size());
  const iovec pieces[] = {{&header, sizeof header}, {small.data(), small.size()}, {rest.data(), rest.size()}};
  ssize_t got = 0;
  do got = ::readv(fd_.get(), pieces, std::size(pieces));
  while (got < 0 && errno == EINTR);
  if (got < 0) {
    if (!would_block(errno)) error = trouble(errno, now);
    return {};
  }
  if (static_cast<std::size_t>(got) <= sizeof header) return {};

  packet in{.octets = take(static_cast<std::size_t>(got) - sizeof header), .checksum = state_of(header)};
  if (is_tcp(header.gso_type)) in.segment_size = header.gso_size;
  if (header.gso_type == virtio_net_header::gso_udp_l4 && header.gso_size > 0) {
    const auto layout = layout_of(in.octets.octets());
    if (layout && layout->end > layout->text + std::uint32_t{header.gso_size}) {
      super_ = super_datagram{std::move(in.octets), *layout, header.gso_size, 0, now};
      return next_of_super(from);
    }
  }
  return in;
}

// A datagram that fits leaves in the small buffer, and the large one stays for the next. Else the octets of the small
// buffer are put in front of the others, for which the large one has kept room.
slice tun::take(std::size_t size) {
  const std::size_t fits = small_->room().size();
  if (size <= fits) return pool::view(std::exchange(small_, {}), size);
  std::memcpy(large_->room().data(), small_->room().data(), fits);
  return pool::view(std::exchange(large_, {}), size);
}

packet tun::next_of_super(pool& from) {
  const auto& [octets, layout, segment_size, index, received] = *super_;
  const std::uint32_t begin = layout.text + index * segment_size;
  const std::uint32_t size = std::min<std::uint32_t>(segment_size, layout.end - begin);
  const bool last = begin + size == layout.end;

  const buffer_ref out = from.fitting(layout.text + size);
  std::memcpy(out->room().data(), octets.data(), layout.text);
  std::memcpy(out->room().data() + layout.text, octets.data() + begin, size);
  cut_header(out->room().first(layout.text), layout, index, segment_size, size, last);
  packet datagram{.octets = pool::view(out, layout.text + size), .checksum = checksum_state::partial};
  if (last)
    super_.reset();
  else
    ++super_->index;
  return datagram;
}

std::error_code tun::transmit(const frame& f, instant now) {
  if (gone_) return tun_errc::device_gone;
  virtio_net_header header = about(f);
  std::array<iovec, 2 + frame::max_slices> pieces;
  std::size_t count = 0;
  pieces[count++] = {&header, sizeof header};
  pieces[count++] = piece(f.header());
  for (const slice& s : f.text) pieces[count++] = piece(s.octets());
  ssize_t sent = 0;
  do sent = ::writev(fd_.get(), pieces.data(), static_cast<int>(count));
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return trouble(errno, now);
  if (down_) {
    down_ = false;
    say("the device is up again");
  }
  return {};
}

}  // namespace tunic::drivers
