#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <tuple>

#include <asio/buffer.hpp>
#include <asio/socket_base.hpp>

#include "stack/asio/operation.hpp"
#include "stack/asio/pump.hpp"
#include "stack/asio/socket_settings.hpp"
#include "stack/tcp/layer.hpp"

namespace tunic::detail {

/// The first buffers of a sequence that hold any octets: as many as one read_some or write_some works on.
template <class Buffer>
class buffer_list {
 public:
  static constexpr std::size_t most = 8;

  template <class BufferSequence>
  explicit buffer_list(const BufferSequence& all) {
    for (auto i = asio::buffer_sequence_begin(all); i != asio::buffer_sequence_end(all) && count_ < most; ++i)
      if (const Buffer b{*i}; b.size() > 0) list_[count_++] = b;
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] const Buffer* begin() const { return list_.data(); }
  [[nodiscard]] const Buffer* end() const { return list_.data() + count_; }

 private:
  std::array<Buffer, most> list_;
  std::size_t count_ = 0;
};

using read_buffers = buffer_list<asio::mutable_buffer>;
using write_buffers = buffer_list<asio::const_buffer>;

/// What an operation of a socket waits for.
enum class wanted : std::uint8_t { connect, read, write, wait_read, wait_write, wait_error };

struct socket_operation : operation {
  explicit socket_operation(wanted w) : what(w) {}
  wanted what;
};

struct ready_operation : socket_operation {  // connect and the waits
  using socket_operation::socket_operation;
  [[nodiscard]] std::tuple<std::error_code> result() { return {error}; }
};

struct transfer_operation : socket_operation {
  using socket_operation::socket_operation;
  [[nodiscard]] std::tuple<std::error_code, std::size_t> result() { return {error, octets}; }
  std::size_t octets = 0;
};

struct read_operation : transfer_operation {
  template <class BufferSequence>
  explicit read_operation(const BufferSequence& b) : transfer_operation(wanted::read), buffers(b) {}
  read_buffers buffers;
};

struct write_operation : transfer_operation {
  template <class BufferSequence>
  explicit write_operation(const BufferSequence& b) : transfer_operation(wanted::write), buffers(b) {}
  write_buffers buffers;
};

/// What a tcp::socket is a handle of: a connection of the stack, with the operations that wait for it.
class connection final : public attachment, public tcp::user {
 public:
  explicit connection(pump& host) : attachment(host) {}
  ~connection() { close(); }

  /// Takes the next connection that waits at the listener; false where none does.
  bool accept(tcp::listener& from);
  void connect(const endpoint& to, ready_operation& o);
  /// Begins a read, a write or a wait: done at once where it can be, else pending.
  void start(socket_operation& o);

  std::size_t read(const read_buffers& to, std::error_code& e);
  std::size_t write(const write_buffers& from, std::error_code& e);
  std::size_t adopt(std::shared_ptr<const void> owner, std::span<const std::byte> octets, std::error_code& e);
  [[nodiscard]] std::span<const std::byte> borrow(std::error_code& e);
  void consume(std::size_t n);
  [[nodiscard]] std::size_t available(std::error_code& e) const;

  void bind(const endpoint& local, std::error_code& e);
  void shutdown(asio::socket_base::shutdown_type what, std::error_code& e);
  /// CLOSE, or ABORT where linger says so; what is pending is aborted.
  void close();
  void cancel();
  /// ABORT: nobody would be left to finish an orderly end.
  void on_close() override;

  [[nodiscard]] bool is_open() const { return tcb_ != nullptr; }
  [[nodiscard]] tcp::tcb* tcb() const { return tcb_; }
  [[nodiscard]] endpoint local(std::error_code& e) const;
  [[nodiscard]] endpoint remote(std::error_code& e) const;
  [[nodiscard]] tcp::status status() const;

  [[nodiscard]] const socket_settings& settings() const { return settings_; }
  /// The same with the stack's own where nothing else was said.
  [[nodiscard]] socket_settings settings_in_effect() const;
  /// Takes new settings and applies what differs.
  void set(const socket_settings& s);
  bool non_blocking = false;

 private:
  void on_events(tcp::events e) override;
  [[nodiscard]] tcp::layer& layer() const { return host().stack().tcp(); }
  void let_go(bool abort, std::optional<duration> linger = std::nullopt);
  /// Why octets can be neither read nor written: there is no connection (yet).
  [[nodiscard]] std::error_code unusable() const;
  [[nodiscard]] std::error_code end_of_reading() const;
  [[nodiscard]] std::error_code end_of_writing() const;
  /// Tries the operation; false where it has to wait.
  bool attempt(socket_operation& o, std::error_code& e);
  void attempt_all();
  void abort_pending();

  tcp::tcb* tcb_ = nullptr;
  operation_list pending_;
  socket_settings settings_;
  bool connecting_ = false;
  bool read_shut_ = false;
  bool write_shut_ = false;
};

}  // namespace tunic::detail
