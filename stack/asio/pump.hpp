#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

#include <asio/basic_waitable_timer.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>

#include "stack/asio/handler_memory.hpp"
#include "stack/asio/operation.hpp"
#include "stack/stack.hpp"

namespace tunic::detail {

class pump;

/// What uses a pump's stack: it is told when the stack is about to go.
class attachment {
 public:
  attachment(const attachment&) = delete;
  attachment& operator=(const attachment&) = delete;
  /// The host closes: let go of everything in the stack and abort what is pending.
  virtual void on_close() = 0;

 protected:
  explicit attachment(pump& host);
  ~attachment();
  [[nodiscard]] pump& host() const { return pump_; }

 private:
  friend class pump;
  pump& pump_;
  attachment* previous_ = nullptr;
  attachment* next_ = nullptr;
};

/// Moves frames between one stack and one device on an io_context, keeps its deadlines, and delivers completed
/// operations. A pass runs handlers between receiving and sending, so what they write leaves with the acknowledgements
/// of what they read, and a batch of answers leaves at once. Everything happens on the thread that runs the io_context.
class pump final : public std::enable_shared_from_this<pump>, private device_waker, private echo_user {
 public:
  // A round takes in so many packets, or octets, which are then still in the cache for whoever reads them, and hands so
  // many to the device: a TUN device never pushes back, so it is looked for acknowledgements in between.
  static constexpr unsigned packets_a_round = 64;
  static constexpr std::size_t octets_a_round = 256u << 10;
  static constexpr unsigned frames_a_round = 256;
  static constexpr std::size_t octets_sent_a_round = 1u << 20;
  static constexpr unsigned rounds_a_pass = 4;  ///< then the other handlers of the io_context have their turn

  struct callbacks {
    std::function<instant()> clock;                  ///< empty: std::chrono::steady_clock and a timer
    std::function<void(std::error_code)> on_device;  ///< may be empty
  };

  pump(asio::io_context& io, device& d, const stack_config& c, const secret& key, tcp::observer* watcher, callbacks f,
       duration busy_poll);
  ~pump();

  /// Starts; apart from the constructor, since handlers share the pump.
  void open();
  /// Aborts what is pending and every connection somebody holds, tells the peers, and lets go of the device.
  void close();
  /// The stack goes: only after close().
  void destroy_stack() { stack_.reset(); }
  [[nodiscard]] bool is_open() const { return !closed_; }

  [[nodiscard]] const io_executor& get_executor() const { return executor_; }
  [[nodiscard]] tunic::stack& stack() { return *stack_; }
  /// The moment of the round that runs, or the clock's.
  [[nodiscard]] instant now() const { return pumping_ ? now_ : read_clock(); }
  [[nodiscard]] instant next_deadline();
  /// Counts the times that packets came: what is readable now came with this batch or before.
  [[nodiscard]] std::uint64_t batch() const { return batch_; }

  /// Has a pass run soon; any number of calls make one pass.
  void wake() override;
  /// After a user call: wakes where the stack has something to say.
  void flush() {
    if (stack_->has_output()) wake();
  }
  /// The operation is done: its handler is called on the executor, never from inside this call.
  void complete(operation& o, std::error_code e = {});
  /// Completes when no connection is left but in TIME-WAIT, and everything has been sent.
  void drain(wait_operation& o);
  /// Every user is told of every answer.
  void add_echo_user(echo_user& u) { echo_users_.push_back(&u); }
  void remove_echo_user(echo_user& u) { std::erase(echo_users_, &u); }

 private:
  friend class attachment;

  void on_echo_reply(const ip::echo_reply& r) override;
  void on_echo_error(const ip::icmp_error& e) override;
  void schedule();
  void pass();
  bool round();
  bool deliver();
  bool transmit();
  bool receive();
  void fail(std::error_code e);
  void recover();
  void report(std::error_code e);
  void watch();
  void watch_writable();
  void arm_timer();
  void check_drained();
  [[nodiscard]] instant read_clock() const;

  io_executor executor_;
  device& device_;
  callbacks callbacks_;
  duration busy_poll_;
  std::optional<tunic::stack> stack_;
  handler_memory handlers_;  // each of which shares the pump, and so outlives no memory
  asio::executor_work_guard<io_executor> work_;
  asio::posix::basic_stream_descriptor<io_executor> descriptor_;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, io_executor>
      timer_;

  attachment* attachments_ = nullptr;
  attachment* closes_next_ = nullptr;  ///< of those, while the host closes; `on_device` may let go of any
  std::vector<echo_user*> echo_users_;
  operation_list done_;
  operation_list draining_;

  frame frame_;
  bool frame_held_ = false;  ///< the device could not take frame_ yet
  instant now_{};
  instant armed_ = never;       ///< when the timer fires
  instant retry_at_ = never;    ///< when a device that failed is tried again
  instant full_until_ = never;  ///< when a full device that cannot be watched is tried again
  std::uint64_t batch_ = 0;
  instant spin_until_{};  ///< looks for packets until then before it sleeps
  std::error_code reported_;

  bool closed_ = false;
  bool closing_ = false;
  bool pumping_ = false;    ///< a pass runs
  bool again_ = false;      ///< woken during the pass
  bool scheduled_ = false;  ///< a pass is posted
  bool watching_ = false;
  bool watching_writable_ = false;
  bool failed_ = false;  ///< the device
};

}  // namespace tunic::detail
