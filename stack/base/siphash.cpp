#include "stack/base/siphash.hpp"

#include <bit>
#include <cstring>

namespace tunic {
namespace {

struct sip_state {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void compress(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

std::uint64_t load_little(const std::uint8_t* p) {
  std::uint64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

}  // namespace

std::uint64_t siphash(const secret& key, std::span<const std::uint8_t> octets) {
  const std::uint64_t k0 = load_little(key.data());
  const std::uint64_t k1 = load_little(key.data() + 8);
  sip_state s{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
  const std::size_t n = octets.size();
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) s.compress(load_little(octets.data() + i));
  std::uint64_t last = std::uint64_t{n} << 56;
  for (std::size_t j = 0; i + j < n; ++j) last |= std::uint64_t{octets[i + j]} << (8 * j);
  s.compress(last);
  s.v2 ^= 0xff;
  for (int r = 0; r < 4; ++r) s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace tunic
