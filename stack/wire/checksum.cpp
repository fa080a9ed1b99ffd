#include "stack/wire/checksum.hpp"

#include <bit>
#include <cstring>

namespace tunic::wire {
namespace {

std::uint64_t fold32(std::uint64_t sum) {
  return (sum >> 32) + (sum & 0xffffffff);
}

std::uint16_t fold16(std::uint64_t sum) {
  sum = fold32(fold32(sum));
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>(sum);
}

template <class Word>
std::uint64_t load_native(const std::byte* p) {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

}  // namespace

void checksum::add(octets piece) {
  // RFC 1071 §2: the sum does not depend on the byte order, and wider words may be added as long as the carries are
  // kept. Two 64-bit sums of 32-bit halves have room for 2^32 of them, and compilers make vectors of this loop.
  const std::byte* p = piece.data();
  std::size_t n = piece.size();
  std::uint64_t halves[2] = {};
  for (; n >= 8; n -= 8, p += 8) {
    const auto word = load_native<std::uint64_t>(p);
    halves[0] += word & 0xffffffff;
    halves[1] += word >> 32;
  }
  std::uint64_t sum = halves[0] + halves[1];
  if (n & 4) {
    sum += load_native<std::uint32_t>(p);
    p += 4;
  }
  if (n & 2) {
    sum += load_native<std::uint16_t>(p);
    p += 2;
  }
  if (n & 1) {
    const std::byte padded[2] = {*p, std::byte{0}};
    sum += load_native<std::uint16_t>(padded);
  }
  const std::uint16_t folded = fold16(sum);
  // The octets of a piece that begins at an odd offset stand in the other halves of their words.
  const bool swapped = (std::endian::native == std::endian::little) != odd_;
  sum_ += swapped ? static_cast<std::uint16_t>(folded << 8 | folded >> 8) : folded;
  odd_ ^= (piece.size() & 1) != 0;
}

void checksum::add_pseudo_header(const address& source, const address& destination, std::uint8_t protocol,
                                 std::uint32_t length) {
  for (const address* a : {&source, &destination}) {
    const auto& o = a->octets();
    for (std::size_t i = a->is_v4() ? 12 : 0; i < o.size(); i += 2)
      sum_ += static_cast<std::uint16_t>(o[i] << 8 | o[i + 1]);
  }
  sum_ += protocol + std::uint64_t{length >> 16} + (length & 0xffff);
}

std::uint16_t checksum::partial() const {
  return fold16(sum_);
}

}  // namespace tunic::wire
