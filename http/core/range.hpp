#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tunic::http {

// Octets `first` to `last`, both included, of a content.
struct byte_range {
  std::uint64_t first = 0, last = 0;

  std::uint64_t size() const { return last - first + 1; }
  // RFC 9110 §14.4, "bytes 0-499/1234": what Content-Range carries.
  std::string in_content(std::uint64_t size) const;
  bool operator==(const byte_range&) const = default;
};

struct range_set {
  enum class kind : std::uint8_t {
    whole,          // to be ignored: another unit, no valid list, more work than the whole would be
    parts,          // one or more, in the order asked for
    unsatisfiable,  // 416
  };

  kind what = kind::whole;
  std::vector<byte_range> parts;
};

// The value of Range (RFC 9110 §14.1.2, §14.2) for a content of `size` octets. Ranges that overlap, or lie closer than
// the head of another part would take, become one. A client that asks for more than 100 ranges, for more than 16 parts,
// or for as much as all of it in parts, gets the whole: none of that helps anybody (RFC 9110 §17.15).
range_set parse_range(std::string_view value, std::uint64_t size);

}  // namespace tunic::http
