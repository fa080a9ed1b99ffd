#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "stack/base/address.hpp"
#include "stack/base/time.hpp"
#include "stack/tcp/ecn.hpp"
#include "stack/tcp/fast_open.hpp"
#include "stack/tcp/user.hpp"

namespace tunic::tcp {

struct tcb;
class listener;

struct listen_options {
  endpoint local;              ///< an unspecified address listens on every address of its version
  bool v6_only = false;        ///< else the unspecified address of version 6 listens on both versions
  std::size_t backlog = 1024;  ///< established connections that wait for accept(); as many again may be half open
  bool no_delay = false;       ///< inherited by what is accepted, like all below
  std::uint8_t hop_limit = 0;
  std::uint8_t tos = 0;             ///< its six bits of DSCP; the two of ECN are the stack's
  std::optional<ecn_use> ecn = {};  ///< else the stack's
  std::uint16_t mss = 0;
  std::uint32_t receive_buffer = 0;
  std::uint32_t send_buffer = 0;
  fast_open_use fast_open = fast_open_use::off;         ///< accept what a SYN's text opens, before its handshake
  std::size_t fast_open_limit = 256;                    ///< such connections whose handshake is not done, at most
  std::optional<tcp::fast_open_keys> fast_open_keys{};  ///< else the stack's
};

/// What a connection is to the listener that it came to, until a user accepts it.
struct incoming {
  tcp::listener* listener;
  tcb* next = nullptr;  ///< in the SYN or accept queue
  tcb* previous = nullptr;
};

/// A doubly linked list of connections through what is incoming of them.
class tcb_queue {
 public:
  void push_back(tcb& t);
  void remove(tcb& t);
  [[nodiscard]] tcb* front() const { return head_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  tcb* head_ = nullptr;
  tcb* tail_ = nullptr;
  std::size_t size_ = 0;
};

/// A connection in LISTEN: it never becomes another state itself, but makes a new tcb for every SYN. The SYN queue
/// holds what is half open, the accept queue what is established, or was opened fast, and not yet accepted: also where
/// its peer has reset it since, for what had come can still be read.
class listener {
 public:
  listener(const listen_options& o, listener_user& u) : options(o), user(&u) {}

  [[nodiscard]] bool matches(const endpoint& local) const;
  /// Whether it names its address: the more specific listener wins.
  [[nodiscard]] bool is_specific() const { return !options.local.address.is_unspecified(); }

  listen_options options;
  listener_user* user;
  tcb_queue syn_queue;
  tcb_queue accept_queue;
  std::shared_ptr<pending_fast_opens> fast_opens = std::make_shared<pending_fast_opens>();  ///< outlives it
  instant cookies_until{};  ///< a cookie that was sent may come back until then
};

}  // namespace tunic::tcp
