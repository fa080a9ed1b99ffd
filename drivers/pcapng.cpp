#include "drivers/pcapng.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "drivers/failure.hpp"

namespace tunic::drivers {

namespace {

// Block types and option codes of the format.
constexpr std::uint32_t section_header = 0x0a0d0d0a, interface_description = 1, enhanced_packet = 6;
constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
constexpr std::uint16_t linktype_raw = 101;
constexpr std::uint16_t end_of_options = 0, section_application = 4, interface_name = 2, timestamp_resolution = 9,
                        packet_flags = 2, packet_drop_count = 4;

constexpr std::size_t flush_at = 256 << 10;    // octets: one write for many datagrams
constexpr std::size_t most_waiting = 4 << 20;  // octets kept for a slow reader of a pipe
constexpr int farewell = 1000;                 // milliseconds that a pipe's reader has to take the rest

// Writing to a pipe whose reader is gone raises SIGPIPE, which would end the process for the sake of a capture. Holds
// it back in this thread, and takes away the one that came.
class without_sigpipe {
 public:
  without_sigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  without_sigpipe(const without_sigpipe&) = delete;
  ~without_sigpipe() {
    const timespec at_once{};
    if (!was_pending_)
      while (sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) continue;
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_, before_;
  bool was_pending_;
};

[[noreturn]] void fail_to_write(int number, const std::string& path) {
  fail(number, "cannot write the capture to " + path);
}

bool is_pipe(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 && S_ISFIFO(about.st_mode);
}

file_descriptor open_output(const std::string& path) {
  constexpr int flags = O_WRONLY | O_CLOEXEC;
  if (path != "-") {
    file_descriptor fd{::open(path.c_str(), flags | O_CREAT | O_TRUNC, 0666)};
    if (!fd) fail_to_write(errno, path);
    if (is_pipe(fd.get())) ::fcntl(fd.get(), F_SETFL, O_WRONLY | O_NONBLOCK);
    return fd;
  }
  if (::isatty(STDOUT_FILENO) == 1)
    throw std::system_error{EINVAL, std::generic_category(),
                            "will not write a capture to the terminal; redirect the output"};
  // A description of our own, so that O_NONBLOCK does not befall others who share the pipe.
  if (is_pipe(STDOUT_FILENO))
    if (file_descriptor fd{::open("/proc/self/fd/1", flags | O_NONBLOCK)}) return fd;
  file_descriptor fd{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)};
  if (!fd) fail_to_write(errno, "the standard output");
  return fd;
}

}  // namespace

pcapng::pcapng(const std::string& path, const std::string& interface, std::uint32_t snap, log_callback log)
    : fd_(open_output(path)), path_(path), snap_(snap), log_(std::move(log)), pipe_(is_pipe(fd_.get())) {
  add_section_header();
  add_interface(interface);
  flush();
}

pcapng::~pcapng() {
  flush();
  while (!stopped() && waiting() > 0) {
    pollfd writable{fd_.get(), POLLOUT, 0};
    if (::poll(&writable, 1, farewell) <= 0) return;
    flush();
  }
}

void pcapng::add(direction d, std::chrono::nanoseconds time, std::span<const std::byte> header,
                 std::span<const std::byte> text, std::size_t size) {
  if (stopped()) return;
  if (snap_ > 0) {
    header = header.first(std::min<std::size_t>(header.size(), snap_));
    text = text.first(std::min<std::size_t>(text.size(), snap_ - header.size()));
  }
  if (waiting() >= flush_at) flush();
  if (waiting() >= most_waiting) {
    ++lost_;
    return;
  }
  const auto ticks = static_cast<std::uint64_t>(time.count());
  const std::size_t begin = begin_block(enhanced_packet);
  add32(0);  // the interface
  add32(static_cast<std::uint32_t>(ticks >> 32));
  add32(static_cast<std::uint32_t>(ticks));
  add32(static_cast<std::uint32_t>(header.size() + text.size()));
  add32(static_cast<std::uint32_t>(size));
  add_octets(header);
  add_octets(text);
  pad();
  const auto flags = static_cast<std::uint32_t>(d);
  add_option(packet_flags, std::as_bytes(std::span{&flags, 1}));
  if (lost_ > 0) add_option(packet_drop_count, std::as_bytes(std::span{&lost_, 1}));
  lost_ = 0;
  add_option(end_of_options, {});
  end_block(begin);
}

void pcapng::flush() {
  if (stopped() || waiting() == 0) return;
  std::optional<without_sigpipe> guard;
  if (pipe_) guard.emplace();
  while (waiting() > 0) {
    const ssize_t n = ::write(fd_.get(), buffer_.data() + written_, waiting());
    if (n >= 0) {
      written_ += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      if (log_) log_("the capture in " + path_ + " has ended: " + std::generic_category().message(errno));
      fd_ = {};
      buffer_ = {};
      written_ = 0;
      return;
    }
  }
  if (written_ < buffer_.size() / 2) return;
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(written_));
  written_ = 0;
}

void pcapng::add_section_header() {
  const std::size_t begin = begin_block(section_header);
  add32(byte_order_magic);
  const std::uint16_t version[] = {1, 0};
  add_octets(std::as_bytes(std::span{version}));
  const std::int64_t unknown_length = -1;
  add_octets(std::as_bytes(std::span{&unknown_length, 1}));
  add_option(section_application, std::as_bytes(std::span{std::string_view{"tunic"}}));
  add_option(end_of_options, {});
  end_block(begin);
}

void pcapng::add_interface(const std::string& name) {
  const std::size_t begin = begin_block(interface_description);
  const std::uint16_t linktype[] = {linktype_raw, 0};
  add_octets(std::as_bytes(std::span{linktype}));
  add32(snap_);
  add_option(interface_name, std::as_bytes(std::span{name}));
  const std::uint8_t nanoseconds = 9;  // 10^-9 s
  add_option(timestamp_resolution, std::as_bytes(std::span{&nanoseconds, 1}));
  add_option(end_of_options, {});
  end_block(begin);
}

void pcapng::add32(std::uint32_t v) {
  add_octets(std::as_bytes(std::span{&v, 1}));
}

void pcapng::add_octets(std::span<const std::byte> octets) {
  buffer_.insert(buffer_.end(), octets.begin(), octets.end());
}

// Blocks have lengths that are multiples of four, whatever stood in the buffer before.
void pcapng::pad() {
  buffer_.resize((buffer_.size() + 3) / 4 * 4);
}

void pcapng::add_option(std::uint16_t code, std::span<const std::byte> value) {
  const std::uint16_t head[] = {code, static_cast<std::uint16_t>(value.size())};
  add_octets(std::as_bytes(std::span{head}));
  add_octets(value);
  pad();
}

std::size_t pcapng::begin_block(std::uint32_t type) {
  const std::size_t begin = buffer_.size();
  add32(type);
  add32(0);
  return begin;
}

void pcapng::end_block(std::size_t begin) {
  const auto length = static_cast<std::uint32_t>(buffer_.size() - begin + sizeof(std::uint32_t));
  std::memcpy(buffer_.data() + begin + sizeof(std::uint32_t), &length, sizeof length);
  add32(length);
}

}  // namespace tunic::drivers
