#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <asio/awaitable.hpp>

#include "http/core/message.hpp"
#include "http/server/file.hpp"
#include "http/transport/transport.hpp"

namespace tunic::http {

// `length` octets of an open file from `offset` on.
struct file_part {
  std::shared_ptr<const file> source;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// Text with an owner of its own.
shared_octets share(std::string text);

// Several pieces, sent one behind the other.
struct pieces {
  std::vector<std::variant<shared_octets, file_part>> all;
};

// Where a producer puts the content of a response.
class content_sink {
 public:
  // Sends octets at once, and waits while the client takes none. Throws std::system_error if the client has gone, and
  // std::length_error beyond the length that was announced.
  virtual asio::awaitable<void> write(std::span<const std::byte> octets) = 0;
  asio::awaitable<void> write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  // RFC 9112 §7.1.2: fields to follow the content; dropped where it is not chunked.
  fields trailer;

 protected:
  ~content_sink() = default;
};

// A content that is made while it is sent. The coroutine is cancelled when the client goes; one that throws ends the
// connection, so that the client sees that the content is cut short. It is not called for HEAD.
struct produced {
  std::function<asio::awaitable<void>(content_sink&)> produce;
  std::optional<std::uint64_t> length;  // octets; nothing: chunked, or until the close for HTTP/1.0
};

// RFC 9110 §7.8: the protocol that goes on with the stream after 101. What has come behind the request is still there
// to be read.
struct upgrade {
  std::function<asio::awaitable<void>(transport&)> run;
};

// A response as a handler makes it. Content-Length, Transfer-Encoding and Date are the server's to add, and so is
// Connection, save that a handler may ask for "close". The content of an answer to HEAD is counted and not sent.
struct response {
  response_head head;
  std::variant<std::monostate, shared_octets, file_part, pieces, produced, upgrade> content;

  // text/plain in UTF-8.
  static response text(std::string content, status_code status = status_code::ok);
  // The status, its phrase and `why` as text/plain.
  static response error(status_code status, std::string_view why = {});
  // For the exception that is being handled: a refusal's own status, else 500.
  static response of_exception();
  // 308, or another 3xx. `location` is a URI reference, encoded already.
  static response redirect(std::string_view location, status_code status = status_code::permanent_redirect);
  static response stream(std::string_view media_type, std::function<asio::awaitable<void>(content_sink&)> produce,
                         std::optional<std::uint64_t> length = std::nullopt);

  void set_content(std::string content, std::string_view media_type);
  // Octets of the content; nothing for one that is made while it is sent, of no announced length.
  std::optional<std::uint64_t> length() const;
  // As new, but with its memory kept.
  void clear();
};

}  // namespace tunic::http
