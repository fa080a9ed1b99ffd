#pragma once

#include <cassert>
#include <utility>
#include <variant>

namespace tunic {

/// A value, or the reason why there is none. E must be another type than T.
template <class T, class E>
class [[nodiscard]] result {
 public:
  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return assert(*this), *std::get_if<0>(&state_); }
  const T& operator*() const { return assert(*this), *std::get_if<0>(&state_); }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }
  const E& error() const { return assert(!*this), *std::get_if<1>(&state_); }

 private:
  std::variant<T, E> state_;
};

}  // namespace tunic
