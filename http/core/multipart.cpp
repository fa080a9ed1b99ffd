#include "http/core/multipart.hpp"

#include <algorithm>

#include "http/core/grammar.hpp"
#include "http/core/parameters.hpp"

namespace tunic::http {
namespace {

constexpr std::size_t most_header = 16 * 1024;  // octets of the fields of one part
constexpr std::size_t longest_boundary = 70;    // RFC 2046 §5.1.1

}  // namespace

multipart_reader::multipart_reader(std::string_view boundary) : delimiter_(std::string("\r\n--").append(boundary)) {}

multipart_reader::event multipart_reader::next(std::span<const std::byte>& input) {
  for (;;) {
    event happened = event::need_more;
    switch (step_) {
      case step::preamble:
      case step::content: happened = read_until_delimiter(input); break;
      case step::after_delimiter:
      case step::header: happened = read_line(input); break;
      case step::epilogue: input = {}; return event::need_more;
      case step::failed: return event::failed;
    }
    if (happened != event::need_more) return happened;
    if (input.empty()) return event::need_more;
  }
}

// The delimiter holds no second CR, so that a match that fails can begin anew only at the octet that failed it.
multipart_reader::event multipart_reader::read_until_delimiter(std::span<const std::byte>& input) {
  const bool in_part = step_ == step::content;
  const auto text = grammar::as_text(input);
  std::size_t i = 0;
  while (i < text.size()) {
    if (matched_ == 0) {
      i = std::min(text.find('\r', i), text.size());
      if (i == text.size() || (in_part && i != 0)) break;  // what came before goes first
      matched_ = 1;
      before_content_ = 0;
      ++i;
    } else if (text[i] == delimiter_[matched_]) {
      ++i;
      if (++matched_ < delimiter_.size()) continue;
      matched_ = 0;
      header_size_ = 0;
      line_.clear();
      step_ = step::after_delimiter;
      input = input.subspan(i);
      return in_part ? event::part_end : event::need_more;
    } else {
      // The octets that looked like a delimiter are content after all.
      body_ = std::as_bytes(std::span(delimiter_)).first(matched_).subspan(before_content_);
      matched_ = before_content_ = 0;
      if (!in_part || body_.empty()) continue;
      input = input.subspan(i);
      return event::content;
    }
  }
  if (in_part && matched_ == 0 && i != 0) {
    body_ = input.first(i);
    input = input.subspan(i);
    return event::content;
  }
  input = input.subspan(i);
  return event::need_more;
}

multipart_reader::event multipart_reader::read_line(std::span<const std::byte>& input) {
  const auto text = grammar::as_text(input);
  const auto feed = text.find('\n');
  const auto piece = text.substr(0, feed == std::string_view::npos ? feed : feed + 1);
  if (header_size_ + line_.size() + piece.size() > most_header) return fail("the fields of a part are too large");
  line_.append(piece);
  input = input.subspan(piece.size());
  // The closing delimiter needs no line of its own.
  if (step_ == step::after_delimiter && line_.starts_with("--")) {
    step_ = step::epilogue;
    return event::end;
  }
  if (feed == std::string_view::npos) return event::need_more;
  if (!line_.ends_with("\r\n")) return fail("a line of a part does not end in CRLF");
  line_.resize(line_.size() - 2);
  const event happened = on_line();
  line_.clear();
  return happened;
}

multipart_reader::event multipart_reader::on_line() {
  if (step_ == step::after_delimiter) {
    if (!grammar::trim_ows(line_).empty()) return fail("something follows a boundary");  // RFC 2046: padding may
    header_.clear();
    step_ = step::header;
    return event::need_more;
  }
  if (line_.empty()) {
    step_ = step::content;
    matched_ = before_content_ = 2;
    return event::part;
  }
  header_size_ += line_.size() + 2;
  const auto colon = line_.find(':');
  const std::string_view line = line_;
  if (colon == std::string_view::npos || !header_.try_add(line.substr(0, colon), line.substr(colon + 1)))
    return fail("a malformed field of a part");
  return event::need_more;
}

multipart_reader::event multipart_reader::fail(std::string_view why) {
  error_ = why;
  step_ = step::failed;
  return event::failed;
}

std::optional<std::string> multipart_boundary(std::string_view content_type, std::string_view subtype) {
  // RFC 2046 §5.1.1: bcharsnospace, and a space where it is not the last
  static constexpr auto bchars = grammar::digit | grammar::alpha | grammar::set_of("'()+_,-./:=? ");
  const parameterized type(content_type);
  if (!grammar::same_token(type.value(), std::string("multipart/").append(subtype))) return std::nullopt;
  auto boundary = type.parameter("boundary");
  const bool valid = type.for_each([](auto, auto) {});
  if (!valid || !boundary || boundary->empty() || boundary->size() > longest_boundary || boundary->back() == ' ' ||
      !grammar::all_in(bchars, *boundary))
    return std::nullopt;
  return boundary;
}

}  // namespace tunic::http
