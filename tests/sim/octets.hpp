#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "drivers/random_stream.hpp"

namespace tunic::sim {

/// The octets that a user sends: random ones that repeat only after a prime number of them, so that no gap and no shift
/// goes unseen. Streams with different numbers begin at different places.
class octets {
 public:
  static constexpr std::size_t most = 64 * 1024;  ///< of a stretch

  explicit octets(std::uint64_t number) : start_(number * 314'159 % period) {}

  /// [offset, offset + size) of the stream; `size` is `most` at most.
  [[nodiscard]] std::span<const std::byte> at(std::uint64_t offset, std::size_t size) const {
    return std::span{*table()}.subspan((start_ + offset) % period, size);
  }
  /// Who keeps them, for those who share them.
  static std::shared_ptr<const std::vector<std::byte>> table() {
    static const auto made = [] {
      auto t = std::make_shared<std::vector<std::byte>>(period + most);
      drivers::random_stream random{1, 0};
      for (std::size_t i = 0; i < t->size(); ++i) (*t)[i] = i < period ? std::byte(random.next()) : (*t)[i - period];
      return t;
    }();
    return made;
  }

 private:
  static constexpr std::size_t period = 1'000'003;
  std::size_t start_;
};

}  // namespace tunic::sim
