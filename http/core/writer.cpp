#include "http/core/writer.hpp"

#include <charconv>

namespace tunic::http {
namespace {

void append_number(std::string& out, std::uint64_t value, int base = 10) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, base).ptr;
  out.append(digits, end);
}

}  // namespace

void begin_head(std::string& out, const request_head& request) {
  out.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  out.append(request.header.wire());
}

void begin_head(std::string& out, const response_head& response) {
  // RFC 9112 §2.3: our version, whatever the request's was
  out.append("HTTP/1.1 ");
  append_number(out, number(response.status));
  out.append(" ").append(reason_phrase(response.status)).append("\r\n");
  out.append(response.header.wire());
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_field(std::string& out, std::string_view name, std::uint64_t value) {
  out.append(name).append(": ");
  append_number(out, value);
  out.append("\r\n");
}

void end_head(std::string& out) {
  out.append("\r\n");
}

bool body_writer::begin(std::string& out, std::uint64_t size) {
  switch (frame_.by) {
    case framing::kind::none: return size == 0;
    case framing::kind::until_close: return true;
    case framing::kind::length:
      if (size > left_) return false;
      left_ -= size;
      return true;
    case framing::kind::chunked:
      in_chunk_ = size != 0;  // a chunk of size zero would end the content
      if (!in_chunk_) return true;
      append_number(out, size, 16);
      out.append("\r\n");
      return true;
  }
  return false;
}

void body_writer::end(std::string& out) {
  if (in_chunk_) out.append("\r\n");
  in_chunk_ = false;
}

bool body_writer::finish(std::string& out, const fields& trailer) {
  if (frame_.by == framing::kind::chunked) out.append("0\r\n").append(trailer.wire()).append("\r\n");
  return frame_.by != framing::kind::length || left_ == 0;
}

}  // namespace tunic::http
