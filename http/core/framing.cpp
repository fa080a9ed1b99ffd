#include "http/core/framing.hpp"

#include <optional>

#include "http/core/grammar.hpp"

namespace tunic::http {
namespace {

using outcome = std::variant<framing, problem>;

struct codings {
  bool any = false;           // there is a Transfer-Encoding field
  bool malformed = false;     // an element that is empty or no token
  bool unknown = false;       // a coding other than chunked
  std::size_t chunked = 0;    // how often chunked is named
  bool ends_chunked = false;  // and whether it is the last
};

// RFC 9112 §6.1: Transfer-Encoding = #transfer-coding, over all its field lines.
codings transfer_codings(const fields& header) {
  codings all;
  if (header.count("Transfer-Encoding") == 0) return all;
  for (const auto [name, value] : header) {
    if (!grammar::same_token(name, "Transfer-Encoding")) continue;
    all.any = true;
    grammar::for_each_element(value, [&](std::string_view coding) {
      all.ends_chunked = grammar::same_token(coding, "chunked");
      all.chunked += all.ends_chunked ? 1 : 0;
      all.unknown = all.unknown || !all.ends_chunked;
      all.malformed = all.malformed || !grammar::is_token(coding);
    });
  }
  return all;
}

// Steps 3 to 6, where requests and responses agree. Nothing when neither field is there.
std::optional<outcome> by_fields(const codings& coding, protocol_version version, const fields& header) {
  const bool has_length = header.count("Content-Length") != 0;
  // 3. Both fields: one of the two readers on the way would be fooled, so the message is refused.
  if (coding.any && has_length)
    return problem{status_code::bad_request, "Transfer-Encoding together with Content-Length"};
  // 4. Transfer-Encoding: chunked last is the frame; RFC 9112 §6.1 keeps it out of HTTP/1.0.
  if (coding.any) {
    if (version == protocol_version::http_1_0)
      return problem{status_code::bad_request, "Transfer-Encoding in an HTTP/1.0 message"};
    if (coding.malformed) return problem{status_code::bad_request, "Transfer-Encoding is malformed"};
    if (coding.chunked > 1) return problem{status_code::bad_request, "chunked is applied twice"};
    if (coding.chunked == 1 && !coding.ends_chunked)
      return problem{status_code::bad_request, "chunked is not the last transfer coding"};
    if (coding.unknown) return problem{status_code::not_implemented, "a transfer coding other than chunked"};
    return framing{framing::kind::chunked, 0};
  }
  // 5. Content-Length must be one number; repeated ones are refused even where they agree.
  if (has_length) {
    const auto length = grammar::parse_length(*header.find("Content-Length"));
    if (!length) return problem{status_code::bad_request, "Content-Length is not a number of octets"};
    if (header.count("Content-Length") > 1) return problem{status_code::bad_request, "Content-Length is repeated"};
    // 6. A Content-Length alone.
    return framing{*length == 0 ? framing::kind::none : framing::kind::length, *length};
  }
  return std::nullopt;
}

}  // namespace

std::variant<framing, problem> frame_request(const request_head& request) {
  if (auto decided = by_fields(transfer_codings(request.header), request.version, request.header)) return *decided;
  // 7. A request with neither field has no content.
  return framing{};
}

std::variant<framing, problem> frame_response(const response_head& response, std::string_view method) {
  const auto status = number(response.status);
  // 1. No content whatever the fields say: the answer to HEAD, 1xx, 204 and 304.
  if (method == "HEAD" || status < 200 || status == 204 || status == 304) return framing{};
  // 2. A 2xx to CONNECT makes a tunnel, and we never ask for one.
  if (auto decided = by_fields(transfer_codings(response.header), response.version, response.header)) return *decided;
  // 8. A response with neither field lasts until the connection closes.
  return framing{framing::kind::until_close, 0};
}

}  // namespace tunic::http
