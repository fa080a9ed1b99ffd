// What a TUN device carries at all: the cheapest ends of a connection that can be, without any of TCP's machinery. Each
// knows one kind of peer, the kernel on the device's other side, which loses nothing; nothing is kept that could be
// sent again, and no timer runs.
//
//   tunic_limit DEVICE respond        answers each segment with text by one response of 1 KiB
//   tunic_limit DEVICE respond-close  the same, and the response carries FIN
//   tunic_limit DEVICE sink           acknowledges whatever comes
//   tunic_limit DEVICE source FILE    streams a mapped file for ever, in super-segments, to whom has sent something

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <system_error>

#include "drivers/tun_attach.hpp"
#include "drivers/virtio_net.hpp"

namespace {

using tunic::drivers::virtio_net_header;

constexpr std::uint32_t mss = 1460, iss = 1000;
constexpr std::uint32_t super_segment = 44 * mss;  // octets of text, the most that a datagram holds
constexpr int reads_a_round = 64, writes_a_round = 8;
constexpr std::uint8_t window_shift = 8;

std::uint32_t add_up(const void* octets, std::size_t n) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < n; i += 2) {
    std::uint16_t word = 0;
    std::memcpy(&word, static_cast<const char*>(octets) + i, 2);
    sum += word;
  }
  return sum;
}

std::uint16_t fold(std::uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

struct flags {
  bool syn = false, fin = false;
};

// A segment that has come, and what an answer needs to know of it.
struct segment {
  iphdr ip;
  tcphdr tcp;
  std::uint32_t text = 0;  // octets
  std::uint8_t shift = 0;  // of the peer's window, where its SYN says so
  [[nodiscard]] std::uint32_t seq() const { return ntohl(tcp.seq); }
  [[nodiscard]] std::uint32_t ack() const { return ntohl(tcp.ack_seq); }
};

class device {
 public:
  explicit device(const std::string& name) : fd_(tunic::drivers::open_tun()) {
    tunic::drivers::attach_tun(fd_.get(), name, false, true, {});
  }

  // False where nothing is there; what is no segment of TCP over IPv4 is passed over.
  bool receive(segment& s) {
    for (;;) {
      const ssize_t n = ::read(fd_.get(), in_.data(), in_.size());
      if (n < 0) return false;
      if (parse(s)) return true;
    }
  }

  void wait() {
    pollfd p{fd_.get(), POLLIN, 0};
    ::poll(&p, 1, -1);
  }

  void answer(const segment& to, std::uint32_t seq, std::uint32_t ack, flags f, std::span<const char> text) {
    virtio_net_header about;
    iphdr ip{};
    tcphdr tcp{};
    const std::array<std::uint8_t, 8> options = {TCPOPT_MAXSEG, 4, mss >> 8,    mss & 0xff, TCPOPT_NOP,
                                                 TCPOPT_WINDOW, 3, window_shift};
    const std::size_t tcp_size = sizeof tcp + (f.syn ? options.size() : 0);
    ip.version = 4;
    ip.ihl = 5;
    ip.ttl = 64;
    ip.protocol = IPPROTO_TCP;
    ip.saddr = to.ip.daddr;
    ip.daddr = to.ip.saddr;
    ip.tot_len = htons(static_cast<std::uint16_t>(sizeof ip + tcp_size + text.size()));
    ip.check = static_cast<std::uint16_t>(~fold(add_up(&ip, sizeof ip)));
    tcp.source = to.tcp.dest;
    tcp.dest = to.tcp.source;
    tcp.seq = htonl(seq);
    tcp.ack_seq = htonl(ack);
    tcp.doff = static_cast<std::uint8_t>(tcp_size / 4) & 15;
    tcp.window = htons(65535);
    tcp.ack = 1;
    tcp.syn = f.syn;
    tcp.fin = f.fin;
    tcp.psh = !text.empty();
    tcp.check = fold(add_up(&ip.saddr, 8) + htons(IPPROTO_TCP) +
                     htons(static_cast<std::uint16_t>(tcp_size + text.size())));  // the kernel finishes it
    about.flags = virtio_net_header::needs_checksum;
    about.checksum_start = sizeof ip;
    about.checksum_offset = 16;
    if (text.size() > mss) {
      about.gso_type = virtio_net_header::gso_tcpv4;
      about.gso_size = mss;
      about.header_length = static_cast<std::uint16_t>(sizeof ip + tcp_size);
    }
    std::array<char, sizeof about + sizeof ip + sizeof tcp + options.size()> header;
    std::memcpy(header.data(), &about, sizeof about);
    std::memcpy(header.data() + sizeof about, &ip, sizeof ip);
    std::memcpy(header.data() + sizeof about + sizeof ip, &tcp, sizeof tcp);
    std::memcpy(header.data() + sizeof about + sizeof ip + sizeof tcp, options.data(), options.size());
    const iovec pieces[] = {{header.data(), sizeof about + sizeof ip + tcp_size},
                            {const_cast<char*>(text.data()), text.size()}};
    if (::writev(fd_.get(), pieces, text.empty() ? 1 : 2) < 0)
      throw std::system_error{errno, std::generic_category(), "writing to the device"};
  }

 private:
  bool parse(segment& s) const {
    const char* p = in_.data() + sizeof(virtio_net_header);
    std::memcpy(&s.ip, p, sizeof s.ip);
    if (s.ip.version != 4 || s.ip.protocol != IPPROTO_TCP) return false;
    p += s.ip.ihl * 4;
    std::memcpy(&s.tcp, p, sizeof s.tcp);
    s.text = ntohs(s.ip.tot_len) - s.ip.ihl * 4u - s.tcp.doff * 4u;
    if (!s.tcp.syn) return true;
    const char* const end = p + s.tcp.doff * 4;
    for (p += sizeof(tcphdr); p < end && *p != TCPOPT_EOL; p += *p == TCPOPT_NOP ? 1 : p[1])
      if (*p == TCPOPT_WINDOW) s.shift = static_cast<std::uint8_t>(p[2]);
    return true;
  }

  tunic::drivers::file_descriptor fd_;
  std::array<char, 1 << 17> in_{};
};

// What all of them say to SYN and FIN; true where the segment was one of these.
bool open_or_close(device& d, const segment& s, std::uint32_t nxt, bool fin_sent) {
  if (s.tcp.syn)
    d.answer(s, iss, s.seq() + 1, {.syn = true}, {});
  else if (s.tcp.fin)
    d.answer(s, nxt, s.seq() + s.text + 1, {.fin = !fin_sent}, {});
  return s.tcp.syn || s.tcp.fin || s.tcp.rst;
}

void respond(device& d, bool closing) {
  std::string response =
      "HTTP/1.1 200 OK\r\nServer: limit\r\nContent-Type: application/octet-stream\r\nContent-Length: 1024\r\n\r\n";
  response.append(1024, 'x');
  for (segment s;;) {
    while (!d.receive(s)) d.wait();
    if (open_or_close(d, s, s.ack(), closing) || s.text == 0) continue;
    d.answer(s, s.ack(), s.seq() + s.text, {.fin = closing}, response);
  }
}

void sink(device& d) {
  for (segment s;;) {
    while (!d.receive(s)) d.wait();
    if (!open_or_close(d, s, s.ack(), false) && s.text > 0) d.answer(s, s.ack(), s.seq() + s.text, {}, {});
  }
}

std::span<const char> map(const char* path) {
  const tunic::drivers::file_descriptor file{::open(path, O_RDONLY | O_CLOEXEC)};
  struct stat about {};
  if (file.get() < 0 || ::fstat(file.get(), &about) < 0) throw std::system_error{errno, std::generic_category(), path};
  const auto size = static_cast<std::size_t>(about.st_size);
  if (size < super_segment) throw std::invalid_argument{std::string{path} + " is too small: 64 KiB at least"};
  void* const p = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (p == MAP_FAILED) throw std::system_error{errno, std::generic_category(), path};
  return {static_cast<const char*>(p), size};
}

void source(device& d, std::span<const char> file) {
  std::size_t at = 0;
  std::uint32_t nxt = iss + 1, una = iss + 1, window_end = 0, rcv_nxt = 0;
  std::uint8_t shift = 0;
  bool streaming = false;
  segment s, last{};
  for (;;) {
    bool idle = true;
    for (int i = 0; i < reads_a_round && d.receive(s); ++i) {
      idle = false;
      if (s.tcp.syn) shift = s.shift;
      if (open_or_close(d, s, nxt, false)) {
        streaming = false;
        nxt = una = iss + 1;
        continue;
      }
      if (s.text > 0) {
        streaming = true;
        rcv_nxt = s.seq() + s.text;
      }
      last = s;
      una = s.ack();
      window_end = s.ack() + (std::uint32_t{ntohs(s.tcp.window)} << shift);
    }
    for (int i = 0; streaming && i < writes_a_round; ++i) {
      // A small window is filled once nothing is under way, a large one by whole super-segments.
      const auto room = static_cast<std::int32_t>(window_end - nxt);
      const std::uint32_t n = room < 0 ? 0 : std::min(static_cast<std::uint32_t>(room), super_segment);
      if (n < mss || (n < super_segment && nxt != una)) break;
      if (at + n > file.size()) at = 0;
      d.answer(last, nxt, rcv_nxt, {}, file.subspan(at, n));
      at += n;
      nxt += n;
      idle = false;
    }
    if (idle) d.wait();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 2 ? argv[2] : "";
  try {
    if (argc == 3 && (what == "respond" || what == "respond-close" || what == "sink")) {
      device d{argv[1]};
      std::puts("ready");
      std::fflush(stdout);
      if (what == "sink") sink(d);
      respond(d, what == "respond-close");
    } else if (argc == 4 && what == "source") {
      const auto file = map(argv[3]);
      device d{argv[1]};
      std::puts("ready");
      std::fflush(stdout);
      source(d, file);
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tunic_limit: %s\n", e.what());
    return 1;
  }
  std::fputs("usage: tunic_limit DEVICE respond|respond-close|sink\n       tunic_limit DEVICE source FILE\n", stderr);
  return 2;
}
