#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/bind_allocator.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/recycling_allocator.hpp>

namespace tunic::detail {

using io_executor = asio::io_context::executor_type;

class cancellation_link;
class operation_list;
class pump;

/// An asynchronous operation whose handler's type has been forgotten. It is pending in the list of the object that will
/// complete it, then done in the pump's queue, which delivers it.
class operation {
 public:
  operation(const operation&) = delete;
  operation& operator=(const operation&) = delete;

  /// Frees the operation, then calls its handler with the result.
  virtual void deliver() = 0;
  /// Frees the operation; its handler is never called.
  virtual void destroy() noexcept = 0;

  [[nodiscard]] bool is_done() const { return done_; }
  /// Takes it out of the list it is pending in; from here on nothing can cancel it.
  void finish(std::error_code e);

  std::error_code error;

 protected:
  operation() = default;
  ~operation();

 private:
  friend class cancellation_link;
  friend class operation_list;

  operation_list* list_ = nullptr;
  operation* previous_ = nullptr;
  operation* next_ = nullptr;
  cancellation_link* link_ = nullptr;
  bool done_ = false;
};

/// Operations, first in first out. It owns them: what is left at its end is destroyed.
class operation_list {
 public:
  operation_list() = default;
  operation_list(operation_list&& other) noexcept;
  operation_list& operator=(operation_list&&) = delete;
  ~operation_list();

  [[nodiscard]] bool empty() const { return head_ == nullptr; }
  [[nodiscard]] operation* front() const { return head_; }
  [[nodiscard]] operation* back() const { return tail_; }
  [[nodiscard]] static operation* next(const operation& o) { return o.next_; }
  void push_back(operation& o);
  void remove(operation& o);
  [[nodiscard]] operation& pop_front();

 private:
  operation* head_ = nullptr;
  operation* tail_ = nullptr;
};

/// Sits in the cancellation slot of a pending operation's handler. It and the operation know each other, so either may
/// go first: slots are reused, and signals may end before the operation does.
class cancellation_link {
 public:
  cancellation_link(operation& o, pump& host);
  cancellation_link(const cancellation_link&) = delete;
  cancellation_link& operator=(const cancellation_link&) = delete;
  ~cancellation_link();

  /// A pending operation of ours has had no effect yet, so every type of cancellation is the same.
  void operator()(asio::cancellation_type_t type);

 private:
  friend class operation;
  operation* operation_;
  pump& pump_;
};

/// An operation of kind Base with its handler. Base::result() is the tuple of the handler's arguments.
template <class Base, class Handler>
class erased_operation final : public Base {
  using executor = asio::associated_executor_t<Handler, io_executor>;
  using allocator = typename std::allocator_traits<
      asio::associated_allocator_t<Handler, asio::recycling_allocator<void>>>::template rebind_alloc<erased_operation>;

 public:
  template <class... Args>
  static erased_operation& make(Handler&& h, const io_executor& io, Args&&... args) {
    allocator a = allocator_of(h);
    return *::new (std::allocator_traits<allocator>::allocate(a, 1))
        erased_operation(std::move(h), io, std::forward<Args>(args)...);
  }

  void deliver() override {
    Handler handler{std::move(handler_)};
    auto work = std::move(work_);
    auto result = this->result();
    free(handler);
    if (!work) return std::apply(std::move(handler), std::move(result));
    const allocator own = allocator_of(handler);  // before the handler moves
    asio::dispatch(work->get_executor(),
                   asio::bind_allocator(own, [h = std::move(handler), r = std::move(result)]() mutable {
                     std::apply(std::move(h), std::move(r));
                   }));
  }

  void destroy() noexcept override {
    Handler handler{std::move(handler_)};
    free(handler);
  }

 private:
  template <class... Args>
  erased_operation(Handler&& h, const io_executor& io, Args&&... args)
      : Base(std::forward<Args>(args)...), handler_(std::move(h)) {
    const executor e = asio::get_associated_executor(handler_, io);
    if (!is_the_pumps(e, io)) work_.emplace(e);
  }
  ~erased_operation() = default;

  /// Operations are delivered on the pump's own executor: a handler of the same one is called directly.
  static bool is_the_pumps(const executor& e, const io_executor& io) {
    if constexpr (std::is_same_v<executor, io_executor>) {
      return e == io;
    } else if constexpr (std::is_same_v<executor, asio::any_io_executor>) {
      // Asio 1.22's target() does not check the type it is asked for.
      return e.target_type() == typeid(io_executor) && *e.template target<io_executor>() == io;
    } else {
      return false;
    }
  }
  static allocator allocator_of(const Handler& h) {
    return allocator(asio::get_associated_allocator(h, asio::recycling_allocator<void>()));
  }
  void free(const Handler& h) noexcept {
    allocator a = allocator_of(h);
    this->~erased_operation();
    std::allocator_traits<allocator>::deallocate(a, this, 1);
  }

  Handler handler_;
  std::optional<asio::executor_work_guard<executor>>
      work_;  ///< where the handler runs elsewhere; the pump is work itself
};

/// Makes an operation of kind Base, has `start` begin it (then it is pending in a list of its object, or done) and
/// listens to the handler's cancellation slot while it is pending.
template <class Base, class Handler, class Start, class... Args>
void initiate(pump& host, const io_executor& io, Handler&& h, Start&& start, Args&&... args) {
  std::decay_t<Handler> handler(std::forward<Handler>(h));
  auto slot = asio::get_associated_cancellation_slot(handler);
  Base& op = erased_operation<Base, std::decay_t<Handler>>::make(std::move(handler), io, std::forward<Args>(args)...);
  start(op);
  if (slot.is_connected() && !op.is_done()) slot.template emplace<cancellation_link>(op, host);
}

/// An operation that yields nothing but its error.
struct wait_operation : operation {
  [[nodiscard]] std::tuple<std::error_code> result() { return {error}; }
};

}  // namespace tunic::detail
