#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>

#include "http/core/capabilities.hpp"
#include "http/core/framing.hpp"
#include "http/core/message.hpp"
#include "http/core/uri.hpp"

namespace tunic::http {

// Thrown by a handler, or by reading a content that breaks a rule: the request is answered with that status.
class refusal : public std::runtime_error {
 public:
  refusal(status_code status, const std::string& why) : std::runtime_error(why), status_(status) {}
  explicit refusal(const problem& what) : refusal(what.status, std::string(what.why)) {}
  status_code status() const { return status_; }

 private:
  status_code status_;
};

// Where a request's content comes from: its connection.
class content_source {
 public:
  virtual asio::awaitable<std::span<const std::byte>> read_content() = 0;
  virtual const framing& frame() const = 0;
  virtual const fields& trailer() const = 0;

 protected:
  ~content_source() = default;
};

// The content of a request as its handler reads it: as it comes, so that a client which sends faster than it is read
// has to wait. A client that expects "100 Continue" gets it when the reading begins, unless the response has begun
// before. What a handler leaves unread is dropped by the server.
class request_content {
 public:
  request_content() = default;  // empty
  explicit request_content(content_source& from) : from_(&from) {}

  // The next octets, valid until the next call; empty at the end. Throws refusal if the content breaks a rule, is too
  // large or too late, and std::system_error if the client has gone.
  asio::awaitable<std::span<const std::byte>> read();
  // All that is left of it. Throws refusal (413) where that is more than `most` octets.
  asio::awaitable<std::string> read_all(std::size_t most = 1024 * 1024);

  // What Content-Length says; nothing where the end is found otherwise.
  std::optional<std::uint64_t> length() const;
  // RFC 9112 §7.1.2: the fields that followed a chunked content; empty until its end has been read.
  const fields& trailer() const;

 private:
  content_source* from_ = nullptr;
};

// A request as a handler sees it: a valid head, and its content to be read.
struct request : request_head {
  std::string path;  // what the target names: decoded, without dot segments; begins with "/", or is "*" (OPTIONS) or
                     // the authority (CONNECT)
  std::vector<std::pair<std::string, std::string>> parameters;  // what a router found in the path
  request_content content;
  input_batch batch;             // with which it came; none where the stream does not tell
  asio::ip::tcp::endpoint peer;  // unspecified, port 0, where the stream does not tell

  // As new, but for `content`, and with its memory kept.
  void clear();
  std::string_view query() const { return query_of(target); }
  // RFC 9112 §3.2.2: host[:port] of an absolute-form target, else of Host; empty if there is neither.
  std::string_view authority() const;
  // The parameter of that name; empty if the route has none.
  std::string_view parameter(std::string_view name) const;
};

}  // namespace tunic::http
