#pragma once

#include <chrono>
#include <cstdint>

#include "stack/base/blur.hpp"
#include "stack/base/time.hpp"

namespace tunic::tcp {

/// How many challenge ACKs a stack sends in a second (RFC 5961 §7): between half and one and a half of what is asked,
/// another number each second, for an exact one would let one connection tell what another was sent (CVE-2016-5696).
class challenge_limit {
 public:
  explicit challenge_limit(const secret& key) : key_(key) {}

  bool take(unsigned per_second, instant now) {
    const auto second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    if (second != second_) {
      second_ = second;
      left_ = per_second == 0 ? 0
                              : (per_second + 1) / 2 +
                                    blur(key_, blurred::challenge_acks, static_cast<std::uint64_t>(second), per_second);
    }
    if (left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  secret key_;
  std::int64_t second_ = -1;
  std::uint64_t left_ = 0;
};

}  // namespace tunic::tcp
