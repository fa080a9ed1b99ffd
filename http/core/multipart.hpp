#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/core/fields.hpp"

namespace tunic::http {

// Reads a multipart content (RFC 2046 §5.1), octets in, events out, holding no more than one unfinished line of a
// part's fields: a file of any size passes through.
class multipart_reader {
 public:
  enum class event : std::uint8_t {
    need_more,  // all input is taken
    part,       // header() is that of a part
    content,    // body() is a piece of its content, valid until the next call
    part_end,
    end,     // the closing delimiter; what follows (the epilogue) is passed over
    failed,  // error() says why
  };

  // `boundary`: 1 to 70 octets.
  explicit multipart_reader(std::string_view boundary);

  // Takes octets off the front of `input` until there is an event.
  event next(std::span<const std::byte>& input);

  const fields& header() const { return header_; }
  std::span<const std::byte> body() const { return body_; }
  std::string_view error() const { return error_; }  // static text
  // The closing delimiter has come: only then is the content whole.
  bool complete() const { return step_ == step::epilogue; }

 private:
  enum class step : std::uint8_t { preamble, after_delimiter, header, content, epilogue, failed };

  event read_until_delimiter(std::span<const std::byte>& input);
  event read_line(std::span<const std::byte>& input);
  event on_line();
  event fail(std::string_view why);

  std::string delimiter_;  // CRLF "--" boundary
  // Octets of it that the input ended with, and how many of them came before the content: the line break that ends the
  // fields of a part, or that the very beginning stands for, may begin a delimiter.
  std::size_t matched_ = 2, before_content_ = 2;
  step step_ = step::preamble;
  std::string line_;
  std::size_t header_size_ = 0;
  fields header_;
  std::span<const std::byte> body_;
  std::string_view error_;
};

// The boundary that a Content-Type names, if it is multipart/`subtype` and the boundary is valid (RFC 2046 §5.1.1).
std::optional<std::string> multipart_boundary(std::string_view content_type, std::string_view subtype);

}  // namespace tunic::http
