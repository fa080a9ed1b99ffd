#include "http/server/representation.hpp"

#include <charconv>
#include <ctime>
#include <functional>
#include <string>

#include "http/core/conditions.hpp"
#include "http/core/range.hpp"

namespace tunic::http {
namespace {

// RFC 2046 §5.1.1: no part may hold it. It follows from the entity tag, which a file has only once it is written.
std::string boundary_for(const fields& header) {
  const auto hash = std::hash<std::string_view>{}(header.find("ETag").value_or(header.wire()));
  char digits[16];
  return std::string("tunic").append(digits, std::to_chars(digits, digits + sizeof digits, hash, 16).ptr);
}

// RFC 9110 §14.6: multipart/byteranges
pieces in_parts(const representation& one, const std::vector<byte_range>& parts, const std::string& boundary) {
  pieces out;
  std::string before;
  for (const auto& part : parts) {
    before.append("--").append(boundary).append("\r\n");
    if (const auto type = one.header.find("Content-Type")) before.append("Content-Type: ").append(*type).append("\r\n");
    before.append("Content-Range: ").append(part.in_content(one.size())).append("\r\n\r\n");
    out.all.emplace_back(share(std::move(before)));
    out.all.push_back(one.part(part.first, part.size()));
    before = "\r\n";
  }
  out.all.emplace_back(share(before.append("--").append(boundary).append("--\r\n")));
  return out;
}

void answer_in_parts(const representation& one, const range_set& ranges, response& out) {
  out.head.status = status_code::partial_content;
  if (ranges.parts.size() == 1) {
    const auto& part = ranges.parts.front();
    out.head.header.add("Content-Range", part.in_content(one.size()));
    std::visit([&](const auto& content) { out.content = content; }, one.part(part.first, part.size()));
    return;
  }
  const auto boundary = boundary_for(one.header);
  out.content = in_parts(one, ranges.parts, boundary);
  out.head.header.set("Content-Type", "multipart/byteranges; boundary=" + boundary);
}

}  // namespace

std::uint64_t representation::size() const {
  const auto* const octets = std::get_if<shared_octets>(&content);
  return octets != nullptr ? octets->octets.size() : std::get<file_part>(content).length;
}

std::variant<shared_octets, file_part> representation::part(std::uint64_t offset, std::uint64_t length) const {
  if (const auto* const octets = std::get_if<shared_octets>(&content))
    return shared_octets{octets->owner,
                         octets->octets.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length))};
  const auto& whole = std::get<file_part>(content);
  return file_part{whole.source, whole.offset + offset, length};
}

void answer_with(const request& in, const representation& one, response& out) {
  const validators current{true, one.header.find("ETag").value_or(std::string_view{}), one.modified};
  const auto now = std::time(nullptr);
  switch (evaluate(in, current, now)) {
    case precondition::failed: out = response::error(status_code::precondition_failed); return;
    case precondition::not_modified:
      // RFC 9110 §15.4.5: what a cache needs, and nothing about a content that does not come
      out.head.header = one.header;
      out.head.header.remove("Content-Type");
      out.head.header.remove("Content-Encoding");
      out.head.status = status_code::not_modified;
      return;
    case precondition::holds: break;
  }
  if (range_counts(in, current, now)) {
    const auto ranges = parse_range(*in.header.find("Range"), one.size());
    if (ranges.what == range_set::kind::unsatisfiable) {
      out = response::error(status_code::range_not_satisfiable);
      out.head.header.add("Content-Range", "bytes */" + std::to_string(one.size()));
      return;
    }
    out.head.header = one.header;
    if (ranges.what == range_set::kind::parts) return answer_in_parts(one, ranges, out);
  } else {
    out.head.header = one.header;
  }
  std::visit([&](const auto& content) { out.content = content; }, one.content);
}

}  // namespace tunic::http
