#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "packetdrill/socket.hpp"

// Socket options: a table of those that are one number, a line each, and the few that are not.

namespace tunic::packetdrill {

struct socket_options {
  struct entry {
    int level;
    int name;
    int (*get)(const socket&);       // null: write only
    int (*set)(socket&, int value);  // 0 or a negative errno; null: read only
  };

  // What Linux makes of a buffer's size: no more than the machine's most, and twice as much.
  static std::uint32_t doubled(const socket& s, const char* most, int value) {
    const std::uint32_t limit = s.network_.sysctls().number(most, 212992);
    return 2 * std::clamp<std::uint32_t>(static_cast<std::uint32_t>(std::max(value, 0)), 2304, limit);
  }
  static int send_buffer(const socket& s) {
    if (s.connection_) return static_cast<int>(s.connection_->send_buffer());
    if (s.wishes_.send_buffer != 0) return static_cast<int>(s.wishes_.send_buffer);
    return static_cast<int>(s.network_.sysctls().triple("ipv4/tcp_wmem", {4096, 16384, 4194304})[1]);
  }
  static int receive_buffer(const socket& s) {  // half of it is text, the rest overhead: Linux's tcp_adv_win_scale of 1
    if (s.wishes_.receive_buffer != 0) return static_cast<int>(2 * s.wishes_.receive_buffer);
    return static_cast<int>(s.network_.sysctls().triple("ipv4/tcp_rmem", {4096, 131072, 6291456})[1]);
  }
  static int segment(const socket& s) {
    if (s.connection_) return static_cast<int>(s.connection_->mss());
    return s.wishes_.mss != 0 ? s.wishes_.mss : 536;
  }
  template <auto member>
  static int wish(const socket& s) {
    return static_cast<int>(s.wishes_.*member);
  }
  template <auto member>
  static int flag(socket& s, int value) {
    s.wishes_.*member = value != 0;
    s.apply();
    return 0;
  }
  template <auto member, int least, int most>
  static int number(socket& s, int value) {
    if (value < least || value > most) return -EINVAL;
    s.wishes_.*member = static_cast<std::remove_reference_t<decltype(s.wishes_.*member)>>(value);
    s.apply();
    return 0;
  }

  // How long a connection waits, in units of so many milliseconds.
  template <auto member, int unit>
  static int wait(const socket& s) {
    return static_cast<int>((filled_in(s.wishes_.live, s.network_.tcp().settings()).*member).count() / unit);
  }
  template <auto member, int unit, int least, int most>
  static int set_wait(socket& s, int value) {
    if (value < least || value > most) return -EINVAL;
    s.wishes_.live.*member = tcp::patience{static_cast<std::uint32_t>(value) * unit};
    s.apply();
    return 0;
  }

  static constexpr int most_int = 0x7fffffff;
  static const entry table[];
  // Whoever asks for these means another socket, another process or the kernel's routing; nothing here depends on them.
  static constexpr std::array<std::pair<int, int>, 7> without_effect{{{SOL_SOCKET, SO_REUSEADDR},
                                                                      {SOL_SOCKET, SO_REUSEPORT},
                                                                      {SOL_SOCKET, SO_MARK},
                                                                      {SOL_SOCKET, SO_PRIORITY},
                                                                      {IPPROTO_IP, IP_FREEBIND},
                                                                      {IPPROTO_IP, IP_MTU_DISCOVER},
                                                                      {IPPROTO_IPV6, IPV6_MTU_DISCOVER}}};

  static const entry* find(int level, int name) {
    for (const entry* e = table; e->get || e->set; ++e)
      if (e->level == level && e->name == name) return e;
    return nullptr;
  }
  static bool has_no_effect(int level, int name) {
    return std::find(without_effect.begin(), without_effect.end(), std::pair{level, name}) != without_effect.end();
  }
};

const socket_options::entry socket_options::table[] = {
    {SOL_SOCKET, SO_KEEPALIVE, [](const socket& s) { return s.wishes_.live.keep_alive ? 1 : 0; },
     [](socket& s, int v) {
       s.wishes_.live.keep_alive = v != 0;
       s.apply();
       return 0;
     }},
    {IPPROTO_TCP, TCP_KEEPIDLE, wait<&tcp::liveness::keep_alive_idle, 1000>,
     set_wait<&tcp::liveness::keep_alive_idle, 1000, 1, 32767>},
    {IPPROTO_TCP, TCP_KEEPINTVL, wait<&tcp::liveness::keep_alive_interval, 1000>,
     set_wait<&tcp::liveness::keep_alive_interval, 1000, 1, 32767>},
    {IPPROTO_TCP, TCP_KEEPCNT,
     [](const socket& s) { return int{filled_in(s.wishes_.live, s.network_.tcp().settings()).keep_alive_probes}; },
     [](socket& s, int v) {
       if (v < 1 || v > 127) return -EINVAL;
       s.wishes_.live.keep_alive_probes = static_cast<std::uint8_t>(v);
       s.apply();
       return 0;
     }},
    {IPPROTO_TCP, TCP_SYNCNT,
     [](const socket& s) { return int{filled_in(s.wishes_.live, s.network_.tcp().settings()).syn_retries}; },
     [](socket& s, int v) {
       if (v < 1 || v > 127) return -EINVAL;
       s.wishes_.live.syn_retries = static_cast<std::uint8_t>(v);
       s.apply();
       return 0;
     }},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, wait<&tcp::liveness::user_timeout, 1>,
     set_wait<&tcp::liveness::user_timeout, 1, 0, most_int>},
    {IPPROTO_TCP, TCP_LINGER2, wait<&tcp::liveness::fin_wait_2, 1000>,
     set_wait<&tcp::liveness::fin_wait_2, 1000, 0, 120>},
    {SOL_SOCKET, SO_SNDBUF, send_buffer,
     [](socket& s, int v) {
       s.wishes_.send_buffer = doubled(s, "core/wmem_max", v);
       s.apply();
       return 0;
     }},
    {SOL_SOCKET, SO_RCVBUF, receive_buffer,
     [](socket& s, int v) {
       s.wishes_.receive_buffer = doubled(s, "core/rmem_max", v) / 2;
       s.apply();
       return 0;
     }},
    {SOL_SOCKET, SO_ZEROCOPY, [](const socket& s) { return s.zero_copy_ ? 1 : 0; },
     [](socket& s, int v) {
       if (v != 0 && v != 1) return -EINVAL;
       s.zero_copy_ = v != 0;
       return 0;
     }},
    {SOL_SOCKET, SO_TYPE, [](const socket&) { return int{SOCK_STREAM}; }, nullptr},
    {SOL_SOCKET, SO_DOMAIN, [](const socket& s) { return s.domain_; }, nullptr},
    {SOL_SOCKET, SO_PROTOCOL, [](const socket&) { return int{IPPROTO_TCP}; }, nullptr},
    {SOL_SOCKET, SO_ACCEPTCONN, [](const socket& s) { return s.listener_ ? 1 : 0; }, nullptr},
    {IPPROTO_TCP, TCP_NODELAY, wish<&wishes::no_delay>,
     [](socket& s, int v) {
       s.wishes_.no_delay = v != 0;
       s.apply();
       if (v != 0 && s.connection_) s.connection_->flush();
       return 0;
     }},
    {IPPROTO_TCP, TCP_CORK, wish<&wishes::cork>, flag<&wishes::cork>},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT, wish<&wishes::unsent_limit>,
     [](socket& s, int v) {
       s.wishes_.unsent_limit = static_cast<std::uint32_t>(v);
       s.apply();
       return 0;
     }},
    {IPPROTO_TCP, TCP_MAXSEG, segment, number<&wishes::mss, 88, 32767>},
    {IPPROTO_TCP, TCP_INQ, [](const socket& s) { return s.tell_inq_ ? 1 : 0; },
     [](socket& s, int v) {
       if (v != 0 && v != 1) return -EINVAL;
       s.tell_inq_ = v != 0;
       return 0;
     }},
    {IPPROTO_TCP, TCP_FASTOPEN, [](const socket& s) { return static_cast<int>(s.wishes_.fast_open.limit); },
     [](socket& s, int v) {
       if (v < 0 || s.connection_) return -EINVAL;
       s.wishes_.fast_open.limit = static_cast<std::uint32_t>(v);
       s.apply();
       return 0;
     }},
    {IPPROTO_TCP, TCP_FASTOPEN_CONNECT, [](const socket& s) { return s.wishes_.fast_open.connect ? 1 : 0; },
     [](socket& s, int v) {
       if (v != 0 && v != 1) return -EINVAL;
       if (!fast_open_settings{s.network_.sysctls()}.client) return -EOPNOTSUPP;
       if (s.connection_ || s.listener_) return -EINVAL;
       s.wishes_.fast_open.connect = v != 0;
       return 0;
     }},
    {IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, [](const socket& s) { return s.wishes_.fast_open.no_cookie ? 1 : 0; },
     [](socket& s, int v) {
       if ((v != 0 && v != 1) || s.connection_) return -EINVAL;
       s.wishes_.fast_open.no_cookie = v != 0;
       s.apply();
       return 0;
     }},
    {IPPROTO_IP, IP_TOS, wish<&wishes::tos>, number<&wishes::tos, 0, 255>},
    {IPPROTO_IPV6, IPV6_TCLASS, wish<&wishes::tos>, number<&wishes::tos, 0, 255>},
    {IPPROTO_IP, IP_TTL, wish<&wishes::hop_limit>, number<&wishes::hop_limit, 1, 255>},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, wish<&wishes::hop_limit>, number<&wishes::hop_limit, 1, 255>},
    {IPPROTO_IPV6, IPV6_V6ONLY, [](const socket& s) { return s.v6_only_ ? 1 : 0; },
     [](socket& s, int v) {
       s.v6_only_ = v != 0;
       return 0;
     }},
    {0, 0, nullptr, nullptr}};

namespace {

// As much of an answer as there is room for.
int answer(const void* from, std::size_t size, void* value, socklen_t* length) {
  *length = static_cast<socklen_t>(std::min<std::size_t>(*length, size));
  std::memcpy(value, from, *length);
  return 0;
}

}  // namespace

int socket::get_option(int level, int name, void* value, socklen_t* length) {
  if (!value || !length) return -EFAULT;
  if (level == SOL_SOCKET && name == SO_ERROR) {
    const int error = connection_ ? connection_->take_error() : 0;
    return answer(&error, sizeof error, value, length);
  }
  if (level == IPPROTO_TCP && name == TCP_INFO) {
    tcp_info info{};
    info.state = linux_state(listener_ ? tcp::state::listen : tcp::state::closed);
    if (connection_) info = connection_->info();
    return answer(&info, sizeof info, value, length);
  }
  if (level == IPPROTO_TCP && name == TCP_CC_INFO) return answer("", 0, value, length);  // as CUBIC: none
  if (level == SOL_SOCKET && name == SO_MEMINFO) {
    std::array<std::uint32_t, 9> memory{};  // <linux/sock_diag.h>'s SK_MEMINFO_… in their order
    memory[1] = static_cast<std::uint32_t>(socket_options::receive_buffer(*this));
    memory[3] = static_cast<std::uint32_t>(socket_options::send_buffer(*this));
    if (connection_) {
      memory[0] = static_cast<std::uint32_t>(connection_->available());
      memory[5] = static_cast<std::uint32_t>(connection_->queued());
    }
    return answer(memory.data(), sizeof memory, value, length);
  }
  if (const auto* e = socket_options::find(level, name); e && e->get) {
    const int number = e->get(*this);
    return answer(&number, sizeof number, value, length);
  }
  if (socket_options::has_no_effect(level, name)) {
    const int number = remembered_[{level, name}];
    return answer(&number, sizeof number, value, length);
  }
  return -ENOPROTOOPT;
}

int socket::set_option(int level, int name, const void* value, socklen_t length) {
  if (!value) return -EFAULT;
  if (level == SOL_SOCKET && name == SO_LINGER) {
    linger wanted{};
    if (length < sizeof wanted) return -EINVAL;
    std::memcpy(&wanted, value, sizeof wanted);
    if (wanted.l_onoff != 0 && wanted.l_linger != 0) return -EOPNOTSUPP;  // a close() that sleeps
    abort_on_close_ = wanted.l_onoff != 0;
    return 0;
  }
  if (level == IPPROTO_TCP && name == TCP_FASTOPEN_KEY) {
    const auto keys = read_keys({static_cast<const std::uint8_t*>(value), length});
    if (!keys) return -EINVAL;
    wishes_.fast_open.keys = keys;
    apply();
    return 0;
  }
  int number = 0;
  if (length >= sizeof number) {
    std::memcpy(&number, value, sizeof number);
  } else if (level == IPPROTO_IP && length > 0) {  // these may be of one octet
    number = *static_cast<const unsigned char*>(value);
  } else {
    return -EINVAL;
  }
  if (const auto* e = socket_options::find(level, name); e && e->set) return e->set(*this, number);
  if (!socket_options::has_no_effect(level, name)) return -ENOPROTOOPT;
  remembered_[{level, name}] = number;
  return 0;
}

}  // namespace tunic::packetdrill
