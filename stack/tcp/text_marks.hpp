#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tunic::tcp {

/// Places in the send queue, as offsets in order: where records end, or where a PUSH stands.
class text_marks {
 public:
  /// Not below any other. Where two would lie within `apart` octets before it, it takes the place of the second.
  void add(std::uint64_t offset, std::uint32_t apart = 0) {
    if (marks_.size() >= 2 && offset - marks_[marks_.size() - 2] < apart) marks_.pop_back();
    marks_.push_back(offset);
  }
  /// The first behind `begin`; `end` where there is none before that.
  [[nodiscard]] std::uint64_t first_in(std::uint64_t begin, std::uint64_t end) const {
    const auto found = std::upper_bound(marks_.begin(), marks_.end(), begin);
    return found == marks_.end() ? end : std::min(*found, end);
  }
  /// Whether there is one in (begin, end].
  [[nodiscard]] bool any_in(std::uint64_t begin, std::uint64_t end) const { return first_in(begin, end + 1) <= end; }
  /// The last before `end`; `begin` where there is none behind that.
  [[nodiscard]] std::uint64_t last_in(std::uint64_t begin, std::uint64_t end) const {
    const auto found = std::lower_bound(marks_.begin(), marks_.end(), end);
    return found == marks_.begin() ? begin : std::max(*(found - 1), begin);
  }
  /// Nobody needs those up to there any more.
  void drop(std::uint64_t offset) {
    marks_.erase(marks_.begin(), std::upper_bound(marks_.begin(), marks_.end(), offset));
  }
  void clear() { marks_.clear(); }
  [[nodiscard]] std::size_t capacity() const { return marks_.capacity(); }

 private:
  std::vector<std::uint64_t> marks_;
};

}  // namespace tunic::tcp
