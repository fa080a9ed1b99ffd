#pragma once

namespace tunic {

/// A socket option Asio has no type for: the differentiated services code point of what a socket sends (RFC 2474 §3), 0
/// to 63; 46 is expedited forwarding. The two bits of ECN beside it stay the stack's. Any other number is
/// invalid_argument.
class dscp {
 public:
  dscp() = default;
  explicit dscp(int value) : value_(value) {}
  dscp& operator=(int value) { return value_ = value, *this; }
  [[nodiscard]] int value() const { return value_; }

 private:
  int value_ = 0;
};

}  // namespace tunic
