#include "http/core/writer.hpp"

#include <array>
#include <charconv>

#include "http/core/append.hpp"

namespace tunic::http {
namespace {

using digits = std::array<char, 20>;

std::string_view in_digits(digits& room, std::uint64_t value, int base = 10) {
  return {room.data(), std::to_chars(room.begin(), room.end(), value, base).ptr};
}

}  // namespace

void begin_head(std::string& out, const request_head& request) {
  append(out, request.method, " ", request.target, " HTTP/1.1\r\n", request.header.wire());
}

void begin_head(std::string& out, const response_head& response) {
  digits room;
  // RFC 9112 §2.3: our version, whatever the request's was
  append(out, "HTTP/1.1 ", in_digits(room, number(response.status)), " ", reason_phrase(response.status), "\r\n",
         response.header.wire());
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  append(out, name, ": ", value, "\r\n");
}

void append_field(std::string& out, std::string_view name, std::uint64_t value) {
  digits room;
  append_field(out, name, in_digits(room, value));
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
    case framing::kind::chunked: {
      in_chunk_ = size != 0;  // a chunk of size zero would end the content
      if (!in_chunk_) return true;
      digits room;
      append(out, in_digits(room, size, 16), "\r\n");
      return true;
    }
  }
  return false;
}

void body_writer::end(std::string& out) {
  if (in_chunk_) out.append("\r\n");
  in_chunk_ = false;
}

bool body_writer::finish(std::string& out, const fields& trailer) {
  if (frame_.by == framing::kind::chunked) append(out, "0\r\n", trailer.wire(), "\r\n");
  return frame_.by != framing::kind::length || left_ == 0;
}

}  // namespace tunic::http
