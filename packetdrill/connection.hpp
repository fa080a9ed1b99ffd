#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "packetdrill/fast_open.hpp"
#include "packetdrill/network.hpp"
#include "packetdrill/tcp_info.hpp"

namespace tunic::packetdrill {

/// What a socket asks for itself and its connections. Each is a line here, a line in connection.cpp that tells the
/// stack, and a line in the table of socket options.
struct wishes {
  bool no_delay = false;
  bool cork = false;
  tcp::liveness live;
  std::uint8_t tos = 0;
  std::uint8_t hop_limit = 0;        ///< 0: the stack's
  std::uint16_t mss = 0;             ///< octets of text a segment carries at most; 0: as the device allows
  std::uint32_t receive_buffer = 0;  ///< octets; 0: the namespace's setting
  std::uint32_t send_buffer = 0;     ///< octets; 0: the namespace's setting
  std::uint32_t unsent_limit = 0;    ///< octets; 0: the namespace's setting
  fast_open_wishes fast_open;
};

/// A socket's view of its connection: with listener, what the plug-in knows of the TCP core. What the stack has to
/// say after a call is taken out of it at once.
class connection final : private tcp::user {
 public:
  /// Told what has become true.
  class owner {
   public:
    virtual void on_connection(tcp::events e) = 0;

   protected:
    ~owner() = default;
  };

  /// Dials; `fast`, so that the SYN waits for text where it may take it. On failure the connection is not open() and
  /// error() says why.
  connection(network& n, const endpoint& remote, const std::optional<endpoint>& local, const wishes& w, bool fast,
             owner& o);
  /// Takes the next one that waits at a listener; not open() where none does.
  connection(network& n, tcp::listener& from, const wishes& w, owner& o);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  [[nodiscard]] bool open() const { return tcb_ != nullptr; }
  /// An errno; 0 where nothing is wrong. To be told once: take_error() forgets it.
  [[nodiscard]] int error() const { return error_; }
  int take_error() { return std::exchange(error_, 0); }

  [[nodiscard]] tcp::state state() const { return tcb_->state; }
  /// Whether its SYN waits for text.
  [[nodiscard]] bool waits_for_text() const { return tcp::layer::waits_for_text(*tcb_); }
  /// Octets that would go with the SYN.
  [[nodiscard]] std::size_t syn_text_room() const { return network_.tcp().syn_text_room(*tcb_, network_.now()); }
  /// Whether connect() is under way: what was accepted is open for its user, whatever its handshake lacks.
  [[nodiscard]] bool opening() const {
    return !tcb_->passive && !waits_for_text() &&
           (state() == tcp::state::syn_sent || state() == tcp::state::syn_received);
  }
  [[nodiscard]] bool closed() const { return state() == tcp::state::closed; }
  [[nodiscard]] bool at_end() const { return tcp::layer::at_end(*tcb_); }
  [[nodiscard]] bool peer_has_closed() const { return tcb_->fin_received; }
  [[nodiscard]] bool send_is_shut() const { return tcb_->closing || closed(); }
  [[nodiscard]] four_tuple ends() const { return tcb_->ends; }

  /// Hands octets to the stack, as many as fit into one of Linux's buffers; nothing leaves before push(). 0 where there
  /// is no room: then the owner is told of some.
  std::size_t send(std::span<const std::byte> octets, tcp::ending e);
  void push() { network_.pump(); }
  /// The same of what goes with the SYN or waits behind it: as much as the stack takes.
  std::size_t send_at_once(std::span<const std::byte> octets);
  /// Lets go what waits for more.
  void flush();
  std::size_t receive(std::span<std::byte> to);
  std::size_t discard(std::size_t most);
  [[nodiscard]] std::span<const std::byte> peek() const;
  [[nodiscard]] std::size_t available() const;
  /// Octets in the send queue, and those of them not sent yet.
  [[nodiscard]] std::size_t queued() const;
  [[nodiscard]] std::size_t unsent() const;
  /// Whether a writer is worth waking: a third of the buffer is free, as Linux has it.
  [[nodiscard]] bool writable() const;

  void shut_send();
  void abort();
  /// Tells the stack what the socket wishes now.
  void apply(const wishes& w);
  [[nodiscard]] tcp_info info() const;
  /// Octets of text that a segment carries at most.
  [[nodiscard]] std::uint32_t mss() const;
  /// Octets that may be queued to be sent.
  [[nodiscard]] std::uint64_t send_buffer() const;

 private:
  void on_events(tcp::events e) override;
  void take_closed();
  [[nodiscard]] tcp::status status() const;
  [[nodiscard]] std::uint32_t unsent_limit() const;

  network& network_;
  owner& owner_;
  tcp::tcb* tcb_ = nullptr;
  wishes wishes_;
  int error_ = 0;
};

/// A socket in LISTEN.
class listener final : private tcp::listener_user {
 public:
  class owner {
   public:
    virtual void on_acceptable() = 0;

   protected:
    ~owner() = default;
  };

  listener(network& n, const endpoint& local, bool v6_only, std::size_t backlog, const wishes& w, owner& o);
  ~listener();
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  /// An errno where it could not be made; else 0.
  [[nodiscard]] int error() const { return error_; }
  /// Connections to come are as the socket wishes now.
  void apply(const wishes& w);
  [[nodiscard]] bool acceptable() const { return listener_->accept_queue.size() > 0; }
  [[nodiscard]] std::unique_ptr<connection> accept(const wishes& w, connection::owner& o);

 private:
  void on_acceptable() override { owner_.on_acceptable(); }

  network& network_;
  owner& owner_;
  tcp::listener* listener_ = nullptr;
  int error_ = 0;
};

}  // namespace tunic::packetdrill
