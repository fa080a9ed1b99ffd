#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/core/framing.hpp"
#include "http/core/limits.hpp"
#include "http/core/message.hpp"

namespace tunic::http {

enum class event : std::uint8_t {
  need_more,  // all input is taken; nothing is complete
  head,       // the head is in the message the reader was made with
  body,       // body() is a piece of the content, a view of the input just given
  end,        // the message is complete; the next call begins the next one
  failed,     // error() says why; nothing after it can be trusted, and every further call says the same
};

// Reads one direction of a connection, octets in, events out, holding no more than one unfinished line. Strict: what
// RFC 9112 lets a recipient repair is refused, because two readers that repair differently are a smuggled request.
class reader {
 public:
  // Takes octets off the front of `input` until there is an event.
  event next(std::span<const std::byte>& input);

  // The peer has ended its stream: the end of a message that lasts until then, a failure inside any other, and
  // need_more between messages.
  event finish();

  std::span<const std::byte> body() const { return body_; }
  const problem& error() const { return error_; }
  const framing& frame() const { return frame_; }
  // RFC 9112 §7.1.2: the fields that followed the chunks, complete with `end`.
  const fields& trailer() const { return trailer_; }

  // No octet of the next message has come.
  bool between_messages() const { return step_ == step::start_line && line_.empty(); }
  // Between messages, and not even the empty line has come that may precede one.
  bool is_at_rest() const { return between_messages() && !skipped_empty_line_; }
  // As new, for another stream.
  void restart();
  // Octets of memory that it has for lines and trailers, used or not.
  std::size_t capacity() const { return line_.capacity() + whole_line_.capacity() + trailer_.capacity(); }
  // A start line has begun and the head has not ended.
  bool in_head() const { return (step_ == step::start_line && !between_messages()) || step_ == step::field_line; }

 protected:
  explicit reader(const limits& bounds) : limits_(bounds) {}
  ~reader() = default;
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;

  using failure = std::optional<problem>;

 private:
  enum class step : std::uint8_t {
    start_line,
    field_line,
    content,  // a Content-Length's octets, a chunk's, or all until the close
    chunk_line,
    chunk_end,  // the CRLF after a chunk's octets
    trailer,
    end,
    failed
  };
  enum class line_result : std::uint8_t { partial, whole, too_long, malformed };

  virtual failure on_first_octet(char octet) = 0;
  virtual failure on_start_line(std::string_view line) = 0;
  virtual fields& header() = 0;
  virtual std::variant<framing, problem> on_head() = 0;
  virtual void begin_message() = 0;

  event read_start_line(std::span<const std::byte>& input);
  event read_field_line(std::span<const std::byte>& input);
  event read_content(std::span<const std::byte>& input);
  event read_chunk_line(std::span<const std::byte>& input);
  event read_chunk_end(std::span<const std::byte>& input);
  event read_trailer(std::span<const std::byte>& input);
  line_result take_line(std::span<const std::byte>& input, std::size_t limit, std::string_view& line);
  failure take_field(std::string_view line, fields& into);
  event end_of_head();
  event fail(problem what);

  const limits& limits_;
  std::string line_;        // the octets of a line whose end has not come
  std::string whole_line_;  // a line that came in pieces, until the next one
  bool skipped_empty_line_ = false;
  step step_ = step::start_line;
  framing frame_;
  fields trailer_;
  std::size_t head_size_ = 0;  // octets of field lines so far, and how many of them
  std::size_t field_count_ = 0;
  std::uint64_t content_left_ = 0;  // of the content, or of the chunk
  std::uint64_t content_size_ = 0;  // of all chunks so far
  std::span<const std::byte> body_;
  problem error_;
};

// Reads requests: the server's side. `into` and `bounds` outlive the reader.
class request_reader final : public reader {
 public:
  request_reader(request_head& into, const limits& bounds) : reader(bounds), into_(into) {}

 private:
  failure on_first_octet(char octet) override;
  failure on_start_line(std::string_view line) override;
  fields& header() override { return into_.header; }
  std::variant<framing, problem> on_head() override;
  void begin_message() override;

  request_head& into_;
};

// Reads responses: the client's side. A 1xx head is followed by `end`, and then by the head of the final response.
class response_reader final : public reader {
 public:
  // `method` is the request's: the answer to HEAD has no content.
  response_reader(response_head& into, std::string_view method, const limits& bounds)
      : reader(bounds), into_(into), method_(method) {}

 private:
  failure on_first_octet(char octet) override;
  failure on_start_line(std::string_view line) override;
  fields& header() override { return into_.header; }
  std::variant<framing, problem> on_head() override;
  void begin_message() override;

  response_head& into_;
  std::string method_;
};

}  // namespace tunic::http
