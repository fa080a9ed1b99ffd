#include "http/core/reader.hpp"

#include <algorithm>
#include <cstring>

#include "http/core/grammar.hpp"

namespace tunic::http {
namespace {

constexpr problem bad(std::string_view why) {
  return {status_code::bad_request, why};
}

}  // namespace

event reader::next(std::span<const std::byte>& input) {
  for (;;) {
    event happened = event::need_more;
    switch (step_) {
      case step::start_line: happened = read_start_line(input); break;
      case step::field_line: happened = read_field_line(input); break;
      case step::content: happened = read_content(input); break;
      case step::chunk_line: happened = read_chunk_line(input); break;
      case step::chunk_end: happened = read_chunk_end(input); break;
      case step::trailer: happened = read_trailer(input); break;
      case step::end: step_ = step::start_line; return event::end;
      case step::failed: return event::failed;
    }
    if (happened != event::need_more) return happened;
    if (input.empty() && step_ != step::end) return event::need_more;
  }
}

event reader::finish() {
  if (step_ == step::failed) return event::failed;
  if (between_messages()) return event::need_more;
  if (step_ == step::end || (step_ == step::content && frame_.by == framing::kind::until_close)) {
    step_ = step::start_line;
    return event::end;
  }
  return fail(bad("the message is cut short"));
}

void reader::restart() {
  step_ = step::start_line;
  line_.clear();
  skipped_empty_line_ = false;
}

event reader::read_start_line(std::span<const std::byte>& input) {
  if (input.empty()) return event::need_more;
  // A peer that speaks something else (TLS, say) is told at once and not when its first line feed happens to come.
  if (line_.empty()) {
    begin_message();
    const char first = grammar::as_text(input).front();
    if (first != '\r' || skipped_empty_line_)
      if (auto wrong = on_first_octet(first)) return fail(*wrong);
  }
  std::string_view line;
  switch (take_line(input, limits_.start_line, line)) {
    case line_result::partial: return event::need_more;
    case line_result::too_long:
      // Where there is not even a method, it is no long URI.
      if (line_.find(' ') == std::string::npos &&
          grammar::as_text(input).substr(0, limits_.start_line - line_.size()).find(' ') == std::string_view::npos)
        return fail(bad("the method is too long"));
      return fail({status_code::uri_too_long, "the start line is too long"});
    case line_result::malformed: return fail(bad("a line does not end in CRLF"));
    case line_result::whole: break;
  }
  if (line.empty()) {  // RFC 9112 §2.2: one empty line before a request is ignored
    if (skipped_empty_line_) return fail(bad("empty lines before the message"));
    skipped_empty_line_ = true;
    return event::need_more;
  }
  skipped_empty_line_ = false;
  if (auto wrong = on_start_line(line)) return fail(*wrong);
  head_size_ = field_count_ = 0;
  content_size_ = 0;
  trailer_.clear();
  step_ = step::field_line;
  return event::need_more;
}

event reader::read_field_line(std::span<const std::byte>& input) {
  std::string_view line;
  switch (take_line(input, limits_.field_line, line)) {
    case line_result::partial: return event::need_more;
    case line_result::too_long: return fail({status_code::request_header_fields_too_large, "a field line is too long"});
    case line_result::malformed: return fail(bad("a line does not end in CRLF"));
    case line_result::whole: break;
  }
  if (line.empty()) return end_of_head();
  if (auto wrong = take_field(line, header())) return fail(*wrong);
  return event::need_more;
}

reader::failure reader::take_field(std::string_view line, fields& into) {
  head_size_ += line.size() + 2;
  if (head_size_ > limits_.head || ++field_count_ > limits_.field_count)
    return problem{status_code::request_header_fields_too_large, "too many fields"};
  // RFC 9112 §5: field-line = field-name ":" OWS field-value OWS
  if (line.front() == ' ' || line.front() == '\t') return bad("a folded field line (obs-fold)");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return bad("a field line without a colon");
  if (colon == 0) return bad("an empty field name");
  const auto name = line.substr(0, colon);
  if (into.try_add(name, line.substr(colon + 1))) return std::nullopt;
  return bad(grammar::is_token(name) ? "a field value holds a control octet"
                                     : "a field name holds an octet that no token has");
}

event reader::end_of_head() {
  const auto decided = on_head();
  if (const auto* wrong = std::get_if<problem>(&decided)) return fail(*wrong);
  frame_ = std::get<framing>(decided);
  content_left_ = frame_.length;
  if (content_left_ > limits_.body) return fail({status_code::content_too_large, "the content is too large"});
  switch (frame_.by) {
    case framing::kind::none: step_ = step::end; break;
    case framing::kind::length:
    case framing::kind::until_close: step_ = step::content; break;
    case framing::kind::chunked: step_ = step::chunk_line; break;
  }
  return event::head;
}

event reader::read_content(std::span<const std::byte>& input) {
  if (input.empty()) return event::need_more;
  const bool bounded = frame_.by != framing::kind::until_close;
  const auto n =
      bounded ? static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), content_left_)) : input.size();
  body_ = input.first(n);
  input = input.subspan(n);
  content_left_ -= bounded ? n : 0;
  if (bounded && content_left_ == 0) step_ = frame_.by == framing::kind::chunked ? step::chunk_end : step::end;
  return event::body;
}

event reader::read_chunk_line(std::span<const std::byte>& input) {
  std::string_view line;
  switch (take_line(input, limits_.chunk_line, line)) {
    case line_result::partial: return event::need_more;
    case line_result::too_long: return fail(bad("a chunk line is too long"));
    case line_result::malformed: return fail(bad("a line does not end in CRLF"));
    case line_result::whole: break;
  }
  const auto size = grammar::parse_chunk_line(line);
  if (!size) return fail(bad("a malformed chunk line"));
  if (*size > limits_.body - content_size_) return fail({status_code::content_too_large, "the content is too large"});
  content_size_ += *size;
  content_left_ = *size;
  head_size_ = field_count_ = 0;  // the trailer section has the head's bounds, for itself
  step_ = *size == 0 ? step::trailer : step::content;
  return event::need_more;
}

event reader::read_chunk_end(std::span<const std::byte>& input) {
  std::string_view line;
  switch (take_line(input, 2, line)) {
    case line_result::partial: return event::need_more;
    case line_result::too_long:
    case line_result::malformed: return fail(bad("a chunk is not followed by CRLF"));
    case line_result::whole: break;
  }
  step_ = step::chunk_line;
  return event::need_more;
}

// RFC 9112 §7.1.2: trailer fields are kept apart from the header's, which they must not change.
event reader::read_trailer(std::span<const std::byte>& input) {
  std::string_view line;
  switch (take_line(input, limits_.field_line, line)) {
    case line_result::partial: return event::need_more;
    case line_result::too_long:
      return fail({status_code::request_header_fields_too_large, "a trailer field line is too long"});
    case line_result::malformed: return fail(bad("a line does not end in CRLF"));
    case line_result::whole: break;
  }
  if (line.empty()) {
    step_ = step::start_line;
    return event::end;
  }
  if (auto wrong = take_field(line, trailer_)) return fail(*wrong);
  return event::need_more;
}

// Takes one line off the input, without its CRLF, straight from it where the line is there whole. `limit` bounds the
// line with its CRLF. RFC 9112 §2.2 lets a recipient accept a bare LF; a bare LF or CR is refused here, at once.
reader::line_result reader::take_line(std::span<const std::byte>& input, std::size_t limit, std::string_view& line) {
  const auto text = grammar::as_text(input);
  const auto feed = text.find('\n');
  const auto piece = text.substr(0, feed == std::string_view::npos ? feed : feed + 1);
  if (line_.size() + piece.size() > limit) return line_result::too_long;
  if (feed == std::string_view::npos) {
    // CR may only be followed by LF, so it can only be the last octet there is.
    if (!line_.empty() && line_.back() == '\r' && !piece.empty()) return line_result::malformed;
    if (const auto cr = piece.find('\r'); cr != std::string_view::npos && cr + 1 != piece.size())
      return line_result::malformed;
    line_.append(piece);
    input = input.subspan(piece.size());
    return line_result::partial;
  }
  input = input.subspan(piece.size());
  line = piece;
  if (!line_.empty()) {
    line_.append(piece);
    whole_line_.swap(line_);
    line_.clear();
    line = whole_line_;
  }
  if (line.size() < 2 || line[line.size() - 2] != '\r') return line_result::malformed;
  line.remove_suffix(2);
  return line_result::whole;
}

event reader::fail(problem what) {
  error_ = what;
  step_ = step::failed;
  return event::failed;
}

reader::failure request_reader::on_first_octet(char octet) {
  if (grammar::in(grammar::tchar, octet)) return std::nullopt;
  return bad("this is not an HTTP request");
}

reader::failure request_reader::on_start_line(std::string_view line) {
  // RFC 9112 §3: request-line = method SP request-target SP HTTP-version
  if (line == "PRI * HTTP/2.0") return bad("HTTP/2 is not spoken here");
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return bad("the request line does not have three parts");
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!grammar::is_token(method)) return bad("the method is no token");
  if (target.empty() || !grammar::all_in(grammar::target_octet, target))
    return bad("the request target holds an octet that no URI has");

  // RFC 9112 §2.3: HTTP-version = "HTTP/" DIGIT "." DIGIT
  if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || !grammar::in(grammar::digit, version[5]) ||
      version[6] != '.' || !grammar::in(grammar::digit, version[7]))
    return bad("the HTTP version is malformed");
  if (version[5] != '1') return problem{status_code::http_version_not_supported, "HTTP/1.1 is spoken here"};

  // RFC 9112 §3.2: origin-form, absolute-form, authority-form (CONNECT alone), asterisk-form (OPTIONS alone)
  if (target == "*") {
    if (method != "OPTIONS") return bad("\"*\" is a target for OPTIONS alone");
  } else if (method == "CONNECT") {
    if (!grammar::is_host(target) || target.find(':') == std::string_view::npos)
      return bad("the target of CONNECT is not host:port");
  } else if (target.front() != '/') {
    const auto scheme = target.substr(0, target.find("://"));
    const bool known = grammar::same_token(scheme, "http") || grammar::same_token(scheme, "https");
    if (!known || scheme.size() == target.size()) return bad("the request target is no path and no http URI");
    const auto rest = target.substr(scheme.size() + 3);
    if (!grammar::is_host(rest.substr(0, rest.find_first_of("/?")))) return bad("the request target has no valid host");
  }
  into_.method = method;
  into_.target = target;
  into_.version = version[7] == '0' ? protocol_version::http_1_0 : protocol_version::http_1_1;
  return std::nullopt;
}

std::variant<framing, problem> request_reader::on_head() {
  // RFC 9112 §3.2: one valid Host in HTTP/1.1; in HTTP/1.0 it may be left out
  const auto hosts = into_.header.count("Host");
  if (hosts > 1) return bad("Host is repeated");
  if (hosts == 0 && into_.version == protocol_version::http_1_1) return bad("Host is missing");
  if (hosts == 1 && !grammar::is_host(*into_.header.find("Host"))) return bad("Host is malformed");
  // RFC 9110 §5.3, §8.3: two readers would take it for two different things
  if (into_.header.count("Content-Type") > 1) return bad("Content-Type is repeated");
  return frame_request(into_);
}

void request_reader::begin_message() {
  into_.method.clear();
  into_.target.clear();
  into_.header.clear();
}

reader::failure response_reader::on_first_octet(char octet) {
  if (octet == 'H') return std::nullopt;
  return bad("this is not an HTTP response");
}

reader::failure response_reader::on_start_line(std::string_view line) {
  // RFC 9112 §4: status-line = HTTP-version SP status-code SP [ reason-phrase ]. Some servers leave the last SP out.
  if (line.size() < 12 || line.substr(0, 5) != "HTTP/" || line[6] != '.' || !grammar::in(grammar::digit, line[7]) ||
      line[8] != ' ' || !grammar::all_in(grammar::digit, line.substr(9, 3)) || line[9] == '0' ||
      (line.size() > 12 && line[12] != ' ') || !grammar::all_in(grammar::field_octet, line.substr(12)))
    return bad("the status line is malformed");
  if (line[5] != '1') return problem{status_code::http_version_not_supported, "the server does not speak HTTP/1.1"};
  into_.version = line[7] == '0' ? protocol_version::http_1_0 : protocol_version::http_1_1;
  into_.status = static_cast<status_code>((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
  into_.reason = line.size() > 13 ? line.substr(13) : std::string_view{};
  return std::nullopt;
}

std::variant<framing, problem> response_reader::on_head() {
  if (into_.status == status_code::switching_protocols) return bad("the server switches protocols unasked");
  return frame_response(into_, method_);
}

void response_reader::begin_message() {
  into_.reason.clear();
  into_.header.clear();
}

}  // namespace tunic::http
