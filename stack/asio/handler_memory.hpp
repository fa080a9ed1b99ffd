#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace tunic::detail {

/// Memory for what Asio keeps of a handler until it has run, used again and again. Asio's own cache has two blocks for
/// all handlers of a thread, and gives one up where a larger is wanted: a timer that fires amid other work would cost
/// an allocation.
class handler_memory {
 public:
  handler_memory() = default;
  handler_memory(const handler_memory&) = delete;
  handler_memory& operator=(const handler_memory&) = delete;
  ~handler_memory() {
    while (free_ != nullptr) ::operator delete(std::exchange(free_, free_->next));
  }

  void* take(std::size_t octets) {
    if (octets > block_octets) return ::operator new(octets);
    if (free_ == nullptr) return ::operator new(block_octets);
    return std::exchange(free_, free_->next);
  }
  void give_back(void* p, std::size_t octets) {
    if (octets > block_octets) return ::operator delete(p);
    free_ = new (p) block{free_};
  }

 private:
  struct block {
    block* next;
  };
  static constexpr std::size_t block_octets = 256;  // a wait takes some 100

  block* free_ = nullptr;
};

/// The allocator of that memory, as Asio wants it.
template <class T>
class handler_allocator {
 public:
  using value_type = T;

  explicit handler_allocator(handler_memory& from) : from_(&from) {}
  template <class U>
  handler_allocator(const handler_allocator<U>& other) : from_(other.from_) {}  // NOLINT: as allocators convert

  T* allocate(std::size_t n) { return static_cast<T*>(from_->take(n * sizeof(T))); }
  void deallocate(T* p, std::size_t n) { from_->give_back(p, n * sizeof(T)); }
  template <class U>
  bool operator==(const handler_allocator<U>& other) const {
    return from_ == other.from_;
  }

 private:
  template <class U>
  friend class handler_allocator;

  handler_memory* from_;
};

/// A handler that Asio keeps in a memory, which must live as long as the handler does.
template <class Handler>
class kept_handler {
 public:
  using allocator_type = handler_allocator<void>;

  kept_handler(handler_memory& in, Handler h) : memory_(&in), handler_(std::move(h)) {}
  [[nodiscard]] allocator_type get_allocator() const { return allocator_type(*memory_); }
  template <class... Argument>
  void operator()(Argument&&... arguments) {
    handler_(std::forward<Argument>(arguments)...);
  }

 private:
  handler_memory* memory_;
  Handler handler_;
};

}  // namespace tunic::detail
