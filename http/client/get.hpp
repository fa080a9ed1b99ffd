#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include <asio/awaitable.hpp>

#include "http/client/error.hpp"
#include "http/core/fields.hpp"
#include "http/core/limits.hpp"
#include "http/core/message.hpp"
#include "http/core/uri.hpp"
#include "http/transport/stream_transport.hpp"

namespace tunic::http {

struct get_options {
  std::string method = "GET";  // or HEAD
  fields header;               // sent besides or instead of Host, User-Agent and Accept; Connection is always "close"
  unsigned max_redirects = 10;
  limits bounds = limits::client();
};

// Where a response goes: its head first, then its content in pieces. A piece is a view of the stream's own memory where
// the stream lends it, and is gone when the call returns. What either throws ends the fetch and reaches its caller.
struct sink {
  std::function<void(const response_head&)> head = [](const response_head&) {};
  std::function<void(std::span<const std::byte>)> content = [](std::span<const std::byte>) {};
};

// One request and its response over a connected stream, which is of no more use afterwards ("Connection: close" is
// sent). Returns the head of the response, whatever its status. Throws std::system_error: a client_error, or what the
// stream reported.
asio::awaitable<response_head> get(transport& stream, const url& from, const get_options& options, const sink& into);

// Octets read at once from a stream that does not lend its own.
inline constexpr std::size_t client_read_size = 64 * 1024;

template <class Stream>
asio::awaitable<response_head> get(Stream& stream, const url& from, const get_options& options, const sink& into) {
  stream_transport<Stream&> through(stream, client_read_size);
  co_return co_await get(static_cast<transport&>(through), from, options, into);
}

// Where a response sends us: nothing if it is no redirect (RFC 9110 §15.4) or has no Location. Throws client_error.
std::optional<url> redirect_of(const url& from, const response_head& response);

// Fetches a URL over streams that `connect` makes, following redirects; only the last response reaches the sink.
// `connect` is asio::awaitable<Stream>(const std::string& host, std::uint16_t port): `host` is a name or an address, an
// IPv6 one without brackets. Throws as get does, and what `connect` throws.
template <class Connect>
asio::awaitable<response_head> fetch(Connect connect, url from, const get_options& options, const sink& into) {
  for (unsigned redirects = 0;; ++redirects) {
    std::optional<url> next;
    bool redirected = false;
    const sink last{[&](const response_head& head) {
                      next = redirect_of(from, head);
                      redirected = next.has_value();
                      if (!redirected) into.head(head);
                    },
                    [&](std::span<const std::byte> octets) {
                      if (!redirected) into.content(octets);
                    }};
    auto stream = co_await connect(from.host, from.port);
    auto head = co_await get(stream, from, options, last);
    if (!redirected) co_return head;
    if (redirects == options.max_redirects) throw std::system_error(client_error::too_many_redirects, from.text());
    from = *next;
  }
}

}  // namespace tunic::http
