#include "http/core/conditions.hpp"

#include "http/core/date.hpp"
#include "http/core/grammar.hpp"

namespace tunic::http {
namespace {

// RFC 9110 §8.8.3: etagc = %x21 / %x23-7E / obs-text
constexpr auto etagc = (grammar::vchar | grammar::obs_text) - grammar::set_of("\"");

bool is_weak(std::string_view tag) {
  return tag.starts_with("W/");
}

std::string_view opaque(std::string_view tag) {
  return is_weak(tag) ? tag.substr(2) : tag;
}

// RFC 9110 §8.8.3.2
bool same_strongly(std::string_view a, std::string_view b) {
  return !is_weak(a) && a == b;
}
bool same_weakly(std::string_view a, std::string_view b) {
  return opaque(a) == opaque(b);
}

// Takes entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE off the front; empty if there is none.
std::string_view take_tag(std::string_view& text) {
  const std::size_t open = is_weak(text) ? 2 : 0;
  if (text.size() <= open || text[open] != '"') return {};
  std::size_t end = open + 1;
  while (end < text.size() && grammar::in(etagc, text[end])) ++end;
  if (end == text.size() || text[end] != '"') return {};
  const auto tag = text.substr(0, end + 1);
  text.remove_prefix(end + 1);
  return tag;
}

// Whether a list of entity tags (which may hold commas), over all fields of that name, has one that `same` finds. A
// list that breaks the grammar has what came before it did.
bool lists(const fields& header, std::string_view name, std::string_view tag,
           bool (*same)(std::string_view, std::string_view)) {
  if (tag.empty()) return false;
  for (auto [n, rest] : header) {
    if (!grammar::same_token(n, name)) continue;
    while (!rest.empty()) {
      const auto one = take_tag(rest);
      if (one.empty() && rest.front() != ',') break;
      if (!one.empty() && same(one, tag)) return true;
      rest = grammar::trim_ows(rest);
      if (rest.empty() || rest.front() != ',') break;
      rest = grammar::trim_ows(rest.substr(1));
    }
  }
  return false;
}

// The date of a field; one that is none, or given twice, is ignored (RFC 9110 §13.1.3).
std::optional<std::int64_t> date_of(const fields& header, std::string_view name, std::int64_t now) {
  const auto text = header.find(name);
  return text && header.count(name) == 1 ? parse_date(*text, now) : std::nullopt;
}

}  // namespace

precondition evaluate(const request_head& request, const validators& current, std::int64_t now) {
  const auto& header = request.header;
  const bool reads = request.method_is("GET") || request.method_is("HEAD");
  const bool has_match = header.count("If-Match") != 0, has_none_match = header.count("If-None-Match") != 0;

  if (has_match) {  // step 1
    const bool any = header.find("If-Match") == "*" && current.exists;
    if (!any && !lists(header, "If-Match", current.entity_tag, same_strongly)) return precondition::failed;
  } else if (const auto limit = date_of(header, "If-Unmodified-Since", now);
             limit && current.last_modified) {  // step 2
    if (*current.last_modified > *limit) return precondition::failed;
  }

  if (has_none_match) {  // step 3
    const bool any = header.find("If-None-Match") == "*" && current.exists;
    if (any || lists(header, "If-None-Match", current.entity_tag, same_weakly))
      return reads ? precondition::not_modified : precondition::failed;
  } else if (reads && current.last_modified) {  // step 4
    const auto limit = date_of(header, "If-Modified-Since", now);
    // A date that is still to come says nothing about what has been since.
    if (limit && *limit <= now && *current.last_modified <= *limit) return precondition::not_modified;
  }
  return precondition::holds;
}

bool range_counts(const request_head& request, const validators& current, std::int64_t now) {
  if (!request.method_is("GET") || request.header.count("Range") != 1) return false;  // RFC 9110 §14.2
  const auto condition = request.header.find("If-Range");
  if (!condition) return true;
  auto rest = *condition;
  if (const auto tag = take_tag(rest); !tag.empty()) return rest.empty() && same_strongly(tag, current.entity_tag);
  const auto date = date_of(request.header, "If-Range", now);
  return date && date == current.last_modified;  // RFC 9110 §13.1.5: exactly that one
}

}  // namespace tunic::http
