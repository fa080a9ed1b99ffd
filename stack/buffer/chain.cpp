#include "stack/buffer/chain.hpp"

#include <cstring>

namespace tunic {

chain::~chain() {
  if (entries_ != inline_) delete[] entries_;
}

std::uint64_t chain::charge_of(const slice& s) {
  const auto capacity = s.owner() ? s.owner()->capacity() : 0;
  return capacity != 0 ? capacity : s.size();
}

void chain::push_back(slice s) {
  if (s.empty()) return;
  if (count_ == capacity_) grow();
  charge_ += charge_of(s);
  entry& e = at(count_++);
  e.begin = end_;
  end_ += s.size();
  e.octets = std::move(s);
  tail_room_ = 0;
}

void chain::copy_in(pool& from, std::span<const std::byte> octets) {
  while (!octets.empty()) {
    if (tail_room_ > 0) {
      slice& last = at(count_ - 1).octets;
      const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(tail_room_, octets.size()));
      // The room lies in a buffer that this chain itself took from the pool below: nobody else views or writes it.
      std::memcpy(const_cast<std::byte*>(last.data_) + last.size_, octets.data(), n);
      last.size_ += n;
      tail_room_ -= n;
      end_ += n;
      octets = octets.subspan(n);
      continue;
    }
    const auto n = std::min<std::size_t>(octets.size(), pool::large_size);
    const buffer_ref b = from.fitting(n);
    std::memcpy(b->room().data(), octets.data(), n);
    push_back(pool::view(b, n));
    tail_room_ = b->capacity() - static_cast<std::uint32_t>(n);
    octets = octets.subspan(n);
  }
}

std::span<const std::byte> chain::front() const {
  return empty() ? std::span<const std::byte>{} : at(0).octets.octets();
}

void chain::pop_entry() {
  entry& e = at(0);
  charge_ -= charge_of(e.octets);
  e.octets = slice{};
  head_ = (head_ + 1) & (capacity_ - 1);
  if (--count_ == 0) tail_room_ = 0;
}

void chain::pop_front(std::uint64_t n) {
  assert(n <= size());
  begin_ += n;
  while (n > 0) {
    entry& e = at(0);
    if (n >= e.octets.size()) {
      n -= e.octets.size();
      pop_entry();
      continue;
    }
    // What a caller shared is charged octet by octet; a buffer stays charged whole until its last octet has gone.
    const bool shared = !e.octets.owner() || e.octets.owner()->capacity() == 0;
    if (shared) charge_ -= n;
    e.octets.remove_prefix(static_cast<std::uint32_t>(n));
    e.begin += n;
    n = 0;
  }
}

std::size_t chain::copy_out(std::span<std::byte> to) {
  std::size_t done = 0;
  while (done < to.size() && !empty()) {
    const auto piece = front();
    const auto n = std::min(piece.size(), to.size() - done);
    std::memcpy(to.data() + done, piece.data(), n);
    pop_front(n);
    done += n;
  }
  return done;
}

void chain::clear() {
  while (count_ > 0) pop_entry();
  begin_ = end_;
}

std::uint32_t chain::find(std::uint64_t offset) const {
  assert(offset >= begin_);
  std::uint32_t low = 0;
  std::uint32_t high = count_;
  while (low < high) {  // the first entry that ends after the offset
    const std::uint32_t middle = low + (high - low) / 2;
    const entry& e = at(middle);
    if (e.begin + e.octets.size() > offset) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

void chain::grow() {
  auto* larger = new entry[capacity_ * 2];
  for (std::uint32_t i = 0; i < count_; ++i) larger[i] = std::move(at(i));
  if (entries_ != inline_) delete[] entries_;
  entries_ = larger;
  capacity_ *= 2;
  head_ = 0;
}

}  // namespace tunic
