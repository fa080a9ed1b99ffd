#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/core/framing.hpp"
#include "http/core/message.hpp"

namespace tunic::http {

// Each appends to `out` and allocates nothing once that has grown. A head is in two parts so that a sender can add
// fields that the message does not hold: start line and the message's fields, then end_head.
void begin_head(std::string& out, const request_head& request);
void begin_head(std::string& out, const response_head& response);
void append_field(std::string& out, std::string_view name, std::string_view value);
void append_field(std::string& out, std::string_view name, std::uint64_t value);
void end_head(std::string& out);

// Frames the content of one message and keeps its account. The octets themselves may go their own way (a mapped file):
// only what stands around them is appended to `out`.
class body_writer {
 public:
  // Not framing::kind::until_close in a request.
  explicit body_writer(const framing& by) : frame_(by), left_(by.length) {}

  // Before `size` octets of content. Says false if that is more than the Content-Length announced.
  bool begin(std::string& out, std::uint64_t size);
  // After them.
  void end(std::string& out);
  // At the end of the content; `trailer` follows a chunked one (RFC 9112 §7.1.2), and is dropped elsewhere. Says false
  // if less came than the Content-Length announced: the connection must close.
  bool finish(std::string& out, const fields& trailer = {});

 private:
  framing frame_;
  std::uint64_t left_;
  bool in_chunk_ = false;
};

}  // namespace tunic::http
