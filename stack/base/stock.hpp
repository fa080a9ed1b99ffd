#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace tunic {

/// Objects that are needed for a while, again and again: what is given back is kept for reuse, last in, first out, so
/// that the warmest is used again first. Whoever gives one back leaves it empty, but for room that it may have
/// reserved.
template <class T>
class stock {
 public:
  static constexpr std::size_t most_kept = 4096;  ///< beyond it they are freed

  std::unique_ptr<T> take() {
    if (kept_.empty()) return std::make_unique<T>();
    std::unique_ptr<T> t = std::move(kept_.back());
    kept_.pop_back();
    return t;
  }
  void give_back(std::unique_ptr<T> t) {
    if (kept_.size() < most_kept) kept_.push_back(std::move(t));
  }

 private:
  std::vector<std::unique_ptr<T>> kept_;
};

}  // namespace tunic
